# SPDX-License-Identifier: MIT
"""A walk with drift for tests: walk_server.py [OPTION...]

ignores_seed     draws from the system's randomness
shares           all environments have one place
orphan=FILE      starts a process that holds on, and writes its number and its own into the file
raises_at=N      an error in step N of every episode
raises_in=SEED   an error in the reset with this seed
nan_at=N         a field that is no number in step N of every episode
"""
import math
import os
import pathlib
import random
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "python" / "servers"))
from icpi_environment import Environment, category, decimal, integer, serve, text  # noqa: E402

OPTIONS = dict(word.partition("=")[::2] for word in sys.argv[1:])


class Walk(Environment):
    name = "walk"
    fields = [integer("place", group="place"), integer("goal", group="place"), decimal("wind", 2),
              category("mood", ["calm", "wild"]), text("note")]
    actions = ["left", "right", "wait a moment"]
    discount = 0.9
    reward_bounds = [-1, 1]
    step_limit = 12
    description = "Reach the goal."
    shared = random.Random(0)

    def reset(self, seed):
        if str(seed) == OPTIONS.get("raises_in"):
            raise ValueError("there is no such bridge")
        self.random = random.Random(None if "ignores_seed" in OPTIONS else seed)
        if "shares" in OPTIONS:
            self.random = self.shared
            self.shared.seed(seed)
        self.place, self.goal = self.random.randrange(5), self.random.randrange(5)
        self.count = 0
        return self.seen()

    def seen(self):
        self.wind = self.random.random()
        mood = "wild" if self.wind > 0.505 else "calm"
        return [self.place, self.goal, self.wind, mood, f'"{self.place}"\n\\ {mood}']

    def step(self, action):
        print("this is not the protocol's business")
        self.count += 1
        if str(self.count) == OPTIONS.get("raises_at"):
            raise ValueError("the bridge is out")
        self.place += {"left": -1, "right": 1, "wait a moment": 0}[action] + (self.wind > 0.805)
        there = self.place == self.goal
        if str(self.count) == OPTIONS.get("nan_at"):
            return [self.place, self.goal, math.nan, "calm", "lost"], 0, False, False
        return self.seen(), float(there), there, False

    def legal_actions(self, observation=None):
        place = self.place if observation is None else observation[0]
        return ["right", "wait a moment"] if place <= 0 else list(self.actions)

    def set_state(self, observation, seed):
        self.random = random.Random(seed)
        self.place, self.goal, self.wind = observation[:3]
        self.count = 0


if "orphan" in OPTIONS:
    held = subprocess.Popen(["sleep", "600"])
    with open(OPTIONS["orphan"] + ".part", "w", encoding="utf-8") as file:
        file.write(f"{held.pid} {os.getpid()}")
    os.rename(OPTIONS["orphan"] + ".part", OPTIONS["orphan"])
serve(Walk)

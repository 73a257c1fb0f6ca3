# SPDX-License-Identifier: MIT
"""RiverSwim (Strehl and Littman 2008; numbers of Osband, Russo and Van Roy 2013): riverswim_server.py PLACES
[step_limit=20] [discount=0.95]

Left goes one place to the left, and brings 0.005 at the first. Right swims against the current: at the first place it goes
on with 0.6, between with 0.35 and falls back with 0.05, at the last it is washed back with 0.4, and brings 1 there whatever
becomes of it.
"""
import random
import sys

from icpi_environment import Environment, Refusal, arguments, integer, serve_made


class RiverSwim(Environment):
    """The river."""

    fields = [integer("place")]
    actions = ["left", "right"]
    reward_bounds = [0, 1]

    def __init__(self, places, *words):
        options = arguments(words, {"step_limit", "discount"})
        if not places.isdigit() or not 2 <= int(places) <= 1000:
            raise Refusal(f"places {places!r}: allowed: 2 to 1000")
        self.last = int(places) - 1
        self.step_limit = options.get("step_limit", 20)
        self.discount = options.get("discount")
        self.name = " ".join([f"RiverSwim-{places}", *sorted(words)])

    def reset(self, seed):
        self.random = random.Random(seed)
        self.place = 0
        return [0]

    def step(self, action):
        if action == "left":
            reward = 0.005 if self.place == 0 else 0.0
            self.place = max(self.place - 1, 0)
            return [self.place], reward, False, False
        reward = 1.0 if self.place == self.last else 0.0
        forth, back = (0.6, 0.0) if self.place == 0 else (0.0, 0.4) if self.place == self.last else (0.35, 0.05)
        luck = self.random.random()
        self.place += 1 if luck < forth else -1 if luck < forth + back else 0
        return [self.place], reward, False, False


if __name__ == "__main__":
    serve_made(RiverSwim, sys.argv[1:])

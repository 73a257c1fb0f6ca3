#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
import random

from icpi_environment import Environment, integer, serve


class Corridor(Environment):
    name = "corridor"
    fields = [integer("place"), integer("exit")]
    actions = ["left", "right", "leave"]
    step_limit = 20

    def reset(self, seed):
        self.place, self.exit = random.Random(seed).sample(range(8), 2)
        return [self.place, self.exit]

    def step(self, action):
        self.place += {"left": -1, "right": 1, "leave": 0}[action]
        self.place = min(max(self.place, 0), 7)
        left = action == "leave"
        return [self.place, self.exit], float(left and self.place == self.exit), left, False


serve(Corridor)

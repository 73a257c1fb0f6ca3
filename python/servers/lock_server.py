# SPDX-License-Identifier: MIT
"""A combination lock (after Misra et al. 2020): lock_server.py 6,5,4 [digits=8] [discount=0.95]

At each position a digit is chosen. A wrong one ends the episode with nothing, the right one leads on, the last one brings 1.
"""
import sys

from icpi_environment import Environment, Refusal, arguments, integer, serve_made


class Lock(Environment):
    """The lock."""

    fields = [integer("position")]
    reward_bounds = [0, 1]
    optimal_return = 1.0

    def __init__(self, code, *words):
        options = arguments(words, {"digits", "discount"})
        digits = options.get("digits", 8)
        if not isinstance(digits, int) or not 2 <= digits <= 100:
            raise Refusal(f"digits={digits}: allowed: 2 to 100")
        parts = code.split(",")
        if not all(part.isdigit() and int(part) < digits for part in parts):
            raise Refusal(f"code {code!r}: expected digits below {digits}, separated by commas")
        self.code = [int(part) for part in parts]
        self.actions = [f"digit_{i}" for i in range(digits)]
        self.discount = options.get("discount")
        self.name = " ".join([f"lock {code}", *sorted(words)])

    def reset(self, seed):
        self.position = 0
        return [0]

    def step(self, action):
        if self.actions.index(action) != self.code[self.position]:
            return [self.position], 0.0, True, False
        self.position += 1
        opened = self.position == len(self.code)
        return [self.position], float(opened), opened, False


if __name__ == "__main__":
    serve_made(Lock, sys.argv[1:])

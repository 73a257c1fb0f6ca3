# SPDX-License-Identifier: MIT
"""The deep sea (Osband et al. 2019): deepsea_server.py SIZE [mapping=fixed|random] [mapping_seed=0] [discount=0.95]

Each step goes one row down, and one column to the left or right. Right costs 0.01 / SIZE; right in the last column, which
only the diagonal reaches, gives 1 besides. The last row ends the episode. With mapping=random the two actions are left
and right in the one place and right and left in the other, drawn once from mapping_seed.
"""
import random
import sys

from icpi_environment import Environment, Refusal, arguments, integer, serve_made


class DeepSea(Environment):
    """The sea."""

    fields = [integer("row"), integer("column")]
    optimal_return = 0.99
    description = "Dive down along the diagonal; the treasure lies at its end."

    def __init__(self, size, *words):
        options = arguments(words, {"mapping", "mapping_seed", "discount"})
        if not size.isdigit() or not 1 <= int(size) <= 1000:
            raise Refusal(f"size {size!r}: allowed: 1 to 1000")
        self.size = int(size)
        mapping = options.get("mapping", "fixed")
        if mapping not in ("fixed", "random"):
            raise Refusal(f"mapping={mapping}: allowed: fixed, random")
        self.actions = ["left", "right"] if mapping == "fixed" else ["action_0", "action_1"]
        stream = random.Random(options.get("mapping_seed", 0))
        count = self.size * self.size
        self.swapped = [mapping == "random" and stream.random() < 0.5 for _ in range(count)]
        self.discount = options.get("discount")
        self.reward_bounds = [-0.01 / self.size, 1 - 0.01 / self.size]
        self.name = " ".join([f"DeepSea-{size}", *sorted(words)])

    def reset(self, seed):
        self.row = self.column = 0
        return [0, 0]

    def step(self, action):
        right = (action == self.actions[1]) != self.swapped[self.row * self.size + self.column]
        reward = (-0.01 / self.size + (self.column == self.size - 1)) if right else 0.0
        self.row += 1
        self.column = min(max(self.column + (1 if right else -1), 0), self.size - 1)
        return [self.row, self.column], reward, self.row == self.size, False


if __name__ == "__main__":
    serve_made(DeepSea, sys.argv[1:])

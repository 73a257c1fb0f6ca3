# SPDX-License-Identifier: MIT
"""A Bernoulli bandit: bandit_server.py 0.3,0.4,0.8 [order_seed=N]

One arm for each mean: a pull is an episode, which brings 1 with the arm's mean and else 0. order_seed draws the order of
the arms.
"""
import random
import sys

from icpi_environment import Environment, Refusal, arguments, integer, serve_made


class Bandit(Environment):
    """The arms."""

    fields = [integer("state")]
    reward_bounds = [0, 1]

    def __init__(self, means, *words):
        options = arguments(words, {"order_seed", "discount"})
        try:
            self.means = [float(each) for each in means.split(",")]
        except ValueError as error:
            raise Refusal(f"means {means!r}: expected numbers, separated by commas") from error
        if not all(0 <= each <= 1 for each in self.means):
            raise Refusal(f"means {means!r}: allowed: 0 to 1")
        if "order_seed" in options:
            random.Random(options["order_seed"]).shuffle(self.means)
        self.actions = [f"arm_{i}" for i in range(len(self.means))]
        self.optimal_return = max(self.means)
        self.discount = options.get("discount")
        self.name = " ".join([f"bandit {means}", *sorted(words)])

    def reset(self, seed):
        self.random = random.Random(seed)
        return [0]

    def step(self, action):
        mean = self.means[self.actions.index(action)]
        return [0], float(self.random.random() < mean), True, False


if __name__ == "__main__":
    serve_made(Bandit, sys.argv[1:])

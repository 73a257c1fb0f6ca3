# SPDX-License-Identifier: MIT
"""An environment that returns what it may not: each action but `go` is a mistake in its step, seeds from 100 on are
mistakes in reset. careless_server.py [spec=MISTAKE]
"""
import math
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "python" / "servers"))
from icpi_environment import Environment, category, decimal, integer, serve, text  # noqa: E402

NumPyBool = type("bool_", (), {"__module__": "numpy", "__bool__": lambda self: True})
GOOD = [1, 0.5, "calm", "fine"]


def seen(place, value):
    return GOOD[:place] + [value] + GOOD[place + 1:], 0, False, False


STEPS = {
    "go": lambda: (GOOD, 0, False, False),
    "numpy bool": lambda: (GOOD, 0, NumPyBool(), False),
    "nan": lambda: seen(1, math.nan),
    "infinity": lambda: seen(1, -math.inf),
    "text for decimal": lambda: seen(1, "0.5"),
    "real for integer": lambda: seen(0, 1.0),
    "too large": lambda: seen(0, 1 << 63),
    "no category": lambda: seen(2, "mauve"),
    "number for text": lambda: seen(3, 7),
    "surrogate": lambda: seen(3, "\ud800"),
    "too short": lambda: (GOOD[:3], 0, False, False),
    "no list": lambda: (5, 0, False, False),
    "nan reward": lambda: (GOOD, math.nan, False, False),
    "no reward": lambda: (GOOD, None, False, False),
    "too much": lambda: (GOOD, 2, False, False),
    "yes": lambda: (GOOD, 0, "yes", False),
    "one": lambda: (GOOD, 0, False, 1),
    "five": lambda: (GOOD, 0, False, False, {}),
    "nothing": lambda: None,
    "unknown legal": lambda: (GOOD, 0, False, False),
    "no legal": lambda: (GOOD, 0, False, False),
}
RESETS = [GOOD[:3], [1, math.inf, "calm", "fine"], (GOOD, {})]
SPECS = {
    "bounds": {"reward_bounds": [0, math.inf]},
    "fields": {"fields": ["place"]},
    "name": {"name": {1}},
    "object": {"serves_object": True},
}


class Careless(Environment):
    name = "careless"
    fields = [integer("place"), decimal("wind", 1), category("mood", ["calm", "wild"]), text("note")]
    actions = list(STEPS)
    reward_bounds = [-1, 1]
    optimal_return = 0

    def reset(self, seed):
        self.done = "go"
        return GOOD if seed < 100 else RESETS[seed - 100]

    def step(self, action):
        self.done = action
        return STEPS[action]()

    def legal_actions(self, observation=None):
        return {"unknown legal": ["go", "fly"], "no legal": []}.get(self.done, list(self.actions))


for word in sys.argv[1:]:
    for name, value in SPECS[word.partition("=")[2]].items():
        setattr(Careless, name, value)
serve(Careless() if hasattr(Careless, "serves_object") else Careless)

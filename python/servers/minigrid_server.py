# SPDX-License-Identifier: MIT
"""Environments of MiniGrid: minigrid_server.py ID [view=state|grid] [NAME=VALUE ...]

view=state (default)  where the agent is, where it looks, what it carries, and every door: the whole state where nothing
                      else moves
view=grid             what the agent sees: seven rows of seven characters, the agent below the middle of the last
The rest as gym_server.py takes it.
"""
import sys

from icpi_environment import Refusal, category, integer, serve_made, text

from gym_server import GymEnvironment

try:
    import minigrid  # noqa: F401  pylint: disable=unused-import
    from minigrid.core.constants import IDX_TO_OBJECT, IDX_TO_COLOR
except ImportError as missing:
    sys.exit(f"{missing}: install minigrid for {sys.executable}, or name another interpreter in ICPI_PYTHON")

LETTERS = {"unseen": "?", "empty": ".", "wall": "#", "floor": ",", "key": "k", "ball": "b", "box": "x", "goal": "G",
           "lava": "~", "agent": "@"}
DOORS = "/+L"  # open, closed, locked


class MiniGrid(GymEnvironment):
    """An environment of MiniGrid."""

    def __init__(self, identity, *words):
        views = [word.partition("=")[2] for word in words if word.startswith("view=")]
        self.view = views[-1] if views else "state"
        if self.view not in ("state", "grid"):
            raise Refusal(f"view={self.view}: allowed: state, grid")
        super().__init__(identity, *(word for word in words if not word.startswith("view=")))
        self.name = " ".join([identity.split(":")[-1], *sorted(words)])
        own_limit = self.env.unwrapped.max_steps
        self.step_limit = min(self.step_limit or own_limit, own_limit)

    def layout(self):
        names = [each.name for each in self.env.unwrapped.actions]
        if self.view == "grid":
            return [text(f"row_{i}") for i in range(7)], self.see, names
        self.env.reset(seed=0)  # the kinds of things, which the layouts of an environment share
        grid = self.env.unwrapped.grid.grid
        doors = sum(cell is not None and cell.type == "door" for cell in grid)
        fields = [integer("x"), integer("y"), integer("direction")]
        self.carries = any(cell is not None and cell.can_pickup() for cell in grid)
        if self.carries:
            things = [f"{colour} {kind}" for colour in IDX_TO_COLOR.values() for kind in ("key", "ball", "box")]
            fields.append(category("carrying", ["nothing", *things]))
        doors = 1 if doors == 1 else doors
        names_of_doors = ["door"] if doors == 1 else [f"door_{i}" for i in range(doors)]
        fields += [category(name, ["open", "closed", "locked"]) for name in names_of_doors]
        return fields, self.state, names

    def state(self, _):
        it = self.env.unwrapped
        values = [int(it.agent_pos[0]), int(it.agent_pos[1]), int(it.agent_dir)]
        if self.carries:
            values.append(f"{it.carrying.color} {it.carrying.type}" if it.carrying else "nothing")
        for cell in it.grid.grid:
            if cell is not None and cell.type == "door":
                values.append("open" if cell.is_open else "locked" if cell.is_locked else "closed")
        return values

    @staticmethod
    def see(observation):
        image = observation["image"]
        return ["".join(letter(image[x][y]) for x in range(7)) for y in range(7)]


def letter(cell):
    kind = IDX_TO_OBJECT[int(cell[0])]
    return DOORS[int(cell[2])] if kind == "door" else LETTERS[kind]


if __name__ == "__main__":
    serve_made(MiniGrid, sys.argv[1:])

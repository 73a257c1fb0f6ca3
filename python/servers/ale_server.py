# SPDX-License-Identifier: MIT
"""Games of the Arcade Learning Environment: ale_server.py GAME [bytes=NAME:ADDRESS,...] [NAME=VALUE ...]

GAME as Gymnasium calls it: Pong, SpaceInvaders. What is seen are single bytes of the console's memory, of which all 128
are too many for a prompt, and a picture is more:
  bytes=ball_x:49,ball_y:54  these, at addresses 0 to 127, by these names; not needed for the games of KNOWN
  bins=32                    each of them as one of so many equal bins of its 256 values; bins=[32,8] one by one
The rest as gym_server.py takes it, frameskip=4 (frames for which an action is held) and repeat_action_probability=0.25
(with which the last action is repeated in its place) among them.
"""
import sys

from icpi_environment import Refusal, integer, serve_made

from gym_server import GymEnvironment, listed

try:
    import ale_py
except ImportError as missing:
    sys.exit(f"{missing}: install ale-py for {sys.executable}, or name another interpreter in ICPI_PYTHON")

ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)  # else every reset says which game was loaded

MEMORY = 128
VALUES = 256
# What bytes mean, as annotated by Anand et al., "Unsupervised State Representation Learning in Atari" (NeurIPS 2019).
KNOWN = {
    "Boxing": {"player_x": 32, "player_y": 34, "enemy_x": 33, "enemy_y": 35},
    "Breakout": {"player_x": 72, "ball_x": 99, "ball_y": 101},
    "Freeway": {"player_y": 14},
    "Pong": {"player_y": 51, "enemy_y": 50, "ball_x": 49, "ball_y": 54},
}


def addresses(told):
    """Reads "ball_x:49,ball_y:54" into a dict."""
    table = {}
    for part in str(told).split(","):
        name, colon, address = part.partition(":")
        if not colon or not name.isidentifier() or not address.isdigit() or int(address) >= MEMORY or name in table:
            raise Refusal(f"bytes: {part!r} is no NAME:ADDRESS of 0 to {MEMORY - 1}, or its name is there twice")
        table[name] = int(address)
    return table


class Atari(GymEnvironment):
    """A game of which some bytes are seen."""

    def __init__(self, game, *words):
        self.game = game
        self.told = [word.partition("=")[2] for word in words if word.startswith("bytes=")]
        if not self.told and game not in KNOWN:
            raise Refusal(f"{game}: which bytes of its memory are to be seen? Say bytes=NAME:ADDRESS,... "
                          f"(known: those of {', '.join(KNOWN)})")
        others = [word for word in words if not word.startswith("bytes=")]
        super().__init__(f"ale_py:ALE/{game}-v5", *others, "obs_type=ram")
        self.name = " ".join([f"ALE/{game}-v5", *sorted(words)])

    def layout(self):
        table = addresses(self.told[-1]) if self.told else KNOWN[self.game]
        bins = [int(each) for each in listed(self.options.get("bins", VALUES), len(table), "bins")]
        if not 1 <= min(bins) <= max(bins) <= VALUES:
            raise Refusal(f"bins={self.options['bins']}: allowed: 1 to {VALUES}")
        places = list(zip(table.values(), bins))

        def read(memory):
            return [int(memory[address]) * count // VALUES for address, count in places]

        return [integer(name) for name in table], read, [each.lower() for each in self.env.unwrapped.get_action_meanings()]


if __name__ == "__main__":
    serve_made(Atari, sys.argv[1:])

# SPDX-License-Identifier: MIT
"""Text adventures that TextWorld makes: textworld_server.py SEED [rooms=2] [objects=4] [quest_length=2] [folder=DIR]

The game is made from the seed when the server starts; with `folder` it is kept there and found again. `discount=0.95` is
that of planning. What is seen is the game's answer to the last command, what the
place looks like, and what is carried. The actions are all commands that were admissible in some tries of the game;
legal ones are those that are admissible now. Any other changes nothing.
"""
import atexit
import json
import os
import random
import shutil
import sys
import tempfile

from icpi_environment import Environment, Refusal, arguments, serve_made, text

try:
    import textworld
except ImportError as missing:
    sys.exit(f"{missing}: install textworld for {sys.executable}, or name another interpreter in ICPI_PYTHON")

TRIES = 40
STEPS_OF_A_TRY = 25
SIZES = {"rooms": 2, "objects": 4, "quest_length": 2}
INFOS = textworld.EnvInfos(description=True, inventory=True, admissible_commands=True, won=True, lost=True, score=True,
                           objective=True)


class Adventure(Environment):
    """One game; each episode plays it from its beginning."""

    fields = [text("text"), text("place"), text("inventory")]
    games = {}  # files of games that are made, by their options

    def __init__(self, seed, *words):
        options = arguments(words, {*SIZES, "discount", "folder"})
        if not seed.isdigit():
            raise Refusal(f"seed {seed!r}: expected a whole number")
        sizes = {name: options.get(name, usual) for name, usual in SIZES.items()}
        for name, value in sizes.items():
            if not isinstance(value, int) or not 1 <= value <= 50:
                raise Refusal(f"{name}={value}: allowed: 1 to 50")
        key = (int(seed), *sizes.values())
        if key not in self.games:
            if "folder" in options:
                self.games[key] = self.found(str(options["folder"]), int(seed), sizes)
            else:
                self.games[key] = self.made(int(seed), sizes)
        file, self.actions = self.games[key]
        self.env = textworld.start(file, INFOS)
        self.discount = options.get("discount")
        named = sorted(word for word in words if not word.startswith("folder="))
        self.name = " ".join([f"textworld {seed}", *named])
        self.state = self.env.reset()
        self.description = self.state.objective
        self.score = 0

    @classmethod
    def found(cls, folder, seed, sizes):
        """The game of a folder, which is made there unless it is there."""
        home = os.path.join(folder, "-".join(map(str, (seed, *sizes.values()))))
        if not os.path.exists(home):
            os.makedirs(folder, exist_ok=True)
            file, commands = cls.made(seed, sizes)
            with open(os.path.join(os.path.dirname(file), "commands.json"), "w", encoding="utf-8") as out:
                json.dump(commands, out)
            part = f"{home}.{os.getpid()}"
            shutil.copytree(os.path.dirname(file), part)
            try:
                os.rename(part, home)
            except OSError:  # another server was faster
                shutil.rmtree(part)
        with open(os.path.join(home, "commands.json"), encoding="utf-8") as kept:
            return os.path.join(home, "game.z8"), json.load(kept)

    @staticmethod
    def made(seed, sizes):
        """Makes a game; its file, and all commands that some tries found admissible."""
        folder = tempfile.mkdtemp(prefix="icpi-textworld-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        options = textworld.GameOptions()
        options.path = f"{folder}/game.z8"
        options.seeds = seed
        options.nb_rooms, options.nb_objects = sizes["rooms"], sizes["objects"]
        options.quest_length = sizes["quest_length"]
        try:
            file, _ = textworld.make(options)
        except textworld.generator.chaining.QuestGenerationError as error:
            raise Refusal(f"no game can be made: {str(error).splitlines()[0]}") from error
        env = textworld.start(file, INFOS)
        stream, commands = random.Random(seed), set()
        for _ in range(TRIES):
            state = env.reset()
            for _ in range(STEPS_OF_A_TRY):
                commands.update(state.admissible_commands)
                state, _, done = env.step(stream.choice(sorted(state.admissible_commands)))
                if done:
                    break
        env.close()
        return file, sorted(commands)

    def reset(self, seed):
        self.state = self.env.reset()
        self.score = 0
        return self.seen("")

    def seen(self, answer):
        place = " ".join(self.state.description.split())
        return [" ".join(answer.split())[:200], place, " ".join(self.state.inventory.split())]

    def step(self, action):
        if action not in self.legal_actions():
            return self.seen("That cannot be done."), 0.0, False, False
        self.state, score, done = self.env.step(action)
        reward, self.score = score - self.score, score
        return self.seen(self.state.feedback.split("\n>")[0]), float(reward), bool(done), False

    def legal_actions(self, observation=None):
        if observation is not None:
            return []  # what is admissible cannot be had from a text
        return [each for each in self.actions if each in self.state.admissible_commands]


if __name__ == "__main__":
    serve_made(Adventure, sys.argv[1:])

# SPDX-License-Identifier: MIT
"""A dataset of Minari as a history for `icpi train --history`: minari_history.py DATASET KIND:ID [NAME=VALUE ...]

DATASET is the name of one that Minari has on this machine (`minari download`), or a file main_data.hdf5 of one, for which
h5py is enough. The rest is what `--env` and `--env-arg` will say: gym:ID, or minigrid:ID with view=grid. The lines go to
standard output.
"""
import json
import pathlib
import re
import sys

from icpi_environment import Refusal


def environment(name, words):
    """What reads the observations and names the actions: the server's environment, which is not stepped."""
    kind, _, identity = name.partition(":")
    if kind == "gym":
        from gym_server import GymEnvironment
        return GymEnvironment(identity, *words)
    if kind == "minigrid" and "view=grid" in words:
        from minigrid_server import MiniGrid
        return MiniGrid(identity, *words)
    raise Refusal(f"{name}: expected gym:ID, or minigrid:ID with view=grid; other observations do not show what is seen")


def of_minari(name):
    """The episodes of a dataset that Minari knows."""
    try:
        import minari
    except ImportError as missing:
        raise Refusal(f"{missing}: install minari for {sys.executable}, or name a file main_data.hdf5") from missing
    try:
        dataset = minari.load_dataset(name)
    except Exception as error:
        raise Refusal(f"{name}: {error}") from error
    for episode in dataset.iterate_episodes():
        yield (episode.observations, episode.actions, episode.rewards, episode.terminations, episode.truncations)


def of_file(name):
    """The episodes of a file in Minari's HDF5 layout."""
    try:
        import h5py
    except ImportError as missing:
        raise Refusal(f"{missing}: install h5py for {sys.executable}") from missing

    def read(node):
        if isinstance(node, h5py.Group):
            if all(re.fullmatch(r"_index_\d+", key) for key in node):
                return tuple(read(node[f"_index_{i}"]) for i in range(len(node)))
            return {key: read(node[key]) for key in node}
        return node.asstr()[()] if h5py.check_string_dtype(node.dtype) else node[()]

    with h5py.File(name, "r") as file:
        names = [key for key in file if re.fullmatch(r"episode_\d+", key)]
        if not names:
            raise Refusal(f"{name}: it holds no group episode_0, as files of Minari do")
        for key in sorted(names, key=lambda each: int(each.rpartition("_")[2])):
            parts = ("observations", "actions", "rewards", "terminations", "truncations")
            yield tuple(read(file[key][part]) for part in parts)


def at(values, place):
    """One of the values of an episode, whose parts are kept apart."""
    if isinstance(values, dict):
        return {key: at(part, place) for key, part in values.items()}
    if isinstance(values, tuple):
        return tuple(at(part, place) for part in values)
    return values[place]


def lines(episodes, env):
    """The transitions of all episodes, as objects of a history."""
    names = {json.dumps(value): name for name, value in env.table.items()}
    for number, (observations, actions, rewards, terminations, truncations) in enumerate(episodes):
        for step, reward in enumerate(rewards):
            action = at(actions, step)
            action = names.get(json.dumps(action.tolist() if hasattr(action, "tolist") else action))
            if action is None:
                raise Refusal(f"episode {number}, step {step}: the action {at(actions, step)} is none of the environment's")
            terminated = bool(terminations[step])
            last = step + 1 == len(rewards)
            yield {"observation": env.read(at(observations, step)), "action": action, "reward": float(reward),
                   "terminated": terminated, "truncated": not terminated and (last or bool(truncations[step])),
                   "next_observation": env.read(at(observations, step + 1))}


def main(words):
    if len(words) < 2:
        raise Refusal("expected DATASET KIND:ID [NAME=VALUE ...]")
    name, env = words[0], environment(words[1], words[2:])
    episodes = of_file(name) if pathlib.Path(name).is_file() else of_minari(name)
    for line in lines(episodes, env):
        print(json.dumps(line, allow_nan=False, separators=(",", ":")))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Refusal as refusal:
        sys.exit(f"minari_history.py: {refusal}")

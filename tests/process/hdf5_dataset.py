# SPDX-License-Identifier: MIT
"""Writes a dataset of random episodes of FrozenLake: hdf5_dataset.py FILE EPISODES [NAME]

In Minari's HDF5 layout into FILE, or, with the name of a dataset, by Minari itself where it keeps those.
"""
import sys

import gymnasium
import numpy


def play(env, seed):
    """One random episode in the parts that a dataset keeps apart."""
    draw = numpy.random.default_rng(seed)
    observation, _ = env.reset(seed=seed)
    parts = {"observations": [observation], "actions": [], "rewards": [], "terminations": [], "truncations": []}
    while True:
        action = int(draw.integers(4))
        observation, reward, terminated, truncated, _ = env.step(action)
        for name, value in zip(parts, (observation, action, reward, terminated, truncated)):
            parts[name].append(value)
        if terminated or truncated:
            return parts


def main(file, episodes, *name):
    env = gymnasium.make("FrozenLake-v1", is_slippery=False)
    if name:
        import minari
        from minari.data_collector import EpisodeBuffer
        buffers = [EpisodeBuffer(id=seed, **play(env, seed)) for seed in range(int(episodes))]
        minari.create_dataset_from_buffers(name[0], buffers, env=env, algorithm_name="random")
        return
    import h5py
    with h5py.File(file, "w") as made:
        for seed in range(int(episodes)):
            group = made.create_group(f"episode_{seed}")
            for part, values in play(env, seed).items():
                group.create_dataset(part, data=numpy.array(values))


main(*sys.argv[1:])

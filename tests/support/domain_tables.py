#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes tests/golden/domain_*.txt: every transition, start and optimal return of the six domains.

A second implementation, after the descriptions in Brooks et al. 2023, that shares nothing with the library: optimal
returns come from trying every sequence of actions. Usage: domain_tables.py DIRECTORY
"""

import itertools
import pathlib
import sys


def clip(value, last):
    return max(0, min(last, value))


def chain(state, action):
    step = {"left": -1, "try_goal": 0, "right": 1}[action]
    ends = action == "try_goal"
    return clip(state + step, 7), float(ends and state == 4), ends


WALLS = {frozenset({(1, 0), (1, 1)}), frozenset({(1, 1), (2, 1)})}


def maze(state, action):
    row, column = state
    down, right = {"left": (0, -1), "down": (1, 0), "up": (-1, 0), "right": (0, 1)}[action]
    target = (row + down, column + right)
    blocked = not (0 <= target[0] < 3 and 0 <= target[1] < 3) or frozenset({state, target}) in WALLS
    goal = state == (1, 0)
    return state if blocked else target, float(goal), goal


def mini_catch(state, action):
    paddle, x, y = state
    if y == 0:
        return state, float(paddle == x), True
    return (clip(paddle + {"left": -1, "stay": 0, "right": 1}[action], 3), x, y - 1), 0.0, False


def mini_invaders(state, action):
    ship, aliens = state
    hit = [action == "shoot" and alien is not None and alien[0] == ship for alien in aliens]
    left = [None if gone else alien for alien, gone in zip(aliens, hit)]
    landed = any(alien is not None and alien[1] == 0 for alien in left)
    lower = tuple(alien and (alien[0], alien[1] - 1) for alien in left)
    ship = clip(ship + {"left": -1, "shoot": 0, "right": 1}[action], 3)
    return (ship, lower), float(sum(hit)), landed or all(alien is None for alien in left)


def point_mass(state, action):
    position, velocity = state
    done = abs(position) <= 2 and velocity == 0
    return (position + velocity, velocity + (1 if action == "accel" else -1)), float(done), done


def best_return(step, state, actions, discount, limit):
    best = float("-inf")
    for plan in itertools.product(actions, repeat=limit):
        now, total, weight = state, 0.0, 1.0
        for action in plan:
            now, reward, ends = step(now, action)
            total += weight * reward
            weight *= discount
            if ends:
                break
        best = max(best, total)
    return best


def invaders_states(starts, actions):
    seen, waiting = set(starts), list(starts)
    while waiting:
        state = waiting.pop()
        for action in actions:
            following, _, ends = mini_invaders(state, action)
            if not ends and following not in seen:
                seen.add(following)
                waiting.append(following)
    return sorted(seen, key=text)


def text(state):
    if isinstance(state, tuple):
        if state and isinstance(state[-1], tuple):  # mini-invaders
            return ";".join([str(state[0])] + ["-" if a is None else f"{a[0]},{a[1]}" for a in state[1]])
        return ",".join(f"{value:.10g}" if isinstance(value, float) else str(value) for value in state)
    return str(state)


def table(name, step, actions, discount, limit, starts, states, probability):
    lines = [
        f"# {name}. Written by tests/support/domain_tables.py.",
        "# start: state, probability, optimal return. step: state, then per action: next state, reward, ends.",
    ]
    for state in starts:
        value = best_return(step, state, actions, discount, limit)
        lines.append(f"start {text(state)} {probability} {value!r}")
    for state in states:
        parts = [f"step {text(state)}"]
        for action in actions:
            following, reward, ends = step(state, action)
            parts.append(f"{action} {text(following)} {reward:g} {'yes' if ends else 'no'}")
        lines.append("  ".join(parts))
    return "\n".join(lines) + "\n"


def distractor_table():
    """The chain's; the distractor of the next state, written `*`, is uniform in 0..7 whatever came before."""
    actions = ["left", "try_goal", "right"]
    lines = table("distractor-chain", chain, actions, 0.8, 8, [], [], "").splitlines()
    for state, distractor in itertools.product(range(8), range(8)):
        lines.append(f"start {state},{distractor} {1 / 64} {best_return(chain, state, actions, 0.8, 8)!r}")
    for state, distractor in itertools.product(range(8), range(8)):
        parts = [f"step {state},{distractor}"]
        for action in actions:
            following, reward, ends = chain(state, action)
            parts.append(f"{action} {following},* {reward:g} {'yes' if ends else 'no'}")
        lines.append("  ".join(parts))
    return "\n".join(lines) + "\n"


def tables():
    moves = ["left", "try_goal", "right"]
    yield "chain", table("chain", chain, moves, 0.8, 8, range(8), range(8), 1 / 8)
    yield "distractor-chain", distractor_table()

    cells = list(itertools.product(range(3), range(3)))
    yield "maze", table("maze", maze, ["left", "down", "up", "right"], 0.8, 8, cells, cells, 1 / 9)

    states = list(itertools.product(range(4), range(4), range(5)))
    starts = [(2, x, 4) for x in range(4)]
    yield "mini-catch", table("mini-catch", mini_catch, ["left", "stay", "right"], 1, 5, starts, states, 1 / 4)

    actions = ["left", "shoot", "right"]
    starts = [(ship, ((a, 5), (b, 5))) for ship, a, b in itertools.permutations(range(4), 3)]
    states = invaders_states(starts, actions)
    yield "mini-invaders", table("mini-invaders", mini_invaders, actions, 1, 6, starts, states, 1 / 24)

    quarters = [2.25 + i / 4 for i in range(15)]  # quarters are exact, so sums are
    starts = [(sign * q, 0.0) for sign in (-1, 1) for q in [2.0078125] + quarters + [5.9921875]]
    states = [(i / 4, float(v)) for i in range(-28, 29) for v in range(-3, 4)]
    yield "point-mass", table("point-mass", point_mass, ["decel", "accel"], 0.8, 8, starts, states, "-")


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    for domain, content in tables():
        (folder / f"domain_{domain}.txt").write_text(content)

# SPDX-License-Identifier: MIT
"""Any environment of Gymnasium: gym_server.py ID [NAME=VALUE ...]

ID as gymnasium.make takes it, `module:ID` included. What follows goes to gymnasium.make, but for:
  bins=6 or [6,6,8,8]        a Box of numbers becomes so many equal bins each, over its bounds or `limits`
  limits=[2.4,3,0.21,3]      bounds of the bins: within -limit .. limit
  decimals=2                 a Box of numbers becomes decimals with so many digits
  actions=left,right         only these actions
  action_names=a,b           names of all actions
  reset_seed=0               begins every episode with this seed: one fixed layout
  discount=0.95              of planning
"""
import itertools
import math
import re
import sys

from icpi_environment import Environment, Refusal, arguments, decimal, integer, serve_made, text

try:
    import gymnasium
    from gymnasium import spaces
    from gymnasium.wrappers import OrderEnforcing, TimeLimit
except ImportError as missing:
    sys.exit(f"{missing}: install gymnasium for {sys.executable}, or name another interpreter in ICPI_PYTHON")

OWN = ("bins", "limits", "decimals", "actions", "action_names", "reset_seed", "discount")
MOST_ACTIONS = 256
MOST_NUMBERS = 64
GRID_MOVES = ["left", "down", "right", "up"]
WATCHERS = (TimeLimit, OrderEnforcing)  # wrappers that count steps and watch the order of calls, as icpi does itself
# Names of the numbers in observations, and of the actions.
NAMES = {
    "CartPole": (["position", "velocity", "angle", "angular_velocity"], ["left", "right"]),
    "MountainCar": (["position", "velocity"], ["left", "wait", "right"]),
    "Acrobot": (["cos_1", "sin_1", "cos_2", "sin_2", "velocity_1", "velocity_2"], ["back", "wait", "forth"]),
}


def grid_layout(rows, columns):
    cells = [divmod(number, columns) for number in range(rows * columns)]
    return [integer("row"), integer("column")], cells.__getitem__


def family(env):
    """The identity without namespace and version."""
    return env.spec.id.split("/")[-1].split("-")[0] if env.spec else ""


def known_layout(env):
    """Fields and reader of observations whose numbers mean several things, and names of actions; None: not known."""
    it = env.unwrapped
    name = family(env)
    if name in ("FrozenLake", "FrozenLake8x8"):
        return *grid_layout(it.nrow, it.ncol), GRID_MOVES
    if name in ("CliffWalking", "CliffWalkingSlippery"):
        return *grid_layout(*it.shape), ["up", "right", "down", "left"]
    if name == "Taxi":
        fields = [integer(each) for each in ("row", "column", "passenger", "destination")]
        names = ["south", "north", "east", "west", "pickup", "dropoff"]
        return fields, lambda number: [int(part) for part in it.decode(int(number))], names
    if name == "Blackjack":
        fields = [integer(each) for each in ("player", "dealer", "usable_ace")]
        return fields, lambda parts: [int(part) for part in parts], ["stick", "hit"]
    return None


def identifier(name):
    return re.sub(r"[^A-Za-z0-9_]", "_", str(name)) if re.match(r"[A-Za-z_]", str(name)) else f"n_{name}"


class Layout:
    """Makes fields of a space, and values of its observations."""

    def __init__(self, options):
        self.options = options

    def read(self, space, name):
        """Fields, and a function from an observation to their values."""
        if isinstance(space, spaces.Discrete):
            return [integer(name)], lambda value: [int(value)]
        if isinstance(space, (spaces.MultiDiscrete, spaces.MultiBinary)):
            count = math.prod(space.shape)
            return self.numbered(name, count, integer), lambda value: [int(each) for each in value.reshape(-1)]
        if isinstance(space, spaces.Text):
            return [text(name)], lambda value: [str(value)]
        if isinstance(space, spaces.Dict):
            return self.joined([(key, self.read(part, self.below(name, key))) for key, part in space.spaces.items()])
        if isinstance(space, spaces.Tuple):
            parts = [(i, self.read(part, self.below(name, i))) for i, part in enumerate(space.spaces)]
            return self.joined(parts)
        if isinstance(space, spaces.Box):
            return self.box(space, name)
        raise Refusal(f"observations of a space {type(space).__name__} have no fields")

    @staticmethod
    def below(name, key):
        return identifier(key) if name == "state" and isinstance(key, str) else f"{name}_{identifier(key)}".replace("n_", "")

    @staticmethod
    def joined(parts):
        fields = [field for _, (part, _) in parts for field in part]
        return fields, lambda value: [each for key, (_, read) in parts for each in read(value[key])]

    @staticmethod
    def numbered(name, count, make):
        if count > MOST_NUMBERS:
            raise Refusal(f"an observation has {count} numbers: more than the {MOST_NUMBERS} that fit a prompt")
        return [make(name)] if count == 1 else [make(f"{name}_{i}") for i in range(count)]

    def box(self, space, name):
        count = math.prod(space.shape)
        if space.dtype.kind in "iub":
            return self.numbered(name, count, integer), lambda value: [int(each) for each in value.reshape(-1)]
        if "bins" in self.options:
            return self.binned(space, name, count)
        if "decimals" in self.options:
            digits = self.options["decimals"]
            fields = self.numbered(name, count, lambda each: decimal(each, digits))
            return fields, lambda value: [float(each) for each in value.reshape(-1)]
        raise Refusal("observations are real numbers: say bins=N, or decimals=N")

    def binned(self, space, name, count):
        bins = listed(self.options["bins"], count, "bins")
        low, high = space.low.reshape(-1).tolist(), space.high.reshape(-1).tolist()
        if "limits" in self.options:
            high = listed(self.options["limits"], count, "limits")
            low = [-each for each in high]
        if not all(math.isfinite(each) and abs(each) < 1e30 for each in low + high):
            raise Refusal("observations have no bounds: say limits=[...]")
        ranges = list(zip(low, high, bins))

        def read(value):
            places = [math.floor((x - a) / (b - a) * n) for x, (a, b, n) in zip(value.reshape(-1).tolist(), ranges)]
            return [min(max(place, 0), n - 1) for place, (_, _, n) in zip(places, ranges)]

        return self.numbered(name, count, integer), read


def listed(value, count, name):
    values = value if isinstance(value, list) else [value] * count
    if len(values) != count or not all(isinstance(each, (int, float)) and each > 0 for each in values):
        raise Refusal(f"{name}={value}: expected one number above 0, or {count} of them")
    return values


def action_table(space):
    """Names and values of all actions."""
    if isinstance(space, spaces.Discrete):
        return {f"action_{i}": int(space.start) + i for i in range(int(space.n))}
    if isinstance(space, (spaces.MultiDiscrete, spaces.MultiBinary)):
        counts = [int(n) for n in space.nvec] if isinstance(space, spaces.MultiDiscrete) else [2] * space.n
        if math.prod(counts) > MOST_ACTIONS:
            raise Refusal(f"there are {math.prod(counts)} actions, more than {MOST_ACTIONS}")
        whole = itertools.product(*(range(n) for n in counts))
        return {"act_" + "_".join(map(str, each)): list(each) for each in whole}
    raise Refusal(f"actions of a space {type(space).__name__} are not finitely many")


def words_of(value):
    return [str(each) for each in value] if isinstance(value, list) else str(value).split(",")


class GymEnvironment(Environment):
    """An environment of Gymnasium."""

    def __init__(self, identity, *words):
        self.options = arguments(words, None)
        made = {name: value for name, value in self.options.items() if name not in OWN}
        if identity.split(":")[-1].startswith("Blackjack"):
            made.setdefault("sab", False)
        try:
            self.env = gymnasium.make(identity, disable_env_checker=True, **made)
        except Exception as error:
            raise Refusal(f"gymnasium.make: {error}") from error
        self.name = " ".join([identity.split(":")[-1], *sorted(words)])
        self.step_limit = self.env.spec.max_episode_steps if self.env.spec else None
        while type(self.env) in WATCHERS:
            self.env = self.env.env
        self.discount = self.options.get("discount")
        self.fields, self.read, names = self.layout()
        self.table = self.named_actions(names)
        self.actions = list(self.table)

    def layout(self):
        """Fields, reader of observations, names of actions or None."""
        known = known_layout(self.env)
        if known:
            return known
        fields, read = Layout(self.options).read(self.env.observation_space, "state")
        names, actions = NAMES.get(family(self.env), (None, None))
        if names and len(names) == len(fields):
            fields = [{**field, "name": name} for field, name in zip(fields, names)]
        return fields, read, actions

    def named_actions(self, names):
        table = action_table(self.env.action_space)
        names = words_of(self.options["action_names"]) if "action_names" in self.options else names or list(table)
        if len(names) != len(table) or len(set(names)) != len(names):
            raise Refusal(f"action_names: {len(names)} are given for {len(table)} actions, or one twice")
        table = dict(zip(names, table.values()))
        chosen = words_of(self.options["actions"]) if "actions" in self.options else names
        for name in chosen:
            if name not in table:
                raise Refusal(f"actions: {name!r} is none of {', '.join(table)}")
        return {name: table[name] for name in chosen}

    def reset(self, seed):
        observation, _ = self.env.reset(seed=self.options.get("reset_seed", seed))
        return self.read(observation)

    def step(self, action):
        observation, reward, terminated, truncated, _ = self.env.step(self.table[action])
        return self.read(observation), float(reward), terminated, truncated


if __name__ == "__main__":
    serve_made(GymEnvironment, sys.argv[1:])

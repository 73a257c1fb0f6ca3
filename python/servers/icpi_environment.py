# SPDX-License-Identifier: MIT
"""Serves environments to icpi: the server's side of docs/process.md, with nothing but Python's own library.

An environment is a class with `name`, `fields` and `actions`, and the methods `reset` and `step`; see Environment. Then
`serve(MyEnvironment)` is the whole program.
"""
import inspect
import json
import numbers
import os
import sys
import traceback
from math import isfinite

PROTOCOL = 1
LEAST, MOST = -(1 << 63), (1 << 63) - 1


def integer(name, group=None):
    """A field whose value is a whole number. Hints compare fields of one group."""
    return _field(name, "integer", group)


def decimal(name, decimals, group=None):
    """A field whose value is a finite number, written with so many digits after the point."""
    return {**_field(name, "decimal", group), "decimals": decimals}


def category(name, categories, group=None):
    """A field whose value is one of these texts."""
    return {**_field(name, "category", group), "categories": list(categories)}


def text(name, group=None):
    """A field whose value is any text."""
    return _field(name, "text", group)


def _field(name, kind, group):
    return {"name": name, "kind": kind, **({"group": group} if group else {})}


class Environment:
    """What to inherit. Two methods may be added:

    legal_actions(self, observation=None)  the names of the actions that are legal now, or where this is observed: none
                                           where that is not known
    set_state(self, observation, seed)     go on from the state in which this is observed
    """

    name = ""
    fields = ()
    actions = ()
    discount = None  # of planning, in (0, 1]; None: icpi's default
    reward_bounds = None  # lowest and highest reward of a step, where known
    optimal_return = None  # expected, undiscounted, where known
    step_limit = None  # after so many steps an episode is truncated; None: never
    description = ""

    def reset(self, seed):
        """Begins an episode; everything random in it comes from the seed. Returns the values of the fields."""
        raise NotImplementedError

    def step(self, action):
        """Carries out the action of this name. Returns observation, reward, terminated, truncated."""
        raise NotImplementedError


class Refusal(Exception):
    """A mistake of the user's: its text is told, without a traceback."""


class Mistake(Exception):
    """An environment returned what it may not: its text is told, without a traceback."""


def _shown(value):
    told = repr(value)
    return f"{told if len(told) <= 60 else told[:60] + '...'} ({type(value).__name__})"


def _number(name, value):
    """As a float."""
    if type(value) is float and isfinite(value):
        return value
    if isinstance(value, numbers.Real) and isfinite(value):
        return float(value)
    raise Mistake(f"{name} is {_shown(value)}: expected a finite number")


def _switch(name, value):
    """As a bool. NumPy's is one; it is known by its name, since NumPy need not be there."""
    if value is True or value is False:
        return value
    if type(value).__module__ == "numpy" and type(value).__name__ in ("bool", "bool_"):
        return bool(value)
    raise Mistake(f"{name} is {_shown(value)}: expected True or False")


def _reader(field):
    """A function that returns a field's value as JSON has it, and raises Mistake for what is none."""
    if not isinstance(field, dict):
        raise Refusal(f"fields: {_shown(field)} is no field; see integer, decimal, category and text")
    name, kind = f"field {field['name']!r}", field["kind"]
    categories = field.get("categories", ())

    def whole(value):
        if type(value) is int and LEAST <= value <= MOST:
            return value
        if isinstance(value, numbers.Integral) and LEAST <= value <= MOST:
            return int(value)
        raise Mistake(f"{name} is {_shown(value)}: expected a whole number of 64 bits")

    def written(value):
        if not isinstance(value, str):
            raise Mistake(f"{name} is {_shown(value)}: expected a text")
        if not value.isascii() and value != _printable(value):
            raise Mistake(f"{name} is {_shown(value)}: expected a text that UTF-8 can write")
        return value

    def chosen(value):
        if not isinstance(value, str) or value not in categories:
            raise Mistake(f"{name} is {_shown(value)}: expected one of {', '.join(categories)}")
        return value

    readers = {"integer": whole, "decimal": lambda value: _number(name, value), "category": chosen, "text": written}
    return readers.get(kind, lambda value: value)


def _printable(told):
    """A text without what UTF-8 cannot write."""
    return told.encode("utf-8", "replace").decode("utf-8")


def _plain(value):
    """What of NumPy may stand in a spec, as JSON has it."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{_shown(value)} cannot be written as JSON")


# What answers say of each environment.
_OF_A_RESET = ("observations", "legal_actions")
_OF_A_STEP = ("observations", "legal_actions", "rewards", "terminated", "truncated")
_FAILED = (None, [], 0, False, False)


class _Server:
    def __init__(self, make):
        self.make = make
        self.prototype = None
        self.environments = {}
        self.steps = {}
        self.readers = []
        self.actions = frozenset()
        self.bounds = None
        self.says_legal = False

    def answer(self, request):
        kind = request.get("request")
        if kind not in ("spec", "reset", "step", "legal_actions", "set_state"):
            return {"error": f"no request is called {kind!r}"}
        return getattr(self, kind)(request)

    def spec(self, request):
        if request["protocol"] != PROTOCOL:
            return {"error": f"protocol {request['protocol']} is asked for; this server speaks {PROTOCOL}"}
        if not callable(self.make):
            raise Refusal(f"serve() takes a class, or a function that makes environments; {_shown(self.make)} is neither")
        it = self.prototype = self.environments[0] = self.make()
        self.readers = [_reader(field) for field in it.fields]
        self.actions = frozenset(it.actions)
        self.says_legal = hasattr(it, "legal_actions")
        spec = {"protocol": PROTOCOL, "name": it.name, "fields": list(it.fields), "actions": list(it.actions)}
        for name in ("discount", "optimal_return", "step_limit"):
            if getattr(it, name) is not None:
                _number(name, getattr(it, name))
                spec[name] = getattr(it, name)
        if it.reward_bounds is not None:
            spec["reward_bounds"] = self.bounds = [_number("reward_bounds", each) for each in it.reward_bounds]
        if it.description:
            spec["description"] = it.description
        spec["legal_actions"] = self.says_legal
        spec["set_state"] = hasattr(it, "set_state")
        return spec

    def environment(self, number):
        if number not in self.environments:
            self.environments[number] = self.make()
        return self.environments[number]

    def observed(self, observation):
        """The values of the fields."""
        plain = type(observation) in (list, tuple)
        if not plain and (isinstance(observation, (str, bytes, dict)) or not hasattr(observation, "__len__")):
            raise Mistake(f"the observation is {_shown(observation)}: expected a list, one value for each field")
        if len(observation) != len(self.readers):
            raise Mistake(f"the observation has {len(observation)} values for {len(self.readers)} fields")
        return [read(value) for read, value in zip(self.readers, observation)]

    def legal(self, names, may_be_none):
        """The names of actions that are legal."""
        names = list(names)
        for name in names:
            if name not in self.actions:
                raise Mistake(f"legal_actions: {_shown(name)} is none of the actions")
        if len(set(names)) < len(names):
            raise Mistake(f"legal_actions: one is there twice in {', '.join(names)}")
        if not names and not may_be_none:
            raise Mistake("legal_actions: there is none, and the episode goes on")
        return names

    def each(self, request, values, call, columns):
        """Calls call(number, environment, value) for each environment, which returns what the columns hold of it. What one
        of them does wrong is its error alone."""
        rows, errors = [], []
        for number, value in zip(request["environments"], values):
            row, failed = _FAILED, None
            try:
                row = call(number, self.environment(number), value)
            except Mistake as mistake:
                failed = _printable(f"{request['request']} of environment {number}: {mistake}")
            except Exception as error:  # pylint: disable=broad-except
                traceback.print_exc()
                failed = _printable(f"{type(error).__name__}: {error}")
            rows.append(row)
            errors.append(failed)
        answer = dict(zip(columns, zip(*rows)))
        if not self.says_legal:
            del answer["legal_actions"]
        if any(errors):
            answer["errors"] = errors
        return answer

    def reset(self, request):
        def call(number, it, seed):
            self.steps[number] = 0
            observation = self.observed(it.reset(seed))
            return observation, self.legal(it.legal_actions(), False) if self.says_legal else None

        return self.each(request, request["seeds"], call, _OF_A_RESET)

    def step(self, request):
        bounds = self.bounds

        def call(number, it, action):
            returned = it.step(action)
            if not isinstance(returned, (tuple, list)) or len(returned) != 4:
                raise Mistake(f"it returned {_shown(returned)}: expected observation, reward, terminated, truncated")
            observation, reward, terminated, truncated = returned
            self.steps[number] = steps = self.steps[number] + 1
            observation, reward = self.observed(observation), _number("reward", reward)
            if bounds and not bounds[0] <= reward <= bounds[1]:
                raise Mistake(f"reward is {reward}: reward_bounds are {bounds}")
            terminated = _switch("terminated", terminated)
            truncated = _switch("truncated", truncated) or steps == it.step_limit
            legal = self.legal(it.legal_actions(), terminated) if self.says_legal else None
            return observation, legal, reward, terminated, truncated

        return self.each(request, request["actions"], call, _OF_A_STEP)

    def legal_actions(self, request):
        return {"legal_actions": self.legal(self.prototype.legal_actions(request["observation"]), True)}

    def set_state(self, request):
        it = self.environment(request["environment"])
        it.set_state(request["observation"], request["seed"])
        self.steps[request["environment"]] = 0
        return {"legal_actions": self.legal(it.legal_actions(), True)} if self.says_legal else {}

    def respond(self, request):
        """The line of the answer."""
        try:
            answer = self.answer(request)
            answer["id"] = request.get("id")
            return _ENCODE(answer)
        except (Refusal, Mistake) as refusal:
            told = str(refusal)
        except Exception as error:  # pylint: disable=broad-except
            traceback.print_exc()
            told = f"{type(error).__name__}: {error}"
        return _ENCODE({"error": _printable(told), "id": request.get("id")})


_ENCODE = json.JSONEncoder(allow_nan=False, separators=(",", ":"), default=_plain).encode


def serve(make):
    """Serves environments that make() makes until icpi has enough. `make`: a class, or a function without parameters.

    What the environment prints goes to standard error, which icpi shows when something went wrong.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    server = _Server(make)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if request.get("request") == "close":
            break
        answers.write(server.respond(request) + "\n")
        answers.flush()


def arguments(words, known):
    """Reads ["size=8", "is_slippery=false"] into a dict; values are JSON, or texts where they are none.

    `known`: names of what may be given, None: anything. Raises Refusal.
    """
    values = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.isidentifier():
            raise Refusal(f"{word!r} is no NAME=VALUE")
        if known is not None and name not in known:
            raise Refusal(f"{name!r} is not known; allowed: {', '.join(sorted(known))}")
        try:
            values[name] = json.loads(value)
        except ValueError:
            values[name] = {"True": True, "False": False, "None": None}.get(value, value)
    return values


def serve_made(make, words):
    """serve() for a program whose make(*words) reads its command line: what it refuses is told to icpi."""
    parameters = inspect.signature(make).parameters.values()
    needed = [each for each in parameters if each.default is each.empty and each.kind is not each.VAR_POSITIONAL]

    def made():
        if len(words) < len(needed):
            raise Refusal(f"{needed[len(words)].name} is missing")
        return make(*words)

    serve(made)

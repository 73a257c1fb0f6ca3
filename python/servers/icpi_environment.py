# SPDX-License-Identifier: MIT
"""Serves environments to icpi: the server's side of docs/process.md, with nothing but Python's own library.

An environment is a class with `name`, `fields` and `actions`, and the methods `reset` and `step`; see Environment. Then
`serve(MyEnvironment)` is the whole program.
"""
import inspect
import json
import os
import sys
import traceback

PROTOCOL = 1


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


class _Server:
    def __init__(self, make):
        self.make = make
        self.prototype = None
        self.environments = {}
        self.steps = {}

    def answer(self, request):
        kind = request.get("request")
        if kind not in ("spec", "reset", "step", "legal_actions", "set_state"):
            return {"error": f"no request is called {kind!r}"}
        return getattr(self, kind)(request)

    def spec(self, request):
        if request["protocol"] != PROTOCOL:
            return {"error": f"protocol {request['protocol']} is asked for; this server speaks {PROTOCOL}"}
        it = self.prototype = self.environments[0] = self.make()
        spec = {"protocol": PROTOCOL, "name": it.name, "fields": list(it.fields), "actions": list(it.actions)}
        for name in ("discount", "reward_bounds", "optimal_return", "step_limit", "description"):
            if getattr(it, name):
                spec[name] = getattr(it, name)
        spec["legal_actions"] = hasattr(it, "legal_actions")
        spec["set_state"] = hasattr(it, "set_state")
        return spec

    def environment(self, number):
        if number not in self.environments:
            self.environments[number] = self.make()
        return self.environments[number]

    def each(self, numbers, values, call):
        """Calls `call` for each environment. What one of them raises is its error alone."""
        says_legal = hasattr(self.prototype, "legal_actions")
        observations, legal, errors = [], [], []
        for number, value in zip(numbers, values):
            observed, allowed, failed = None, [], None
            try:
                it = self.environment(number)
                observed = call(number, it, value)
                allowed = list(it.legal_actions()) if says_legal else []
            except Exception as error:  # pylint: disable=broad-except
                traceback.print_exc()
                failed = f"{type(error).__name__}: {error}"
            observations.append(observed)
            legal.append(allowed)
            errors.append(failed)
        answer = {"observations": observations}
        if says_legal:
            answer["legal_actions"] = legal
        if any(errors):
            answer["errors"] = errors
        return answer

    def reset(self, request):
        def call(number, it, seed):
            self.steps[number] = 0
            return it.reset(seed)

        return self.each(request["environments"], request["seeds"], call)

    def step(self, request):
        rewards, terminations, truncations = {}, {}, {}

        def call(number, it, action):
            observation, reward, terminated, truncated = it.step(action)
            self.steps[number] += 1
            rewards[number], terminations[number] = reward, bool(terminated)
            truncations[number] = bool(truncated) or self.steps[number] == it.step_limit
            return observation

        answer = self.each(request["environments"], request["actions"], call)
        for name, values, none in (("rewards", rewards, 0), ("terminated", terminations, False),
                                   ("truncated", truncations, False)):
            answer[name] = [values.get(number, none) for number in request["environments"]]
        return answer

    def legal_actions(self, request):
        return {"legal_actions": list(self.prototype.legal_actions(request["observation"]))}

    def set_state(self, request):
        it = self.environment(request["environment"])
        it.set_state(request["observation"], request["seed"])
        self.steps[request["environment"]] = 0
        return {"legal_actions": list(it.legal_actions())} if hasattr(it, "legal_actions") else {}


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
        try:
            answer = server.answer(request)
        except Refusal as refusal:
            answer = {"error": str(refusal)}
        except Exception as error:  # pylint: disable=broad-except
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        answer["id"] = request.get("id")
        answers.write(json.dumps(answer, allow_nan=False, separators=(",", ":")) + "\n")
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

# SPDX-License-Identifier: MIT
"""Stands between icpi and a server and holds every line against docs/process.schema.json.

schema_proxy.py FILE COMMAND...   what was said: `request KIND` or `answer to KIND` for each line, and what the schema does
                                  not allow, goes to FILE
schema_proxy.py check             whether the schema refuses what the protocol forbids; prints what it lets pass
"""
import json
import pathlib
import subprocess
import sys

import jsonschema

SCHEMA = json.loads((pathlib.Path(__file__).resolve().parents[2] / "docs/process.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
SPEC = {"id": 1, "protocol": 1, "name": "n", "fields": [{"name": "x", "kind": "integer"}], "actions": ["a"]}
STEP = {"id": 2, "observations": [[1]], "rewards": [0.5], "terminated": [False], "truncated": [False]}
FORBIDDEN = [
    {**SPEC, "protocol": 2}, {**SPEC, "fields": []}, {**SPEC, "actions": []}, {**SPEC, "actions": ["a", "a"]},
    {**SPEC, "discount": 0}, {**SPEC, "reward_bounds": [0]}, {**SPEC, "step_limit": -1}, {**SPEC, "legal_actions": "yes"},
    {**SPEC, "fields": [{"name": "1x", "kind": "integer"}]}, {**SPEC, "fields": [{"name": "x", "kind": "float"}]},
    {**SPEC, "fields": [{"name": "x", "kind": "decimal"}]}, {**SPEC, "fields": [{"name": "x", "kind": "category"}]},
    {**STEP, "rewards": ["much"]}, {**STEP, "terminated": [0]}, {**STEP, "observations": [[None]]},
    {**STEP, "observations": 5}, {key: value for key, value in STEP.items() if key != "truncated"},
    {key: value for key, value in STEP.items() if key != "id"}, {"id": 3, "error": 5}, {"id": 3, "legal_actions": [1]},
    {"request": "reset", "id": 1, "environments": [0], "seeds": [-1]}, {"request": "reset", "id": 1, "seeds": [1]},
    {"request": "step", "id": 1, "environments": [0], "actions": [3]}, {"request": "dance", "id": 1},
]


def note(file, what, line):
    errors = [error.message for error in VALIDATOR.iter_errors(json.loads(line))]
    file.write(what + "\n" + "".join(f"NOT ALLOWED: {error}: {line.decode()}\n" for error in errors))
    file.flush()


def serve(name, command):
    with open(name, "a", encoding="utf-8") as file, subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        for line in sys.stdin.buffer:
            kind = json.loads(line)["request"]
            note(file, f"request {kind}", line)
            server.stdin.write(line)
            server.stdin.flush()
            if kind == "close":
                break
            answer = server.stdout.readline()
            note(file, f"answer to {kind}", answer)
            sys.stdout.buffer.write(answer)
            sys.stdout.buffer.flush()
        server.stdin.close()


if sys.argv[1] == "check":
    for good in (SPEC, STEP, {"id": 3, "error": "no"}, {"id": 4}):
        if not VALIDATOR.is_valid(good):
            print("refused:", good)
    for bad in FORBIDDEN:
        if VALIDATOR.is_valid(bad):
            print("let pass:", bad)
else:
    serve(sys.argv[1], sys.argv[2:])

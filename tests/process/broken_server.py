# SPDX-License-Identifier: MIT
"""A server of one environment that does one thing wrong: broken_server.py STAGE FAULT

STAGE: spec, reset or step: the request whose answer is wrong. FAULT: how, see FAULTS; `list` prints all pairs.
"""
import json
import os
import signal
import sys

STAGES = ("spec", "reset", "step")


def die(code):
    print("Traceback: the frobnicator is gone", file=sys.stderr, flush=True)
    os._exit(code)


def write(line):
    sys.stdout.buffer.write(line)
    sys.stdout.flush()


def text_of(answer):
    return json.dumps(answer).encode() + b"\n"


def changed(name, value):
    """Puts a value into the answer; for all stages, or those that have such a member."""
    return lambda answer: write(text_of({**answer, name: value}))


def without(name):
    return lambda answer: write(text_of({key: each for key, each in answer.items() if key != name}))


def close_output(_):
    os.close(1)
    signal.pause()


def flood(_):
    while True:
        write(b"x" * 65536)


ANY = {
    "exit": lambda _: die(3),
    "killed": lambda _: os.kill(os.getpid(), signal.SIGKILL),
    "garbage": lambda _: write(b"Welcome to my environment!\n"),
    "empty": lambda _: write(b"\n"),
    "array": lambda _: write(b"[1, 2]\n"),
    "not_utf8": lambda _: write(b'{"id": "\xff\xfe"}\n'),
    "flood": flood,
    "without_id": without("id"),
    "other_id": lambda answer: write(text_of({**answer, "id": answer["id"] + 7})),
    "twice": lambda answer: (write(b"{}\n"), write(text_of(answer))),
}
SILENCE = {
    "silence": lambda _: signal.pause(),
    "half": lambda answer: (write(text_of(answer)[:10]), signal.pause()),
}
SPEC = {
    "protocol": changed("protocol", 99),
    "no_name": without("name"),
    "no_fields": changed("fields", []),
    "two_names": changed("fields", [{"name": "x", "kind": "integer"}] * 2),
    "bad_kind": changed("fields", [{"name": "x", "kind": "colour"}]),
    "bad_field": changed("fields", [{"name": "two words", "kind": "integer"}]),
    "no_actions": changed("actions", []),
    "equal_actions": changed("actions", ["go", "go"]),
    "bad_discount": changed("discount", 1.5),
    "bad_bounds": changed("reward_bounds", [1, 0]),
    "bad_limit": changed("step_limit", -3),
}
OBSERVATIONS = {
    "no_observations": without("observations"),
    "too_few": changed("observations", []),
    "too_short": changed("observations", [[1]]),
    "real_number": changed("observations", [[1.5, 0.5, "red"]]),
    "text_for_number": changed("observations", [["1", 0.5, "red"]]),
    "no_category": changed("observations", [[1, 0.5, "mauve"]]),
    "nan": lambda answer: write(text_of({**answer, "observations": [[1, float("nan"), "red"]]})),
    "infinity": lambda answer: write(text_of({**answer, "observations": [[1, float("inf"), "red"]]})),
}
STEP = {
    "closed": close_output,
    "no_reward": without("rewards"),
    "nan_reward": lambda answer: write(text_of({**answer, "rewards": [float("nan")]})),
    "text_reward": changed("rewards", ["much"]),
    "too_much": changed("rewards", [1000]),
    "no_switch": changed("terminated", [1]),
    "no_truncated": without("truncated"),
}
FAULTS = {"spec": {**ANY, **SILENCE, **SPEC}, "reset": {**ANY, **SILENCE, **OBSERVATIONS}, "step": {**ANY, **OBSERVATIONS, **STEP}}


def sound(request):
    kind = request["request"]
    if kind == "spec":
        fields = [{"name": "place", "kind": "integer"}, {"name": "speed", "kind": "decimal", "decimals": 1},
                  {"name": "colour", "kind": "category", "categories": ["red", "blue"]}]
        return {"protocol": 1, "name": "broken", "fields": fields, "actions": ["go", "stay"], "reward_bounds": [0, 1]}
    answer = {"observations": [[1, 0.5, "red"]]}
    return answer if kind == "reset" else {**answer, "rewards": [1], "terminated": [False], "truncated": [False]}


def main():
    if sys.argv[1] == "list":
        print("\n".join(f"{stage} {fault}" for stage in STAGES for fault in FAULTS[stage]))
        return
    stage, fault = sys.argv[1:]
    for line in sys.stdin:
        request = json.loads(line)
        if request["request"] == "close":
            break
        answer = {**sound(request), "id": request["id"]}
        if request["request"] == stage:
            FAULTS[stage][fault](answer)
        else:
            write(text_of(answer))


main()

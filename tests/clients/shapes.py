# SPDX-License-Identifier: MIT
"""Compares plain JSON with the types that a client library declares for it."""

import collections.abc
import types
import typing

import typing_extensions

PLAIN = {str: str, int: int, float: (int, float), bool: bool, type(None): type(None)}


def faults(value, hint, place="body"):
    """What of `value` is not as `hint` says, in words; keys that a typed dictionary does not have count."""
    hint = unwrapped(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in (typing.Any, object):
        return []
    if origin in (typing.Union, types.UnionType):
        tried = [faults(value, each, place) for each in arguments]
        return min(tried, key=len) if all(tried) else []
    if origin in (typing.Literal, typing_extensions.Literal):
        return [] if value in arguments else [f"{place}: {value!r} is none of {arguments}"]
    if typing_extensions.is_typeddict(hint):
        return faults_of_dictionary(value, hint, place)
    if origin is not None and issubclass(origin, collections.abc.Mapping):
        return faults_of_items(value, dict, arguments[-1], place)
    if origin is not None and arguments:  # a list, whatever the library calls it
        return faults_of_items(value, list, arguments[0], place)
    expected = PLAIN.get(hint)
    if expected is None:
        return [f"{place}: nothing is known of the type {hint!r}"]
    right = isinstance(value, expected) and (hint is bool or not isinstance(value, bool))
    return [] if right else [f"{place}: {value!r} is no {hint.__name__}"]


def unwrapped(hint):
    """Without what says something about the place of a type rather than the type."""
    while True:
        origin = typing.get_origin(hint)
        if isinstance(hint, typing_extensions.TypeAliasType):
            hint = hint.__value__
        elif isinstance(origin, typing_extensions.TypeAliasType):
            hint = origin.__value__[typing.get_args(hint)]
        elif origin is typing.Annotated or origin in (typing_extensions.Required, typing_extensions.NotRequired):
            hint = typing.get_args(hint)[0]
        else:
            return hint


def faults_of_items(value, kind, hint, place):
    if not isinstance(value, kind):
        return [f"{place}: {value!r} is no {kind.__name__}"]
    items = value.items() if kind is dict else enumerate(value)
    return [fault for key, item in items for fault in faults(item, hint, f"{place}[{key!r}]")]


def hints_of(dictionary):
    """The keys of a typed dictionary and their types."""
    return typing_extensions.get_type_hints(dictionary, include_extras=True)


def faults_of_dictionary(value, hint, place):
    if not isinstance(value, dict):
        return [f"{place}: {value!r} is no object"]
    hints = hints_of(hint)
    found = [f"{place}.{key} is unknown" for key in value if key not in hints]
    for key, of_key in hints.items():
        if key in value:
            found += faults(value[key], of_key, f"{place}.{key}")
        elif is_required(of_key, hint.__total__):
            found.append(f"{place}.{key} is missing")
    return found


def is_required(hint, total):
    """Whether a key must be there; the class alone does not know where annotations are texts."""
    origin = typing.get_origin(hint)
    return origin is typing_extensions.Required or (total and origin is not typing_extensions.NotRequired)

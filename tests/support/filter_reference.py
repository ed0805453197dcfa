"""The meaning of a filter, in Python: the tests compare the SQL with it."""

from __future__ import annotations

import re
from typing import Any

Json = Any


def matches(document: Json, condition: dict[str, Json]) -> bool:
    """Whether a document (an object) passes a filter."""
    return _holds([document], condition)


def _holds(found: list[Json], condition: dict[str, Json]) -> bool:
    """`found` is the value that the condition is about, in a list that is empty where the key is missing."""
    return all(_one(found, key, operand) for key, operand in condition.items())


def _one(found: list[Json], key: str, operand: Json) -> bool:
    if key == "$and":
        return all(_holds(found, one) for one in operand)
    if key == "$or":
        return any(_holds(found, one) for one in operand)
    if key == "$not":
        return not _holds(found, operand)
    if key.startswith("$"):
        return _operator(found, key, operand)
    below = [value[key] for value in found if isinstance(value, dict) and key in value]
    if isinstance(operand, dict) and _has_operator(operand):
        return _holds(below, operand)
    return bool(below) and _contains(below[0], operand)


def _has_operator(value: Json) -> bool:
    if isinstance(value, dict):
        return any(key.startswith("$") or _has_operator(below) for key, below in value.items())
    return isinstance(value, list) and any(map(_has_operator, value))


def _contains(value: Json, wanted: Json) -> bool:
    """`value @> wanted`"""
    if isinstance(wanted, dict):
        return isinstance(value, dict) and all(key in value and _contains(value[key], wanted[key]) for key in wanted)
    if isinstance(wanted, list):
        return isinstance(value, list) and all(any(_contains(one, other) for one in value) for other in wanted)
    return _equal(value, wanted)


def _kind(value: Json) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else type(value).__name__


def _equal(value: Json, wanted: Json) -> bool:
    return not isinstance(value, dict | list) and _kind(value) == _kind(wanted) and bool(value == wanted)


def _ordered(value: Json, wanted: Json) -> bool:
    return _kind(value) == _kind(wanted) and _kind(value) in ("number", "str")


def _operator(found: list[Json], operator: str, operand: Json) -> bool:
    if operator == "$ne":
        return not _operator(found, "$eq", operand)
    if operator == "$nin":
        return not _operator(found, "$in", operand)
    if operator == "$exists":
        return bool(found) is bool(operand)
    if not found:
        return False
    value = found[0]
    match operator:
        case "$eq" | "$in":
            wanted = operand if operator == "$in" else [operand]
            values = [value, *value] if isinstance(value, list) else [value]
            return any(_equal(one, other) for one in values for other in wanted)
        case "$gt":
            return _ordered(value, operand) and value > operand
        case "$gte":
            return _ordered(value, operand) and value >= operand
        case "$lt":
            return _ordered(value, operand) and value < operand
        case "$lte":
            return _ordered(value, operand) and value <= operand
        case "$between":
            return _ordered(value, operand[0]) and operand[0] <= value <= operand[1]
        case "$like" | "$ilike":
            flags = re.DOTALL | (re.IGNORECASE if operator == "$ilike" else 0)
            return isinstance(value, str) and re.fullmatch(_regex(operand), value, flags) is not None
        case "$contains":
            return _contains(value, [operand])
        case "$containsAll":
            return _contains(value, operand)
        case "$containsAny":
            return isinstance(value, list) and any(_equal(one, other) for one in value for other in operand)
    raise AssertionError(operator)


def _regex(pattern: str) -> str:
    tokens = re.findall(r"\\.|.", pattern, re.DOTALL)
    plain = {"%": ".*", "_": "."}
    return "".join(plain.get(token) or re.escape(token.removeprefix("\\") or "\\") for token in tokens)

"""LlamaIndex's filters as the functions take them."""

from __future__ import annotations

import re
from typing import Any

from llama_index.core.vector_stores.types import FilterCondition, FilterOperator, MetadataFilter, MetadataFilters

_SAME = {
    FilterOperator.GT: "$gt",
    FilterOperator.GTE: "$gte",
    FilterOperator.LT: "$lt",
    FilterOperator.LTE: "$lte",
    FilterOperator.CONTAINS: "$contains",
    FilterOperator.ANY: "$containsAny",
    FilterOperator.ALL: "$containsAll",
}
_PATTERNS = {FilterOperator.TEXT_MATCH: "$like", FilterOperator.TEXT_MATCH_INSENSITIVE: "$ilike"}
Filter = dict[str, Any]


def compiled(filters: MetadataFilters | None) -> Filter:
    """The filter for the functions; {} for none. ValueError for what they do not have."""
    if filters is None or not filters.filters:
        return {}
    parts = [compiled(part) if isinstance(part, MetadataFilters) else _one(part) for part in filters.filters]
    if filters.condition == FilterCondition.OR:
        return {"$or": parts}
    if filters.condition == FilterCondition.NOT:
        return {"$not": {"$or": parts}}
    return {"$and": parts}


def _one(given: MetadataFilter) -> Filter:
    key, value, operator = given.key, given.value, given.operator
    if key.startswith("$"):
        raise ValueError(f"the key {key!r} begins with $, which operators do")
    if operator in _SAME:
        return {key: {_SAME[operator]: value}}
    if operator in _PATTERNS:
        plain = re.sub(r"([\\%_])", r"\\\1", str(value))
        return {key: {_PATTERNS[operator]: f"%{plain}%"}}
    if operator == FilterOperator.EQ:
        return {key: value}  # a plain value is not compared with the elements of a list
    if operator == FilterOperator.NE:
        return {"$not": {key: value}}
    if operator in (FilterOperator.IN, FilterOperator.NIN):
        several = value if isinstance(value, list) else [value]
        either: Filter = {"$or": [{key: one} for one in several]} if several else {key: {"$in": []}}
        return either if operator == FilterOperator.IN else {"$not": either}
    if operator == FilterOperator.IS_EMPTY:
        return {"$or": [{key: {"$exists": False}}, {key: None}, {key: ""}]}
    raise ValueError(f"the functions have no filter operator for {operator.value!r}")

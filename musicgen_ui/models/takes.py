"""Takes that go on from others: the states of a batch, moved together, so that several takes share one beginning."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from typing import Any

from torch import Tensor


def chosen(value: Any, index: Tensor) -> Any:
    """What a batch of takes carries, as it is when each take goes on from another.

    Args:
        value: a tensor (takes, ...), or lists, deques, tuples, dicts and dataclasses of such; anything else stays.
        index: (takes,) int64, for each take the one that it goes on from.

    Returns:
        The same structure with copies: what is written into one take's row later reaches no other.
    """
    if isinstance(value, Tensor):
        return value.index_select(0, index)
    if isinstance(value, deque):
        return deque((chosen(item, index) for item in value), maxlen=value.maxlen)
    if isinstance(value, (list, tuple)):
        return type(value)(chosen(item, index) for item in value)
    if isinstance(value, dict):
        return {key: chosen(item, index) for key, item in value.items()}
    if is_dataclass(value):
        return replace(value, **{f.name: chosen(getattr(value, f.name), index) for f in fields(value)})
    return value


def select(holder: object, names: Iterable[str], index: Tensor) -> None:
    """Makes the named attributes of an object those of the takes that go on."""
    for name in names:
        setattr(holder, name, chosen(getattr(holder, name), index))

"""The page in Chinese, as its browser reads it: ``static/words.js`` looks phrases up in the same way."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parent / "static" / "zh.json"

_SENTENCES = re.compile(r"(?<=[.!?…]) (?=[A-Z“])")
_LIST = re.compile(r", | and | · ")
_COMPLAINT = re.compile(r"([^:]{1,60}): (.+)")


@lru_cache(maxsize=1)
def table() -> Mapping[str, Any]:
    """``exact`` maps phrases, ``places`` lists other words for some by selector, ``patterns`` are pairs.

    In the words of a pattern ``$1`` stands for its first group, which is looked up again, and ``%1`` for the group as
    it is.
    """
    return json.loads(TABLE.read_text("utf-8"))


def chinese(phrase: str) -> str | None:
    """A phrase in Chinese; None where the table has none."""
    key = " ".join(phrase.split())
    if not key:
        return None
    for look in (_exactly, _sentences, _by_pattern, _list, _complaint):
        if (told := look(key)) is not None:
            return told
    return None


def _exactly(key: str) -> str | None:
    exact = table()["exact"]
    first = key[0].upper() if key[0] == key[0].lower() else key[0].lower()
    return exact.get(key, exact.get(first + key[1:]))


def _by_pattern(key: str) -> str | None:
    for pattern, words in table()["patterns"]:
        if found := re.fullmatch(pattern, key):

            def part(mark: re.Match, found: re.Match = found) -> str:
                caught = found[int(mark[2])] or ""
                return ((chinese(caught) if mark[1] == "$" else None) or caught) if caught else ""

            return re.sub(r"([$%])(\d)", part, words)
    return None


def _sentences(key: str) -> str | None:
    return _joined(_SENTENCES.split(key), "")


def _list(key: str) -> str | None:
    return _joined(_LIST.split(key), "、")


def _joined(parts: list[str], by: str) -> str | None:
    if len(parts) < 2:
        return None
    told = [chinese(part) if re.search("[A-Za-z]", part) else part for part in parts]
    return None if None in told else by.join(told)  # type: ignore[arg-type]


def _complaint(key: str) -> str | None:
    """An error: what was wrong, then why."""
    found = _COMPLAINT.fullmatch(key)
    why = chinese(found[2]) if found else None
    return f"{chinese(found[1]) or found[1]}：{why}" if found and why else None

"""Metrics of many stems as rows: means by group of stems, and the worst preset of each row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from musicgen_ui.training.synth_metrics import ERRORS, METRICS


def summarise(records: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Group to row to means over its stems, with ``f0 gross errors``, ``gain (dB)`` and the count of ``stems``."""
    yield "all", _rows(records)
    yield "pitched", _rows([r for r in records if r["part"] != "drums"])
    for key in ("part", "family"):
        for name in sorted({r[key] for r in records}):
            yield f"{key}: {name}", _rows([r for r in records if r[key] == name])


def _rows(records: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    rows: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        rows.setdefault(record["row"], []).append(record)
    return {
        row: {"stems": len(found)} | {m: _mean(r.get(m) for r in found) for m in (*METRICS, "f0 gross errors")}
        for row, found in rows.items()
    }


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def worst(records: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, tuple[float, str]]]:
    """Row to metric to the worst preset's mean and its name."""
    found: dict[str, dict[str, tuple[float, str]]] = {}
    for row in dict.fromkeys(record["row"] for record in records):
        mine = [record for record in records if record["row"] == row]
        for metric in METRICS:
            means = {
                name: _mean(r.get(metric) for r in mine if r["preset"] == name) for name in {r["preset"] for r in mine}
            }
            known = sorted((value, name) for name, value in means.items() if value is not None)
            if known:
                found.setdefault(row, {})[metric] = known[-1 if metric in ERRORS else 0]
    return found

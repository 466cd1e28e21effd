"""The Timbre: where in the space of sounds the neural synthesizer plays; a plain value that fits into a link."""

from __future__ import annotations

import base64
import binascii
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import PARTS

Z_SIZE = 32
"""Numbers in z, the timbre latent."""

Z_LIMIT = 8.0
"""Largest magnitude of a number in z; the prior's own standard deviation is about 1."""

KINDS = ("own", "random", "recorded")
TIMBRE_PARTS = PARTS[:3]
"""Parts that a timbre can apply to: drums are played by their kit."""

MAX_SEED = 2**32 - 1

_FIRST = (
    "Amber Ashen Autumn Brass Bright Cedar Clear Cobalt Copper Crystal Dusky Ember Frosted Gilded Glass Golden "
    "Hollow Ivory Jade Lunar Mellow Misty Opal Pale Pearl Rusty Silken Silver Smoky Solar Velvet Woven"
)
_SECOND = (
    "arch bell bloom bow breath brook cello chime cloud comb drift fern flute harp hum lantern leaf lyre moth pipe "
    "plume prism reed river rose shell spark string tide wave whistle wing"
)


@dataclass(frozen=True)
class TimbrePoint:
    """One place in the space of timbres. Every field is checked on construction.

    Attributes:
        kind: ``own`` is the instrument's own timbre, ``random`` a draw around it, ``recorded`` somebody's recording.
        seed: of a random point; 0 to 2**32 - 1, and 0 for the other kinds.
        z: of a recorded point: Z_SIZE numbers within ±Z_LIMIT, rounded to two decimals; empty for the other kinds.

    Raises:
        RequestError: ``timbre`` is of the wrong type, out of range or contradicts itself.
    """

    kind: str = "own"
    seed: int = 0
    z: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise _bad(f"{self.kind!r:.40} is not one of {', '.join(KINDS)}")
        seed = _number("the seed of a random timbre", self.seed, 0, MAX_SEED)
        if not seed.is_integer():
            raise _bad(f"the seed of a random timbre must be a whole number, not {self.seed!r:.40}")
        if isinstance(self.z, str) or not isinstance(self.z, Sequence):
            raise _bad(f"z must be {Z_SIZE} numbers")
        if seed and self.kind != "random":
            raise _bad("only a random timbre has a seed")
        if len(self.z) != (Z_SIZE if self.kind == "recorded" else 0):
            raise _bad(f"a recorded timbre has {Z_SIZE} numbers, the others none; this one has {len(self.z)}")
        # Adding zero turns -0.0 into 0.0, so that equal points are written alike.
        z = tuple(round(_number("z", value, -Z_LIMIT, Z_LIMIT), 2) + 0.0 for value in self.z)
        object.__setattr__(self, "seed", int(seed))
        object.__setattr__(self, "z", z)

    @property
    def name(self) -> str:
        """What a person reads; a random point's name is made from its seed."""
        if self.kind == "random":
            first, second = _FIRST.split(), _SECOND.split()
            return f"{first[self.seed // len(second) % len(first)]} {second[self.seed % len(second)]}"
        return "Own timbre" if self.kind == "own" else "Recording"

    def noise(self) -> np.ndarray:
        """The standard normal numbers, (Z_SIZE,) float32, that a random point scales by the instrument's prior."""
        return np.random.default_rng(self.seed).standard_normal(Z_SIZE).astype(np.float32)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON value; z as unpadded URL-safe base64 of 16-bit hundredths, little end first."""
        if self.kind == "random":
            return {"kind": self.kind, "seed": self.seed}
        if self.kind == "recorded":
            packed = struct.pack(f"<{Z_SIZE}h", *(round(100 * value) for value in self.z))
            return {"kind": self.kind, "z": base64.urlsafe_b64encode(packed).decode("ascii").rstrip("=")}
        return {"kind": self.kind}

    @classmethod
    def from_dict(cls, values: Any) -> TimbrePoint:
        """Inverse of :meth:`to_dict`; z may also be a list of numbers.

        Raises:
            RequestError: not an object, an unknown field, or a bad value.
        """
        values = _checked_fields(values, ("kind", "seed", "z"), "a point")
        if isinstance(values.get("z"), str):
            values["z"] = _unpacked(values["z"])
        return cls(**values)


@dataclass(frozen=True)
class Timbre:
    """Two points and how far between them the parts sound. The default changes nothing.

    Attributes:
        a: where the morph begins.
        b: where it ends.
        morph: 0 is a, 1 is b.
        parts: pitched parts that it applies to, in the order of PARTS; the others keep their own timbre.

    Raises:
        RequestError: ``timbre`` holds something bad.
    """

    a: TimbrePoint = field(default_factory=TimbrePoint)
    b: TimbrePoint = field(default_factory=TimbrePoint)
    morph: float = 0.0
    parts: tuple[str, ...] = TIMBRE_PARTS

    def __post_init__(self) -> None:
        if not isinstance(self.a, TimbrePoint) or not isinstance(self.b, TimbrePoint):
            raise _bad("a and b must be points")
        object.__setattr__(self, "morph", _number("the morph", self.morph, 0.0, 1.0))
        if isinstance(self.parts, str) or not isinstance(self.parts, Sequence):
            raise _bad("parts must be a list of part names")
        for part in self.parts:
            if part not in TIMBRE_PARTS:
                raise _bad(f"{part!r:.40} is not one of {', '.join(TIMBRE_PARTS)}")
        object.__setattr__(self, "parts", tuple(part for part in TIMBRE_PARTS if part in self.parts))

    @property
    def is_own(self) -> bool:
        """Whether every part keeps its own timbre, so that nothing changes."""
        begins, ends = self.a.kind == "own" or self.morph == 1.0, self.b.kind == "own" or self.morph == 0.0
        return not self.parts or (begins and ends)

    @property
    def name(self) -> str:
        """What a person reads, such as ``Amber reed`` or ``Own timbre to Recording, 40 %``."""
        if self.morph in (0.0, 1.0) or self.a == self.b:
            return (self.b if self.morph == 1.0 else self.a).name
        return f"{self.a.name} to {self.b.name}, {self.morph:.0%}".replace("%", " %")

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON value of what differs from the default; the default itself is an empty object."""
        values: dict[str, Any] = {
            name: getattr(self, name).to_dict() for name in "ab" if getattr(self, name).kind != "own"
        }
        if self.morph:
            values["morph"] = self.morph
        if self.parts != TIMBRE_PARTS:
            values["parts"] = list(self.parts)
        return values

    @classmethod
    def from_dict(cls, values: Any) -> Timbre:
        """Inverse of :meth:`to_dict`; missing fields take their defaults.

        Raises:
            RequestError: not an object, an unknown field, or a bad value.
        """
        values = _checked_fields(values, ("a", "b", "morph", "parts"), "the timbre")
        return cls(**values | {name: TimbrePoint.from_dict(values[name]) for name in "ab" if name in values})


def _bad(reason: str) -> RequestError:
    return RequestError("timbre", reason)


def _number(what: str, value: Any, low: float, high: float) -> float:
    """``value`` as a finite float in [low, high]."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _bad(f"{what} must be a number from {low:g} to {high:.10g}, not {value!r:.40}")
    # Compared before it is converted: a huge int has no float, and a NaN passes no comparison.
    if not (low <= value <= high) or not math.isfinite(value):
        shown = f"{value!r:.40}" if isinstance(value, float) or abs(value) < 10**30 else "a huge number"
        raise _bad(f"{what} must be from {low:g} to {high:.10g}, not {shown}")
    return float(value)


def _checked_fields(values: Any, known: tuple[str, ...], what: str) -> dict[str, Any]:
    if not isinstance(values, Mapping):
        raise _bad(f"{what} must be an object with {', '.join(known)}")
    for name in values:
        if name not in known:
            raise _bad(f"{what} has no field {name!r:.40}")
    return dict(values)


def _unpacked(text: str) -> tuple[float, ...]:
    """The numbers of z from base64 text."""
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return tuple(value / 100 for value in struct.unpack(f"<{Z_SIZE}h", packed))
    except (binascii.Error, struct.error, ValueError):
        raise _bad(f"z was cut or changed; it holds {Z_SIZE} numbers") from None

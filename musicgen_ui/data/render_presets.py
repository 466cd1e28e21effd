"""Which instruments the synthesizer learns, over which pitches, and in which variants of timbre."""

from __future__ import annotations

import zlib
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from musicgen_ui.models.vae_gan.condition import LABEL_RANGES, TimbreLabels
from musicgen_ui.music.arrange import RANGES
from musicgen_ui.music.instruments import CHOICES, FAMILIES, KITS, program_number

PITCHED = ("lead", "chords", "bass")

UNSEEN_PROGRAMS = (3, 13, 23, 31, 37, 41, 52, 63, 67, 70, 79, 86, 106)
"""Instruments that the studio does not offer and that are kept for the end: how well does z describe a new one?"""

UNSEEN_KITS = (32,)

OTHER_PROGRAMS = (
    *(8, 9, 14, 15),
    *(30, 44),
    *(69, 70, 76),
    *(82, 84, 85, 91, 95),
    *(104, 108, 109, 110, 111, 112),
)
"""Instruments that the studio does not offer and that are learned all the same, for a wider timbre space."""

DRUM_KEYS = (27, 87)
DRUM_FAMILY = "drums"

FAMILY_RANGES = {
    "piano": (28, 100),
    "chromatic percussion": (45, 100),
    "organ": (33, 96),
    "guitar": (36, 91),
    "bass": (28, 67),
    "strings": (33, 96),
    "ensemble": (33, 96),
    "brass": (33, 91),
    "reed": (40, 96),
    "pipe": (48, 100),
    "synth lead": (36, 96),
    "synth pad": (33, 91),
    "synth effects": (36, 91),
    "ethnic": (40, 91),
    "percussive": (45, 91),
}
"""Lowest and highest pitch that is learned; wider where a part that offers the instrument is (``arrange.RANGES``)."""


@dataclass(frozen=True)
class TimbreSpec:
    """One timbre: a preset and how it is played.

    Attributes:
        id: ``p`` for a program or ``k`` for a kit, its number, ``v`` and the variant.
        family: General MIDI family, or ``drums``.
        split: ``train`` or ``unseen``.
        variant: 0 is neutral.
        labels: what is varied.
    """

    id: str
    program: int
    drums: bool
    family: str
    split: str
    variant: int
    labels: TimbreLabels

    def to_row(self) -> dict[str, Any]:
        """The line of ``timbres.jsonl``."""
        return asdict(self)

    @property
    def pitches(self) -> tuple[int, int]:
        """Lowest and highest pitch (of a kit: key)."""
        if self.drums:
            return DRUM_KEYS
        ranges = [FAMILY_RANGES[self.family], *(RANGES[part] for part in offering(self.program))]
        return min(low for low, _ in ranges), max(high for _, high in ranges)

    @property
    def parts(self) -> tuple[str, ...]:
        """Parts whose notes suit the instrument."""
        if self.drums:
            return ("drums",)
        return ("bass",) if self.family == "bass" else ("lead", "chords")


def offering(program: int) -> list[str]:
    """Pitched parts for which the studio offers a program."""
    return [part for part in PITCHED if program in {program_number(part, name) for name in CHOICES[part]}]


def timbres(
    seed: int, variants: int, programs: Collection[int], kits: Collection[int], limit: int | None = None
) -> list[TimbreSpec]:
    """Every timbre to render, in an order in which a part of it is already useful.

    Args:
        seed: of the labels; a timbre's labels depend on the seed and its id alone.
        variants: how many beside the neutral one.
        programs: what the SoundFont has.
        kits: what it has of drums.
        limit: take only so many presets (for a trial), spread over the list.
    """
    offered = sorted({program_number(part, name) for part in PITCHED for name in CHOICES[part]})
    others = [p for p in OTHER_PROGRAMS if p not in offered and p not in UNSEEN_PROGRAMS]
    presets = [(p, False, "train") for p in offered]
    presets += [(k, True, "train") for k in sorted(KITS.values())]
    presets += [(p, False, "train") for p in others]
    presets += [(p, False, "unseen") for p in UNSEEN_PROGRAMS if p not in offered]
    presets += [(k, True, "unseen") for k in UNSEEN_KITS]
    presets = [preset for preset in presets if preset[0] in (kits if preset[1] else programs)]
    if limit is not None and limit < len(presets):
        presets = [presets[i * len(presets) // limit] for i in range(limit)]
    return [
        _timbre(seed, program, drums, split, variant)
        for variant in range(variants + 1)
        for program, drums, split in presets
    ]


def recorded_timbre(timbre_id: str, program: int, drums: bool) -> TimbreSpec:
    """A timbre that was recorded, not rendered: what its labels would be nobody knows, so they are neutral."""
    return TimbreSpec(timbre_id, program, drums, _family(program, drums), "train", 0, TimbreLabels())


def generator(seed: int, timbre_id: str, purpose: int) -> np.random.Generator:
    """Random numbers of one timbre, whatever was rendered before it."""
    return np.random.default_rng([seed, zlib.crc32(timbre_id.encode("ascii")), purpose])


def _timbre(seed: int, program: int, drums: bool, split: str, variant: int) -> TimbreSpec:
    name = f"{'k' if drums else 'p'}{program:03d}v{variant}"
    labels = _labels(generator(seed, name, 0), drums) if variant else TimbreLabels()
    return TimbreSpec(name, program, drums, _family(program, drums), split, variant, labels)


def _family(program: int, drums: bool) -> str:
    return DRUM_FAMILY if drums else FAMILIES[program // 8]


def _labels(rng: np.random.Generator, drums: bool) -> TimbreLabels:
    """Each label is neutral half of the time. Struck drums ring out and do not sing: no release, no vibrato."""
    drawn = {}
    for name, (low, high, neutral) in LABEL_RANGES.items():
        value = round(float(rng.uniform(low, high)), 3)
        drawn[name] = value if rng.random() < 0.5 else neutral
    if drums:
        drawn |= {"vibrato": 0.0, "release": 0.0}
    low, high, neutral = LABEL_RANGES["vibrato_rate"]
    # A rate means something only with a depth.
    if drawn["vibrato"] == 0.0:
        drawn["vibrato_rate"] = neutral
    return TimbreLabels(**drawn)

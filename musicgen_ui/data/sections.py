"""Stage 2: sections of tables, drawn by corpus weight and labelled by the measures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from musicgen_ui.data.tables import TablePiece
from musicgen_ui.music.measures import MEASURED
from musicgen_ui.music.score import METRES, PARTS
from musicgen_ui.music.table import COLUMN, NOTE_COLUMNS, DrumVocabulary
from musicgen_ui.music.theory import key_correlations
from musicgen_ui.music.tokens import DURATIONS, LOW, STEPS_PER_BEAT, TICKS_PER_STEP, VELOCITIES
from musicgen_ui.scale import UnitScale

SECTION_BARS = 16

CORPUS_WEIGHTS = {
    "arranged": 0.46,
    "pop909_mit": 0.17,
    "freedoom_bsd": 0.10,
    "groove_midi_ccby": 0.06,
    "mutopia_pd_ccby": 0.05,
    "openewld_pd1930": 0.04,
    "openscore_lieder_cc0": 0.04,
    "openscore_quartets_cc0": 0.03,
    "polish_dances_ccby": 0.02,
    "easyrpg_rtp_ccby": 0.01,
    "lmms_demos_mixed": 0.01,
    "chords_billboard_cc0_fmc_mit": 0.01,
}
"""Share of the training sections drawn from each corpus; a person's own folder, not named here, gets OWN_WEIGHT."""

OWN_WEIGHT = 0.1


@dataclass(frozen=True)
class Section:
    """``bars`` bars of a piece from ``first_bar``, with only the parts in ``observed``."""

    piece: TablePiece
    first_bar: int
    bars: int
    observed: np.ndarray

    @property
    def table(self) -> np.ndarray:
        per_bar = METRES[self.piece.metre] * STEPS_PER_BEAT
        return self.piece.table[self.first_bar * per_bar : (self.first_bar + self.bars) * per_bar]


class SectionSampler:
    """Draws sections at random: the corpus by weight, the piece within it by the square root of its length.

    Minor pieces count double: they are rare, and the mood slider needs both modes.

    Args:
        pieces: of one split.
        part_dropout: chance that an observed part is hidden, so that any set of parts can be asked for.
    """

    def __init__(self, pieces: Sequence[TablePiece], *, part_dropout: float = 0.12) -> None:
        self.part_dropout = part_dropout
        self.by_metre: dict[str, tuple[list[TablePiece], np.ndarray]] = {}
        totals = {}
        for metre in METRES:
            group = [p for p in pieces if p.metre == metre]
            weight = np.array([math.sqrt(p.bars) * (2.0 if p.mode == 2 else 1.0) for p in group])
            corpora = np.array([p.corpus for p in group])
            for corpus in set(corpora.tolist()):
                mine = corpora == corpus
                weight[mine] *= CORPUS_WEIGHTS.get(corpus, OWN_WEIGHT) / weight[mine].sum()
            if group:
                self.by_metre[metre] = (group, weight / weight.sum())
                totals[metre] = weight.sum()
        if not totals:
            raise ValueError("there are no pieces to draw sections from")
        self.metres = list(totals)
        # Waltz time is drawn more often than its share of the corpora, as it is half of what a person can choose.
        share = np.array([0.8 if m == "4/4" else 0.2 for m in self.metres])
        self.metre_share = share / share.sum()

    def draw(self, rng: np.random.Generator, count: int) -> list[Section]:
        """``count`` sections of one metre."""
        metre = self.metres[rng.choice(len(self.metres), p=self.metre_share)]
        group, weight = self.by_metre[metre]
        return [self._cut(group[i], rng) for i in rng.choice(len(group), size=count, p=weight)]

    def _cut(self, piece: TablePiece, rng: np.random.Generator) -> Section:
        bars = min(SECTION_BARS, piece.bars)
        latest = piece.bars - bars
        # A fifth of the sections hold a beginning and a fifth an end, so that pieces learn to start and to stop.
        place = rng.random()
        first = 0 if place < 0.2 else latest if place < 0.4 else int(rng.integers(0, latest + 1))
        observed = piece.observed.copy()
        hidden = observed & (rng.random(len(PARTS)) < self.part_dropout)
        if (observed & ~hidden).any():
            observed &= ~hidden
        return Section(piece, first, bars, observed)


def measure_table(table: np.ndarray, observed: np.ndarray, vocabulary: DrumVocabulary) -> dict[str, float | None]:
    """``music.measures.measure`` of a table: the same definitions, a thousand times as fast.

    Args:
        table: (steps, fields) of a section.
        observed: (4,) bool, parts to measure.
        vocabulary: what the drum classes of the table mean.
    """
    level = np.concatenate([[0.0], np.array(VELOCITIES) / 127.0])
    lead, chords, bass, drums = observed
    strength = np.zeros((len(table), 2))
    weights = np.zeros(12)

    def add(count: np.ndarray, velocity: str) -> None:
        value = level[table[:, COLUMN[velocity]]]
        strength[:, 0] += count * value
        strength[:, 1] += count * value**2

    for name, seen in (("lead", lead), ("bass", bass)):
        if seen:
            pitch = table[:, COLUMN[f"{name}_pitch"]]
            add((pitch > 0).astype(float), f"{name}_velocity")
            starts = np.flatnonzero(pitch)
            if len(starts):
                ticks = np.array(DURATIONS)[table[starts, COLUMN[f"{name}_duration"]] - 1]
                gap = np.diff(np.append(starts, len(table))) * TICKS_PER_STEP
                np.add.at(weights, (pitch[starts] - 1 + LOW[name]) % 12, np.minimum(ticks, gap))
    if chords:
        notes = table[:, list(NOTE_COLUMNS)]
        add((notes > 0).sum(axis=1).astype(float), "chords_velocity")
        rows, slots = np.nonzero(notes)
        ticks = np.array(DURATIONS)[table[rows, COLUMN["chords_duration"]] - 1]
        ticks = np.minimum(ticks, (len(table) - rows) * TICKS_PER_STEP)
        np.add.at(weights, (notes[rows, slots] - 1 + LOW["chords"]) % 12, ticks)
    if drums:
        counts = vocabulary.group_counts[table[:, COLUMN["drums"]]]
        for group in range(3):
            add(counts[:, group], f"drums_velocity{group}")
    total, squares = strength[:, 0], strength[:, 1]
    beats = len(table) / STEPS_PER_BEAT
    values: dict[str, float | None] = dict.fromkeys(MEASURED)
    values["density"] = float((total > 0).sum() / beats)
    if total.sum() > 0:
        values["syncopation"] = float(1 - total[::STEPS_PER_BEAT].sum() / total.sum())
        values["energy"] = float(math.log(squares[squares > 0].mean()))
    if weights.sum() > 0:
        correlations = key_correlations(weights)
        values["mood"] = float(correlations[:12].max() - correlations[12:].max())
        p = weights[weights > 0] / weights.sum()
        symbols = table[::STEPS_PER_BEAT, COLUMN["chord"]]
        symbols = symbols[symbols > 0]
        changes = int((np.diff(symbols) != 0).sum()) if len(symbols) else 0
        values["complexity"] = float(-(p * np.log(p)).sum() / math.log(12)) + 0.5 * changes / beats
    return values


def fit_scales(
    pieces: Sequence[TablePiece], vocabulary: DrumVocabulary, *, count: int = 4000, seed: int = 0
) -> dict[str, UnitScale]:
    """The score side of the unit sliders: quantiles over sections drawn as in training, with at least two parts.

    Mood is balanced: its lower half holds the sections whose best key is minor and its upper half those whose best
    key is major, so that 0.5 is the border whatever the corpora's share of minor.
    """
    rng = np.random.default_rng(seed)
    sampler = SectionSampler([p for p in pieces if p.observed.sum() >= 2], part_dropout=0.0)
    values: dict[str, list[float]] = {key: [] for key in MEASURED}
    for _ in range(count // 20):
        for section in sampler.draw(rng, 20):
            for key, value in measure_table(section.table, section.observed, vocabulary).items():
                if value is not None:
                    values[key].append(value)
    return {
        key: UnitScale.fit_balanced(found) if key == "mood" else UnitScale.fit(found) for key, found in values.items()
    }

"""The synthesizer beside the SoundFont that it learned from, on held-out scores and on presets it never heard.

Every stem is a passage of a piece of the test split, played with neutral labels. What the model plays comes from the
prior, as a person hears it; only ``UNSEEN_BY_EAR`` reads z off another passage of the same preset. The two-sample test
hears a validation passage of each preset beside the test passages. On lines (one note at a time, no unseen presets) two
rows tell what a synthesizer of 16 kHz could reach and how near it comes to that.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.errors import RequestError
from musicgen_ui.training.line_passages import LinePassages, below_8_khz
from musicgen_ui.training.rendered import RenderedFolder, RenderedTimbre, Stem
from musicgen_ui.training.synth_metrics import Reference, level_matched
from musicgen_ui.training.synth_player import NEUTRAL, Player, Renderer, TimbrePlayer, has_timbres
from musicgen_ui.training.synth_summary import summarise, worst
from musicgen_ui.training.timbre_tests import Hook, timbre_report
from musicgen_ui.training.two_sample import audible, random_halves, tell_apart, windows

GENERATED = "generated"
NOTE_LEVEL = "note level only"
NEIGHBOUR = "SoundFont, another preset"
REFERENCE = "SoundFont"
GENERATED_LOW = "generated, both below 8 kHz"
REFERENCE_LOW = "SoundFont, below 8 kHz"
UNSEEN_BY_EAR = "unseen, by ear"
UNSEEN_PRIOR = "unseen, family prior"
UNSEEN_NEIGHBOUR = "unseen, SoundFont, another preset"
UNSEEN_REFERENCE = "unseen, SoundFont"

LONGEST = 8 * SAMPLE_RATE
"""Samples of a passage that are judged."""


@dataclass
class Findings:
    """What is measured as the stems go by.

    Attributes:
        records: an entry a stem and row: where it comes from and its metrics.
        heard: row to the windows of its stems, SoundFont and generated, for the two-sample test.
        sources: preset and passage of the stems in ``heard``.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    heard: dict[str, list[np.ndarray]] = field(default_factory=dict)
    sources: list[tuple[int, bool, int]] = field(default_factory=list)

    def note(self, row: str, stem: Stem, values: Mapping[str, float | None]) -> None:
        where = {"row": row, "preset": stem.timbre.name, "family": stem.timbre.family, "part": stem.part}
        self.records.append(where | {"passage": stem.passage} | dict(values))


def choose_stems(
    folder: RenderedFolder | LinePassages, timbres: Sequence[RenderedTimbre], clips: int, rng: np.random.Generator
) -> Iterator[Stem]:
    """At most ``clips`` test passages: one of every timbre in random order, then a second of every timbre, and so on.

    Timbres begin with different passages, so that the first round is not one score played by all.
    """
    order = [timbres[number] for number in rng.permutation(len(timbres))]
    passages = {timbre.id: folder.passages(timbre, ("test",)) for timbre in order}
    rounds = max((len(found) for found in passages.values()), default=0)
    chosen: dict[str, list[int]] = {}
    places = [(turn, number) for turn in range(rounds) for number in range(len(order))]
    places = [(turn, number) for turn, number in places if turn < len(passages[order[number].id])]
    for turn, number in places[:clips]:
        found = passages[order[number].id]
        chosen.setdefault(order[number].id, []).append(found[(turn + number) % len(found)])
    for timbre in order:
        if timbre.id in chosen:
            yield from folder.stems(timbre, chosen[timbre.id], LONGEST)


def run(
    folder: RenderedFolder | LinePassages,
    player: Player,
    *,
    renderer: Renderer | None = None,
    clips: int = 96,
    seed: int = 0,
    hook: Hook = lambda stage, done, total: None,
) -> dict[str, Any]:
    """Measures a synthesizer.

    Args:
        folder: what ``prepare-audio`` or ``prepare-lines`` wrote.
        player: the synthesizer.
        renderer: the SoundFont that the folder was rendered with, for the rows that play it again; None for none.
        clips: stems of trained presets, and at most as many of unseen ones.
        seed: of every choice.
        hook: told stage, done and total.

    Returns:
        ``groups``: group of stems (all, pitched, each part, each family) to row to metrics, with ``stems`` counted;
        ``worst``: row to metric to [value, preset]; ``two-sample``; with a space of timbres also ``nearest preset``,
        ``morph`` and ``brightness``; ``seconds`` each stage took; and ``each stem``.

    Raises:
        RequestError: the folder holds no test passage of a preset that the player knows.
    """
    rng = np.random.default_rng(seed)
    known = [t for t in folder.timbres if t.seen and t.variant == 0 and _knows(player, t)]
    unseen = [t for t in folder.timbres if not t.seen and t.variant == 0]
    findings, seconds = Findings(), {}
    started = time.perf_counter()

    def lap(stage: str) -> None:
        nonlocal started
        seconds[stage] = time.perf_counter() - started
        started = time.perf_counter()

    stems = list(choose_stems(folder, known, clips, rng))
    if not stems:
        raise RequestError("--audio", f"{folder.path} holds no test passage of a preset that the synthesizer knows")
    for number, stem in enumerate(stems):
        judge_known(findings, stem, player, renderer, seed + number, low=isinstance(folder, LinePassages))
        hook("stems", number + 1, len(stems))
    lap("stems")
    strange = list(choose_stems(folder, unseen, clips, rng)) if has_timbres(player) else []
    for number, stem in enumerate(strange):
        judge_unseen(findings, folder, stem, player, renderer, known)
        hook("unseen presets", number + 1, len(strange))
    lap("unseen presets")
    # A judge that has heard a preset in another score is stricter than one that has not.
    second = [t for t in known if t.id in {stem.timbre.id for stem in stems}]
    for number, timbre in enumerate(second):
        for stem in folder.stems(timbre, folder.passages(timbre, ("validation",))[:1], LONGEST):
            for _ in play_known(findings, stem, player, seed + clips + number):
                pass
        hook("two-sample", number + 1, len(second) + 1)
    report: dict[str, Any] = {"two-sample": two_sample(findings, seed)}
    lap("two-sample")
    if has_timbres(player) and isinstance(folder, RenderedFolder):
        report |= timbre_report(folder, player, renderer, stems, rng, hook)
        lap("timbre")
    return {
        "groups": dict(summarise(findings.records)),
        "worst": worst(findings.records),
        "presets": {"trained": len(known), "unseen": len(unseen), "judged": len({s.timbre.id for s in stems})},
        **report,
        "seconds": seconds,
        "each stem": findings.records,
    }


def _knows(player: Player, timbre: RenderedTimbre) -> bool:
    return timbre.program in (player.kits if timbre.drums else player.programs)


def neighbour(stem: Stem, renderer: Renderer) -> int | None:
    """The preset next to a stem's own in its family of eight, or the nearest other kit; None where there is none."""
    program, drums = stem.timbre.preset
    family = renderer.kits if drums else {p for p in renderer.programs if p // 8 == program // 8}
    others = sorted(family - {program}, key=lambda p: (abs(p - program), p))
    return others[0] if others else None


def judge_known(
    findings: Findings, stem: Stem, player: Player, renderer: Renderer | None, seed: int, *, low: bool = False
) -> None:
    """Rows of a trained preset; ``low`` adds those of what lies below 8 kHz."""
    reference = _reference(findings, REFERENCE, stem)
    for row, sound in play_known(findings, stem, player, seed):
        findings.note(row, stem, reference.compare(sound))
        if low and row == GENERATED:
            half = Reference.of(below_8_khz(stem.samples), stem.notes, drums=stem.timbre.drums)
            findings.note(GENERATED_LOW, stem, half.compare(below_8_khz(sound)))
            findings.note(REFERENCE_LOW, stem, reference.compare(half.spectra.samples))
    _judge_neighbour(findings, NEIGHBOUR, stem, renderer, reference)


def play_known(findings: Findings, stem: Stem, player: Player, seed: int) -> Iterator[tuple[str, np.ndarray]]:
    """Row and sound of a trained preset, with and without the stem level; keeps their windows beside the stem's."""
    heard = audible(stem.samples)
    for row, stem_level in {GENERATED: True, NOTE_LEVEL: False}.items():
        if row == NOTE_LEVEL and not has_timbres(player):
            continue
        sound = player.play(
            stem.notes, *stem.timbre.preset, stem.samples.size,
            labels=NEUTRAL, z=None, stem_level=stem_level, known=True, seed=seed,
        )  # fmt: skip
        if heard.size:
            matched = level_matched(sound, stem.samples)[0]
            findings.heard.setdefault(row, []).append(windows(matched, heard))
        yield row, sound
    if heard.size:
        findings.heard.setdefault(REFERENCE, []).append(windows(stem.samples, heard))
        findings.sources.append((*stem.timbre.preset, stem.passage))


def judge_unseen(
    findings: Findings,
    folder: RenderedFolder,
    stem: Stem,
    player: TimbrePlayer,
    renderer: Renderer | None,
    known: Sequence[RenderedTimbre],
) -> None:
    """Rows of a preset that training has not heard: z from another of its passages, and from its family's priors."""
    reference = _reference(findings, UNSEEN_REFERENCE, stem)
    _judge_neighbour(findings, UNSEEN_NEIGHBOUR, stem, renderer, reference)
    relatives = [t for t in known if (t.family, t.drums) == (stem.timbre.family, stem.timbre.drums)]
    codes: dict[str, np.ndarray] = {}
    others = [number for number in folder.passages(stem.timbre) if number != stem.passage]
    if others:
        codes[UNSEEN_BY_EAR] = player.encode(next(folder.stems(stem.timbre, others[:1], LONGEST)).samples)
    if relatives:
        codes[UNSEEN_PRIOR] = np.mean([player.prior_mean(*t.preset) for t in relatives], axis=0)
    for row, z in codes.items():
        sound = player.play(
            stem.notes, *stem.timbre.preset, stem.samples.size,
            labels=NEUTRAL, z=z.astype(np.float32), stem_level=True, known=False, seed=0,
        )  # fmt: skip
        findings.note(row, stem, reference.compare(sound))


def _reference(findings: Findings, row: str, stem: Stem) -> Reference:
    reference = Reference.of(stem.samples, stem.notes, drums=stem.timbre.drums)
    findings.note(row, stem, reference.own())
    return reference


def _judge_neighbour(findings: Findings, row: str, stem: Stem, renderer: Renderer | None, reference: Reference) -> None:
    other = None if renderer is None else neighbour(stem, renderer)
    if other is not None:
        sound = renderer.render(stem.notes, other, stem.samples.size, drums=stem.timbre.drums)
        findings.note(row, stem, reference.compare(sound))


def two_sample(findings: Findings, seed: int) -> dict[str, Any]:
    """Rows of the two-sample test, with two that show that it works; empty with fewer than two stems."""
    sources = findings.sources
    if len(sources) < 2:
        return {}
    real = findings.heard[REFERENCE]
    rows = {row: (real, made, sources) for row, made in findings.heard.items() if row != REFERENCE}
    long = [(stem, source) for stem, source in zip(real, sources, strict=True) if len(stem) > 1]
    if len(long) > 1:
        rows["SoundFont, against itself"] = (*random_halves([stem for stem, _ in long], seed), [s for _, s in long])
    rng = np.random.default_rng(seed)
    noise = [windows(rng.standard_normal(LONGEST).astype(np.float32), np.arange(min(len(stem), 7))) for stem in real]
    rows["white noise"] = (real, noise, sources)
    return {row: tell_apart(*sides, seed=seed) for row, sides in rows.items()}

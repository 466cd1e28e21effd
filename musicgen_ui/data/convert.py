"""One Source to pieces: parse, find beats and bars, map tracks to parts, add chords and key, check."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from musicgen_ui.data.beats import BeatMap
from musicgen_ui.data.sources import Skipped, Source
from musicgen_ui.errors import RequestError
from musicgen_ui.music.arrange import Section, arrange, in_range, sections, to_score
from musicgen_ui.music.downbeat import bar_phase
from musicgen_ui.music.harmony import joined, parse_chord, with_harmony
from musicgen_ui.music.midi_file import MidiFile, Notes, read_midi
from musicgen_ui.music.modulation import key_sections
from musicgen_ui.music.score import METRES, TICKS_PER_BEAT, Chord, Score
from musicgen_ui.music.voices import off_grid

MIN_BARS = 4
MIN_SECTION_BARS = 8
MIN_NOTES = 24
MAX_OFF_GRID = 0.85

_FINE = 480
"""Resolution at which files with annotated beats are read before their notes move to the beats."""

_TD11 = {22: 42, 26: 46, 40: 38, 58: 43, 47: 47, 48: 50, 52: 57, 55: 49, 59: 51}
"""Roland TD-11 keys that differ from General MIDI, after Gillick et al. (2019), table of their appendix."""


def convert(source: Source) -> list[Score]:
    """Scores of a source: one, or one for each section of steady metre.

    Raises:
        Skipped: nothing in it can be used; the message says why.
    """
    if source.midi is None:
        return [_chart(source)]
    try:
        midi = read_midi(source.midi, "", resolution=_FINE if source.beats else TICKS_PER_BEAT)
    except RequestError as error:
        raise Skipped(error.reason) from error
    found, reasons = [], []
    if source.beats:
        midi, parts_sections = _on_beats(midi, source.beats)
    else:
        parts_sections = sections(midi)
    parts, programs = arrange(midi, _roles(source, midi))
    if source.electronic_kit and "drums" in parts:
        drums = Notes.join([t.notes for t in midi.tracks])
        parts = {
            "drums": in_range("drums", replace(drums, pitch=np.array([_TD11.get(int(p), int(p)) for p in drums.pitch])))
        }
    if not parts:
        raise Skipped("no track plays a part")
    least = MIN_BARS if len(parts_sections) == 1 else MIN_SECTION_BARS
    for section in parts_sections:
        try:
            found += _in_keys(_section_score(source, midi, parts, programs, section, least), source.key)
        except Skipped as reason:
            reasons.append((section.end - section.start, str(reason)))
    if not found:
        raise Skipped(max(reasons)[1] if reasons else "has no section in one metre")
    return found


def _roles(source: Source, midi: MidiFile) -> list[str | None] | None:
    if source.naming == "mma":
        return [_mma_role(t.name) for t in midi.tracks]
    if source.naming == "pop909":
        return [{"MELODY": "lead", "BRIDGE": None, "PIANO": "chords"}.get(t.name) for t in midi.tracks]
    return None


def _mma_role(name: str) -> str | None:
    """Part of a track named by MMA: the track type up to the dash."""
    kind = name.split("-")[0]
    if kind in ("Bass", "Walk"):
        return None if name.endswith(("Timp", "High", "Piccolo")) else "bass"
    if kind == "Drum" or kind.endswith("HiHat"):
        return "drums"
    return {
        "Melody": "lead",
        "Solo": "lead",
        "Chord": "chords",
        "Arpeggio": "chords",
        "Plectrum": "chords",
        "Scale": None,
    }.get(kind)


def _on_beats(midi: MidiFile, beats: BeatMap) -> tuple[MidiFile, list[Section]]:
    """Moves a performance's notes onto its annotated beats, and gives a section for each run of steady bars."""
    tracks = []
    for track in midi.tracks:
        onset, end = (
            np.floor(beats.numbers(midi.seconds(fine / _FINE)) * TICKS_PER_BEAT + 0.5).astype(np.int64)
            for fine in (track.notes.onset, track.notes.end)
        )
        notes = Notes(onset, track.notes.pitch, np.maximum(end - onset, 1), track.notes.velocity)
        tracks.append(replace(track, notes=notes.in_order()))
    last = max(int(t.notes.end.max()) for t in tracks)
    moved = MidiFile(tuple(tracks), ((0.0, beats.tempo),), (), midi.key, last / TICKS_PER_BEAT)
    bounds = [(start * TICKS_PER_BEAT, end * TICKS_PER_BEAT) for start, end in beats.stretches()]
    # The last run takes what rings on after it.
    bounds[-1] = (bounds[-1][0], max(bounds[-1][1], last))
    return moved, [Section(start, end, beats.metre, beats.metre) for start, end in bounds if end > start]


def _section_score(
    source: Source, midi: MidiFile, parts: dict[str, Notes], programs: dict[str, int], section: Section, least: int
) -> Score:
    if section.metre is None:
        raise Skipped(f"metre {section.signature} is not on the grid")
    bar = METRES[section.metre] * TICKS_PER_BEAT
    inside = {p: n.take((n.onset >= section.start) & (n.onset < section.end)) for p, n in parts.items()}
    inside = {p: n for p, n in inside.items() if len(n)}
    texture = Notes.join(list(inside.values()))
    if len(texture) < MIN_NOTES:
        raise Skipped(f"has fewer than {MIN_NOTES} notes")
    if off_grid(texture) > MAX_OFF_GRID:
        raise Skipped("notes are off the beat grid")
    start = section.start
    symbols = _file_chords(source)
    if source.pickup:
        pitched = Notes.join([n for p, n in inside.items() if p != "drums"])
        changes = np.array([round(c.onset * TICKS_PER_BEAT) - start for c in symbols], np.int64)
        phase = bar_phase(replace(pitched, onset=pitched.onset - start), bar, changes if len(changes) else None)
        start += phase - bar if phase else 0
    # Whole silent bars before the music are no music.
    start += (int(texture.onset[0]) - start) // bar * bar
    last = min(int(texture.onset.max()) + 1, section.end)
    bars = -(-(last - start) // bar)
    if bars < least:
        raise Skipped(f"is shorter than {least} bars")
    tempo = source.tempo or midi.tempo_between(section.start / TICKS_PER_BEAT, section.end / TICKS_PER_BEAT)
    score = to_score(inside, tempo=tempo, metre=section.metre, bars=bars, start=start, programs=programs)
    return replace(score, chords=joined(_shifted(symbols, start / TICKS_PER_BEAT, score.beats)))


def _in_keys(score: Score, label: str | None) -> list[Score]:
    """A score cut where it modulates, each piece with its chords and key."""
    if not any(p != "drums" for p in score.parts):
        return [score]
    found = []
    for first, bars in key_sections(score):
        section = score if bars == score.bars else score.section(first, bars)
        section = replace(section, parts={p: n for p, n in section.parts.items() if n})
        if sum(len(n) for n in section.parts.values()) >= MIN_NOTES:
            found.append(with_harmony(section, label))
    return found


def _file_chords(source: Source) -> list[Chord]:
    """Chord symbols of the corpus in beats of the score's axis."""
    rows = source.chords or ()
    if source.beats and rows:
        edges = np.array([(at, at + span) for at, span, _ in rows])
        starts, ends = np.floor(source.beats.numbers(edges.ravel()) + 0.5).reshape(-1, 2).T.tolist()
        rows = tuple((a, b - a, symbol) for a, b, (_, _, symbol) in zip(starts, ends, rows, strict=True))
    parsed = [(at, span, parse_chord(symbol)) for at, span, symbol in rows]
    return [Chord(at, span, *chord) for at, span, chord in parsed if chord is not None and span > 0]


def _shifted(chords: list[Chord], start: float, beats: int) -> list[Chord]:
    out = []
    for chord in chords:
        begin, end = max(chord.onset - start, 0.0), min(chord.onset + chord.duration - start, float(beats))
        if end > begin:
            out.append(replace(chord, onset=begin, duration=end - begin))
    return out


def _chart(source: Source) -> Score:
    if source.metre not in METRES:
        raise Skipped(f"metre {source.metre} is not on the grid")
    chords = joined(_file_chords(source))
    if not chords:
        raise Skipped("has no chords")
    per_bar = METRES[source.metre]
    first = int(chords[0].onset // per_bar) * per_bar
    end = max(c.onset + c.duration for c in chords)
    bars = int(-(-(end - first) // per_bar))
    if bars < MIN_BARS:
        raise Skipped(f"is shorter than {MIN_BARS} bars")
    score = Score(
        float(source.tempo or 110.0), source.metre, bars, {}, joined(_shifted(list(chords), first, bars * per_bar))
    )
    return with_harmony(score, source.key, tolerance=0.5)

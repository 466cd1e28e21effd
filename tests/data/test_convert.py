"""One source to pieces: metre, parts, drums, beats, chords, reasons to skip."""

from __future__ import annotations

from dataclasses import replace

import pytest
import symusic

from musicgen_ui.data.beats import LEAD_IN, BeatMap
from musicgen_ui.data.convert import convert
from musicgen_ui.data.sources import Skipped, Source
from musicgen_ui.music.midi import score_to_midi
from musicgen_ui.music.score import Chord, Note, Score

SCALE = (0, 2, 4, 5, 7, 9, 11)


def band(bars: int = 12, metre: str = "4/4", tempo: float = 100.0) -> Score:
    """Melody, comping, bass and drums in C major, a chord a bar."""
    beats = 3 if metre == "3/4" else 4
    lead, chords, bass, drums = [], [], [], []
    for beat in range(bars * beats):
        bar = beat // beats
        root = (0, 9, 5, 7)[bar % 4]
        lead.append(Note(float(beat), 72 + SCALE[(beat * 3 + bar) % 7], 0.75, 90))
        chords += [Note(float(beat), 60 + (root + step) % 12, 0.5, 70) for step in (0, 4 if root != 9 else 3, 7)]
        bass.append(Note(float(beat), 36 + root - (12 if root > 6 else 0), 0.75, 80))
        drums.append(Note(float(beat), 36 if beat % beats == 0 else 42, 0.25, 100))
    parts = {"lead": lead, "chords": sorted(chords), "bass": bass, "drums": drums}
    return Score(tempo, metre, bars, {p: tuple(n) for p, n in parts.items()}, programs=dict.fromkeys(parts, 0))


def source(score: Score | bytes, **more) -> Source:
    data = score if isinstance(score, bytes) else score_to_midi(score)
    return Source(**{"id": "x/1", "corpus": "x", "title": "X", "group": "x:1", "licence": "CC0", "midi": data, **more})


@pytest.mark.parametrize("metre", ["4/4", "3/4"])
def test_a_band_comes_through(metre):
    score = band(metre=metre)
    (found,) = convert(source(score, key="C major"))
    assert found.parts == score.parts
    assert (found.metre, found.bars, found.key) == (metre, 12, "C major")
    assert found.tempo == pytest.approx(100.0, abs=1e-3)
    beats = found.beats_per_bar
    expected = [(0, "maj"), (9, "min"), (5, "maj"), (7, "maj")]
    roots = [c.root for c in found.chords if c.onset < 4 * beats]
    assert roots == [root for root, _ in expected]


def test_written_chords_and_a_stated_tempo_win():
    chords = tuple((4.0 * i, 4.0, "Eb7" if i % 2 else "N") for i in range(12))
    (found,) = convert(source(band(), chords=chords, tempo=93.0))
    assert found.tempo == 93.0
    assert Chord(4.0, 4.0, 3, "7") in found.chords
    assert all(c.onset % 8 == 4 for c in found.chords if c.onset >= 4)


def test_silent_bars_before_the_music_are_left_out():
    late = band()
    late = replace(
        late,
        bars=15,
        parts={p: tuple(replace(n, onset=n.onset + 12) for n in notes) for p, notes in late.parts.items()},
    )
    chords = tuple((4.0 * i, 4.0, "D") for i in range(15))
    (found,) = convert(source(late, chords=chords))
    assert found.parts == band().parts
    assert found.bars == 12
    assert found.chords == (Chord(0.0, 48.0, 2, "maj"),)


def test_electronic_drums_are_mapped():
    hits = tuple(Note(i / 2, (22, 26, 58, 36)[i % 4], 0.1, 64) for i in range(64))
    (found,) = convert(source(Score(120.0, "4/4", 8, {"drums": hits}), electronic_kit=True))
    assert [n.pitch for n in found.notes("drums")[:4]] == [42, 46, 43, 36]
    assert (found.key, found.chords) == (None, ())


def test_names_of_the_accompaniment_generator():
    score = band()
    data = score_to_midi(score)
    for ours, theirs in (("lead", b"Melo"), ("chords", b"Chord-"), ("bass", b"Walk"), ("drums", b"Scale")):
        assert data.count(ours.encode()) == 1
        data = data.replace(ours.encode(), theirs)
    (found,) = convert(source(data, naming="mma"))
    assert set(found.parts) == {"chords", "bass"}


def test_notes_move_onto_annotated_beats():
    """The file's own ticks are at 100 BPM, while its music is at 80 with a first bar line at 0.4 s."""
    score = band()

    def file_beats(at: float) -> float:
        return 100 / 60 * (0.4 + at * 60 / 80)

    moved = {
        p: tuple(replace(n, onset=file_beats(n.onset), duration=n.duration * 100 / 80) for n in notes)
        for p, notes in score.parts.items()
    }
    data = score_to_midi(replace(score, bars=20, parts=moved))
    seconds = tuple(0.4 + i * 0.75 for i in range(48))
    chords = ((0.4, 3.0, "F:maj7"), (3.4, 33.0, "D:min"))
    given = source(data, beats=BeatMap(seconds, "4/4", ((0, 48, 0),)), chords=chords)
    (found,) = convert(given)
    assert found.tempo == pytest.approx(80.0)
    assert [n.onset for n in found.notes("bass")] == [float(i) for i in range(48)]
    assert found.chords == (Chord(0.0, 4.0, 5, "maj7"), Chord(4.0, 44.0, 2, "min"))
    assert LEAD_IN % 12 == 0


def test_a_change_of_metre_gives_two_pieces():
    first, second = band(8), band(8, "3/4")
    joined = {p: first.parts[p] + tuple(replace(n, onset=n.onset + 32) for n in second.parts[p]) for p in first.parts}
    file = symusic.Score.from_midi(score_to_midi(replace(first, bars=14, parts=joined)))
    file.time_signatures.append(symusic.TimeSignature(32 * file.tpq, 3, 4))
    pieces = convert(source(file.dumps_midi()))
    assert [(p.metre, p.bars) for p in pieces] == [("4/4", 8), ("3/4", 8)]
    assert pieces[0].parts == first.parts
    assert pieces[1].parts == second.parts


def test_a_modulation_gives_two_pieces_each_in_its_key():
    first, second = band(16), band(16).transposed(1)
    joined = {p: first.parts[p] + tuple(replace(n, onset=n.onset + 64) for n in second.parts[p]) for p in first.parts}
    pieces = convert(source(replace(first, bars=32, parts=joined)))
    assert [(p.bars, p.key) for p in pieces] == [(16, "C major"), (16, "Db major")]


def signature(numerator: int, power: int) -> bytes:
    return score_to_midi(band()).replace(b"\xff\x58\x04\x04\x02", bytes((0xFF, 0x58, 4, numerator, power)))


def jittered() -> Score:
    notes = tuple(Note((i * 7919 % 1151) / 24, 40 + i % 40, 0.25, 80) for i in range(400))
    return Score(100.0, "4/4", 12, {"chords": tuple(sorted(notes))})


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        pytest.param(b"", "is an empty file", id="empty"),
        pytest.param(b"MThd nothing", "is a damaged MIDI file", id="damaged"),
        pytest.param(signature(6, 3), "metre 6/8 is not on the grid", id="6/8"),
        pytest.param(signature(5, 2), "metre 5/4 is not on the grid", id="5/4"),
        pytest.param(band(3), "is shorter than 4 bars", id="short"),
        pytest.param(Score(99.0, "4/4", 9, {"lead": band(5).parts["lead"][:20]}), "fewer than 24 notes", id="few"),
        pytest.param(jittered(), "notes are off the beat grid", id="off-grid"),
        pytest.param(
            Score(99.0, "4/4", 9, {"drums": (Note(0.0, 3, 1.0, 9),) * 50}), "no track plays a part", id="no-part"
        ),
    ],
)
def test_reasons_to_skip(given, reason):
    with pytest.raises(Skipped, match=reason):
        convert(source(given))


def test_charts():
    chords = tuple((4.0 * i, 4.0, s) for i, s in enumerate(["N", "C:maj", "C:maj", "G:7", "A:min", "F:maj"]))
    chart = Source("c/1", "c", "C", "g", "CC0", chords=chords, metre="4/4", tempo=88.0)
    (found,) = convert(chart)
    assert found.parts == {}
    assert (found.bars, found.tempo, found.key) == (5, 88.0, "C major")
    assert found.chords[0] == Chord(0.0, 8.0, 0, "maj")
    with pytest.raises(Skipped, match="metre 12/8 is not on the grid"):
        convert(replace(chart, metre="12/8"))
    with pytest.raises(Skipped, match="has no chords"):
        convert(replace(chart, chords=((0.0, 40.0, "N"),)))
    with pytest.raises(Skipped, match="is shorter than 4 bars"):
        convert(replace(chart, chords=chords[:3]))

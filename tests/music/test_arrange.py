"""Tracks to parts: by name, by program, by what they play."""

from __future__ import annotations

import numpy as np
import pytest

from musicgen_ui.music.arrange import RANGES, Section, arrange, in_range, low_line, merge, sections, to_score
from musicgen_ui.music.midi_file import MidiFile, MidiTrack, Notes
from musicgen_ui.music.voices import polyphony

BAR = 96


def made(rows: list[tuple[int, int, int]]) -> Notes:
    table = np.array(rows, np.int64).reshape(-1, 3)
    return Notes(table[:, 0], table[:, 1], table[:, 2], np.full(len(table), 80)).in_order()


def melody(bars: int = 16, base: int = 72) -> Notes:
    tune = [0, 2, 4, 5, 7, 9, 7, 4]
    return made([(24 * i, base + tune[i % 8], 20) for i in range(4 * bars)])


def comping(bars: int = 16, base: int = 60) -> Notes:
    return made([(48 * i, base + step, 40) for i in range(2 * bars) for step in (0, 4, 7)])


def bassline(bars: int = 16, base: int = 36) -> Notes:
    return made([(48 * i, base + 7 * (i % 2), 40) for i in range(2 * bars)])


def beat(bars: int = 16) -> Notes:
    return made([(24 * i, 36 if i % 2 == 0 else 38, 6) for i in range(4 * bars)])


def file(*tracks: MidiTrack, metres: tuple = ()) -> MidiFile:
    end = max(int(t.notes.end.max()) for t in tracks)
    return MidiFile(tracks, ((0.0, 120.0),), metres, None, end / 24)


BAND = (
    MidiTrack("", 0, True, beat()),
    MidiTrack("", 33, False, bassline()),
    MidiTrack("", 0, False, comping()),
    MidiTrack("", 73, False, melody()),
)


def test_a_band_without_names():
    parts, programs = arrange(file(*BAND))
    assert {p: len(n) for p, n in parts.items()} == {"lead": 64, "chords": 96, "bass": 32, "drums": 64}
    assert programs == {"lead": 73, "chords": 0, "bass": 33, "drums": 0}


@pytest.mark.parametrize("order", [(3, 2, 1, 0), (1, 3, 0, 2)])
def test_the_order_of_tracks_does_not_matter(order):
    expected, _ = arrange(file(*BAND))
    found, _ = arrange(file(*(BAND[i] for i in order)))
    assert {p: n.rows() for p, n in found.items()} == {p: n.rows() for p, n in expected.items()}


def test_a_bass_without_a_bass_program_is_known_by_its_range():
    parts, _ = arrange(file(MidiTrack("", 42, False, bassline()), *BAND[2:]))
    assert parts["bass"].rows() == bassline().rows()


def test_names_help():
    tracks = (MidiTrack("Harmony", 0, False, melody(base=60)), MidiTrack("Lead vocal", 0, False, melody(base=67)))
    parts, _ = arrange(file(*tracks, MidiTrack("Piano", 0, False, comping())))
    assert parts["lead"].rows() == melody(base=67).rows()


def test_roles_that_the_corpus_knows_are_obeyed():
    midi = file(*BAND)
    parts, programs = arrange(midi, ["drums", "bass", None, "chords"])
    assert set(parts) == {"drums", "bass", "chords"}
    assert programs["chords"] == 73


def test_a_piano_alone_gives_melody_bass_and_chords():
    both_hands = Notes.join([melody(), comping(), bassline()])
    for tracks in ([both_hands], [melody(), Notes.join([comping(), bassline()])]):
        parts, programs = arrange(file(*(MidiTrack("", 0, False, n) for n in tracks)))
        assert parts["lead"].rows() == melody().rows()
        assert parts["bass"].rows() == bassline().rows()
        assert parts["chords"].rows() == comping().rows()
        assert set(programs.values()) == {0}


def test_voices_of_a_quartet():
    names = ("Violin 1", "Violin 2", "Viola", "Violoncello")
    lines = (melody(base=76), melody(base=69), melody(base=60), bassline(base=43))
    midi = file(*(MidiTrack(n, 40 + i, False, x) for i, (n, x) in enumerate(zip(names, lines, strict=True))))
    parts, _ = arrange(midi)
    assert parts["lead"].rows() == lines[0].rows()
    assert parts["bass"].rows() == lines[3].rows()
    assert len(parts["chords"]) == len(lines[1]) + len(lines[2])


def test_sound_effects_and_timpani_play_no_part():
    parts, _ = arrange(file(MidiTrack("", 127, False, melody()), MidiTrack("", 47, False, bassline())))
    assert parts == {}


@pytest.mark.parametrize("seed", range(8))
def test_whatever_comes_in_parts_keep_their_promises(seed):
    rng = np.random.default_rng(seed)
    tracks = []
    for _ in range(rng.integers(1, 9)):
        count = int(rng.integers(5, 400))
        rows = np.stack([rng.integers(0, 16 * BAR, count), rng.integers(0, 128, count), rng.integers(1, 200, count)], 1)
        tracks.append(MidiTrack("", int(rng.integers(128)), bool(rng.random() < 0.2), made(rows.tolist())))
    parts, programs = arrange(file(*tracks))
    heard = {(o, p % 12) for t in tracks if not t.is_drum for o, p, _, _ in t.notes.rows()}
    assert set(programs) <= set(parts)
    for part, notes in parts.items():
        low, high = RANGES[part]
        assert low <= notes.pitch.min() <= notes.pitch.max() <= high
        if part in ("lead", "bass"):
            assert (notes.onset[1:] >= notes.end[:-1]).all()
        if part != "drums":
            assert {(o, p % 12) for o, p, _, _ in notes.rows()} <= heard
    if "chords" in parts:
        assert np.unique(parts["chords"].onset, return_counts=True)[1].max() <= 6


def test_a_scattered_left_hand_is_no_bass():
    wide = made([(96 * i, 30 + i, 20) for i in range(0, 16, 4)])
    line, rest = low_line(Notes.join([wide, comping()]), 16 * BAR)
    assert len(line) == 0
    assert len(rest) == len(wide) + len(comping())


def test_drum_keys_outside_the_map_are_dropped():
    assert in_range("drums", made([(0, 5, 6), (0, 36, 6), (0, 120, 6)])).pitch.tolist() == [36]


@pytest.mark.parametrize(
    ("metres", "expected"),
    [
        ((), [(0, 16, "4/4")]),
        (((0, 3, 4),), [(0, 16, "3/4")]),
        (((0, 2, 2),), [(0, 16, "4/4")]),
        (((0, 2, 4), (32, 4, 4)), [(0, 16, "4/4")]),
        (((0, 4, 4), (30, 2, 4)), [(0, 7.5, "4/4"), (7.5, 16, "4/4")]),
        (((0, 6, 8), (32, 3, 4)), [(0, 8, None), (8, 16, "3/4")]),
        (((0, 4, 4), (32, 6, 8), (48, 6, 8)), [(0, 8, "4/4"), (8, 16, None)]),
        (((16, 3, 4),), [(0, 4, "4/4"), (4, 16, "3/4")]),
        (((0, 3, 4), (0, 4, 4)), [(0, 16, "4/4")]),
    ],
)
def test_sections_of_steady_metre(metres, expected):
    midi = file(MidiTrack("", 0, False, made([(24 * i, 60, 24) for i in range(64)])), metres=metres)
    assert [(s.start / BAR, s.end / BAR, s.metre) for s in sections(midi)] == expected


def test_a_section_of_a_foreign_metre_says_which():
    midi = file(MidiTrack("", 0, False, melody()), metres=((0, 7, 8),))
    assert sections(midi) == [Section(0, 16 * BAR - 4, None, "7/8")]


def test_a_score_is_cut_at_both_ends():
    score = to_score({"lead": melody()}, tempo=100, metre="4/4", bars=2, start=BAR)
    assert [n.onset for n in score.notes("lead")] == [float(i) for i in range(8)]
    assert score.notes("lead")[0].pitch == 79
    long = to_score({"lead": made([(90, 60, 500)])}, tempo=100, metre="4/4", bars=1)
    assert long.notes("lead")[0].duration == 0.25


def test_polyphony_counts_notes_that_begin_together():
    assert polyphony(comping()) == 3.0


EIGHT = (
    MidiTrack("Drums", 0, True, beat()),
    MidiTrack("Percussion", 0, True, made([(12 * i, 42, 6) for i in range(128)])),
    MidiTrack("Bass", 33, False, bassline()),
    MidiTrack("Melody", 73, False, melody()),
    MidiTrack("Piano", 0, False, comping()),
    MidiTrack("Strings", 48, False, comping(base=67)),
    MidiTrack("Organ", 16, False, made([(96 * i + 12, 58 + step, 60) for i in range(16) for step in (0, 4, 7, 11)])),
    MidiTrack("Timpani", 47, False, made([(96 * i, 41, 24) for i in range(16)])),
)


def test_eight_tracks_are_merged_and_no_note_of_a_playable_track_is_lost():
    parts, programs, left_out = merge(file(*EIGHT))
    assert [track.name for track in left_out] == ["Timpani"]
    assert programs["lead"] == 73
    assert programs["bass"] == 33
    played = {(part, onset, pitch) for part, notes in parts.items() for onset, pitch, _, _ in notes.rows()}
    for track in EIGHT[:-1]:
        homes = [
            part for part in parts
            if {(part, onset, pitch) for onset, pitch, _, _ in track.notes.rows()} <= played
        ]  # fmt: skip
        assert homes, f"{track.name} lost notes"
    assert len(parts["drums"]) == 64 + 128
    assert max(np.unique(parts["chords"].onset, return_counts=True)[1]) <= 12


def test_a_merged_part_still_sounds_no_pitch_twice_and_stays_in_range():
    doubled = (*EIGHT, MidiTrack("Choir", 52, False, comping(base=96)))
    parts, _, _ = merge(file(*doubled))
    low, high = RANGES["chords"]
    rows = parts["chords"].rows()
    assert all(low <= pitch <= high for _, pitch, _, _ in rows)
    ends: dict[int, int] = {}
    for onset, pitch, duration, _ in rows:
        assert ends.get(pitch, 0) <= onset
        ends[pitch] = onset + duration


def test_a_keyboard_file_is_merged_hand_by_hand():
    hands = [MidiTrack("", 0, False, comping(base=72)), MidiTrack("", 0, False, comping(base=48))]
    parts, programs, left_out = merge(file(*hands))
    assert not left_out
    assert set(programs.values()) == {0}
    assert sum(len(notes) for notes in parts.values()) == sum(len(hand.notes) for hand in hands)

"""Score to MIDI and back: exact, deterministic, and safe against files that nobody vouches for."""

from __future__ import annotations

import hashlib
import struct
import subprocess
import sys
from contextlib import suppress

import numpy as np
import pretty_midi
import pytest

from musicgen_ui.errors import RequestError
from musicgen_ui.music.midi import CHANNELS, read_comment, read_midi, score_from_midi, score_to_midi
from musicgen_ui.music.midi_file import MAX_BYTES, MAX_NOTES
from musicgen_ui.music.score import PARTS, Note, Score, from_ticks
from musicgen_ui.music.theory import KEYS

RANGES = {"lead": (60, 84), "chords": (48, 72), "bass": (28, 50), "drums": (35, 59)}


def random_score(seed: int, *, bars: int = 4, metre: str = "4/4", key: str | None = "A minor") -> Score:
    """Notes anywhere on the 1/24-beat grid; no pitch overlaps itself; lead and bass sound one note at a time."""
    rng = np.random.default_rng(seed)
    ticks = bars * (72 if metre == "3/4" else 96)
    parts = {}
    for part in PARTS:
        low, high = RANGES[part]
        onsets = np.sort(rng.choice(ticks - 1, size=40, replace=False))
        ends = np.append(onsets[1:], ticks)
        notes = [
            Note(from_ticks(int(a)), int(rng.integers(low, high)), from_ticks(int(rng.integers(1, b - a + 1))), int(v))
            for a, b, v in zip(onsets, ends, rng.integers(1, 128, size=40), strict=True)
        ]
        parts[part] = tuple(notes)
    return Score(96.0, metre, bars, parts, key=key, programs={"lead": 73, "chords": 4, "bass": 35, "drums": 8})


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("metre", ["4/4", "3/4"])
def test_what_is_written_is_read_again(seed, metre):
    score = random_score(seed, metre=metre)
    again = score_from_midi(score_to_midi(score))
    assert again.parts == score.parts
    assert (again.metre, again.bars, dict(again.programs)) == (score.metre, score.bars, dict(score.programs))
    assert again.tempo == pytest.approx(score.tempo, abs=1e-3)


@pytest.mark.parametrize("parts", [("lead",), ("chords",), ("drums",), ("bass", "drums"), ("lead", "chords")])
def test_a_part_stays_the_part_it_was(parts):
    score = random_score(7).with_parts(parts)
    assert score_from_midi(score_to_midi(score)).parts == score.parts


def test_a_second_round_changes_nothing():
    data = score_to_midi(random_score(1))
    first = score_from_midi(data)
    assert score_from_midi(score_to_midi(first)) == first


def test_times_in_seconds_as_another_library_reads_them(tmp_path):
    score = random_score(3)
    score_to_midi(score, tmp_path / "a.mid")
    other = pretty_midi.PrettyMIDI(str(tmp_path / "a.mid"))
    assert [i.name for i in other.instruments] == list(PARTS)
    assert [i.is_drum for i in other.instruments] == [False, False, False, True]
    for instrument in other.instruments:
        expected = [(n.onset, n.onset + n.duration, n.pitch, n.velocity) for n in score.notes(instrument.name)]
        found = sorted((n.start * 1.6, n.end * 1.6, n.pitch, n.velocity) for n in instrument.notes)
        np.testing.assert_allclose(found, sorted(expected), atol=1e-4)
    assert [(s.numerator, s.denominator) for s in other.time_signature_changes] == [(4, 4)]


@pytest.mark.parametrize("key", KEYS)
def test_key_signatures(key, tmp_path):
    score_to_midi(random_score(0, key=key), tmp_path / "a.mid")
    (signature,) = pretty_midi.PrettyMIDI(str(tmp_path / "a.mid")).key_signature_changes
    assert signature.key_number == KEYS.index(key)


def test_the_same_score_gives_the_same_bytes_in_another_process():
    code = (
        "import hashlib; from musicgen_ui.music.midi import score_to_midi; from musicgen_ui.music.score import *;"
        "s = Score(101.5, '3/4', 2, {'lead': (Note(.5, 60, 1., 90),), 'drums': (Note(0, 36, .25, 99),)},"
        "key='D minor');"
        "print(hashlib.sha256(score_to_midi(s, comment='{}')).hexdigest())"
    )
    score = Score(
        101.5, "3/4", 2, {"drums": (Note(0, 36, 0.25, 99),), "lead": (Note(0.5, 60, 1.0, 90),)}, key="D minor"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert hashlib.sha256(score_to_midi(score, comment="{}")).hexdigest() == other


@pytest.mark.parametrize("comment", ['{"seed": 7}', "naïve ♯ ♭ 音楽", "x" * 5000, ""])
def test_comments(comment):
    data = score_to_midi(random_score(0), comment=comment)
    assert read_comment(data) == comment
    assert score_from_midi(data).parts == random_score(0).parts


@pytest.mark.parametrize("data", [b"", b"MThd", b"RIFF....", score_to_midi(random_score(0))])
def test_a_file_without_a_comment(data):
    assert read_comment(data) is None


def test_a_note_without_length_gets_the_shortest():
    score = Score(120.0, "4/4", 1, {"lead": (Note(1.0, 60, 0.0, 80),)})
    (note,) = score_from_midi(score_to_midi(score)).notes("lead")
    assert note.duration == from_ticks(1)


def test_a_repeated_note_is_not_cut_short_and_an_overlapping_one_ends_where_the_next_begins():
    notes = (Note(0.0, 60, 1.0, 80), Note(1.0, 60, 1.0, 80), Note(1.5, 60, 1.0, 80))
    again = score_from_midi(score_to_midi(Score(120.0, "4/4", 1, {"chords": notes}))).notes("chords")
    assert [(n.onset, n.duration) for n in again] == [(0.0, 1.0), (1.0, 0.5), (1.5, 1.0)]


def test_drums_play_on_channel_ten_and_explicit_programs_win():
    data = score_to_midi(random_score(0), programs={"lead": 40})
    assert bytes((0xC0 | CHANNELS["drums"], 8)) in data
    assert CHANNELS["drums"] == 9
    assert score_from_midi(data).programs["lead"] == 40


def track(body: bytes) -> bytes:
    body += b"\x00\xff\x2f\x00"
    return b"MTrk" + struct.pack(">I", len(body)) + body


def smf(*bodies: bytes, kind: int = 1, division: int = 480) -> bytes:
    return b"MThd" + struct.pack(">IHHH", 6, kind, len(bodies), division) + b"".join(map(track, bodies))


NOTE = b"\x00\x90\x3c\x40\x83\x60\x80\x3c\x40"
MANY = b"\x00\x90\x3c\x40" + b"\x01\x3c\x00\x00\x3c\x40" * (MAX_NOTES + 1) + b"\x01\x3c\x00"

BAD = [
    pytest.param(b"", "is an empty file", id="empty"),
    pytest.param(b"RIFF\0\0\0\0WAVEfmt ", "is not a MIDI file", id="a-wav"),
    pytest.param(b"MThd\0\0", "ends within its header", id="half-a-header"),
    pytest.param(smf(NOTE)[:-8], "is a damaged MIDI file", id="truncated"),
    pytest.param(smf(b""), "has no notes", id="no-notes"),
    pytest.param(smf(b"\x00\xff\x51\x03\x00\x00\x00" + NOTE), "has a tempo that cannot be played", id="zero-tempo"),
    pytest.param(smf(*[NOTE] * 200), "has 200 tracks; at most", id="200-tracks"),
    pytest.param(smf(MANY), "notes; at most", id="too-many-notes"),
    pytest.param(smf(NOTE * 1_000_000), "is larger than 4 MB", id="a-million-notes"),
    pytest.param(smf(NOTE, kind=2), "is not a MIDI file of type 0 or 1", id="type-2"),
    pytest.param(smf(NOTE, division=0xE728), "counts time in film frames", id="smpte"),
    pytest.param(smf(NOTE, division=0), "counts time in film frames", id="no-division"),
    pytest.param(smf(b"\xff\xff\xff\x7f\x90\x3c\x40\x01\x80\x3c\x40"), "which is too long", id="days-long"),
    pytest.param(smf(b"\x00\x3c\x40\x00"), "is a damaged MIDI file", id="status-missing"),
]


@pytest.mark.parametrize(("data", "reason"), BAD)
def test_a_bad_file_is_named_with_what_is_wrong(data, reason, tmp_path):
    path = tmp_path / "song.mid"
    path.write_bytes(data)
    with pytest.raises(RequestError, match=reason) as caught:
        score_from_midi(path)
    assert caught.value.argument == "song.mid"
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["missing.mid", "."])
def test_what_is_no_file(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RequestError, match="there is no such file") as caught:
        read_midi(path)
    assert caught.value.argument == path


def test_the_size_is_checked_before_the_file_is_read(tmp_path):
    path = tmp_path / "big.mid"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(RequestError, match=r"big\.mid: is larger than 4 MB"):
        read_midi(path)


def test_every_beginning_of_a_file_is_read_or_refused():
    data = score_to_midi(random_score(5), comment="x")
    for end in range(len(data)):
        with pytest.raises(RequestError, match=r"x: is (a|an|not a) "):
            read_midi(data[:end], "x")


def test_damage_anywhere_is_read_or_refused(rng):
    data = score_to_midi(random_score(6, bars=2))
    for _ in range(300):
        broken = bytearray(data)
        for at in rng.integers(14, len(data), size=rng.integers(1, 4)):
            broken[at] = rng.integers(256)
        with suppress(RequestError):
            score = score_from_midi(bytes(broken), "x")
            assert all(0 <= n.pitch <= 127 and 1 <= n.velocity <= 127 and n.duration > 0 for n in score.pitched)


def test_a_metre_that_the_grid_lacks_is_read_in_bars_of_four():
    data = smf(b"\x00\xff\x58\x04\x06\x03\x18\x08" + NOTE * 8)
    score = score_from_midi(data)
    assert score.metre == "4/4"
    assert len(score.pitched) == 8

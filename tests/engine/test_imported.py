"""A person's file keeps its notes and gets its bars; what nobody could write to is refused in one sentence."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pretty_midi
import pytest

from musicgen_ui.engine.imported import read_music
from musicgen_ui.errors import RequestError
from musicgen_ui.music.midi import score_to_midi
from musicgen_ui.music.score import Note, Score
from musicgen_ui.source import MAX_BARS


def melody(pitches, *, start=0.0, length=1.0):
    return tuple(Note(start + i * length, pitch, length, 90) for i, pitch in enumerate(pitches))


TUNE = melody((60, 62, 64, 65, 67, 65, 64, 62, 60, 64, 67, 64, 60, 62, 64, 60))


def midi(tracks, *, tempo=120.0, signatures=((4, 4, 0.0),), tempos=None, path):
    """A file of (name, program, notes); times of signatures in seconds."""
    file = pretty_midi.PrettyMIDI(initial_tempo=tempo)
    file.time_signature_changes = [pretty_midi.TimeSignature(n, d, at) for n, d, at in signatures]
    for name, program, notes in tracks:
        track = pretty_midi.Instrument(program, name=name, is_drum=name == "Drums")
        beat = 60.0 / tempo
        track.notes = [
            pretty_midi.Note(n.velocity, n.pitch, n.onset * beat, (n.onset + n.duration) * beat) for n in notes
        ]
        file.instruments.append(track)
    file.write(str(path))
    return path


def test_what_we_wrote_is_read_note_for_note(tmp_path):
    score = Score(93.0, "3/4", 4, {"lead": TUNE[:12], "bass": melody((36, 43, 36), length=3.0)}, key="C major")
    data = score_to_midi(score)
    music = read_music(data, "song.mid")
    assert music.score.parts == score.parts
    assert (music.score.metre, music.score.bars, music.score.key) == ("3/4", 4, "C major")
    assert music.score.chords
    assert music.sha256 == hashlib.sha256(data).hexdigest()
    assert music.remarks == ()
    (tmp_path / "song.mid").write_bytes(data)
    assert read_music(tmp_path / "song.mid") == music


@pytest.mark.parametrize(
    ("keep", "part"), [((), "lead"), (("bass",), "bass"), (("chords",), "chords"), (("lead", "bass"), "lead")]
)
def test_a_line_alone_is_what_it_is_taken_for(tmp_path, keep, part):
    file = midi([("Track 1", 48, TUNE[:5])], path=tmp_path / "a.mid")
    assert set(read_music(file, keep=keep).score.parts) == {part}


def test_notes_outside_a_parts_range_stay_where_they_are(tmp_path):
    low = tuple(replace(n, pitch=n.pitch - 36) for n in TUNE)
    music = read_music(midi([("cello", 42, low)], path=tmp_path / "a.mid"), keep=("lead",))
    assert [n.pitch for n in music.score.notes("lead")] == [n.pitch for n in low]


def test_triplets_and_early_notes_stay_where_they_are(tmp_path):
    notes = (*(Note(i / 3, 60 + i, 1 / 3, 90) for i in range(6)), Note(3.875, 72, 1.0, 90))
    music = read_music(midi([("", 73, notes)], path=tmp_path / "a.mid"))
    for name in ("onset", "duration"):
        assert [getattr(n, name) for n in music.score.notes("lead")] == pytest.approx([getattr(n, name) for n in notes])


def test_the_last_note_is_not_cut_at_the_bar_line(tmp_path):
    notes = (*TUNE[:7], Note(7.0, 60, 5.0, 90))
    score = read_music(midi([("", 73, notes)], path=tmp_path / "a.mid")).score
    assert score.notes("lead")[-1].duration == 5.0
    assert score.bars == 3


def test_a_short_first_bar_is_a_pickup(tmp_path):
    file = midi([("", 73, TUNE)], signatures=((1, 4, 0.0), (4, 4, 0.5)), path=tmp_path / "a.mid")
    score = read_music(file).score
    assert score.notes("lead")[0].onset == 3.0
    assert score.bars == 5


def test_a_pickup_is_heard_where_the_harmony_tells_it(tmp_path):
    chords = [n for bar, root in enumerate((60, 65, 67, 60, 57, 65, 67, 60)) for n in
              (Note(1.0 + 4 * bar, root, 4.0, 80), Note(1.0 + 4 * bar, root + 4, 4.0, 80))]  # fmt: skip
    bass = [Note(1.0 + 4 * bar, root - 24, 4.0, 80) for bar, root in enumerate((60, 65, 67, 60, 57, 65, 67, 60))]
    tune = melody([67, *(72, 71, 69, 67) * 8])
    file = midi([("melody", 73, tune), ("piano chords", 0, chords), ("bass", 33, bass)], path=tmp_path / "a.mid")
    music = read_music(file)
    assert music.score.notes("lead")[0].onset == 3.0
    assert music.score.notes("bass")[0].onset == 4.0
    assert music.remarks == ("it is heard to open with a pickup of 1 beat",)


def test_a_change_of_tempo_is_told(tmp_path):
    path = tmp_path / "a.mid"
    file = pretty_midi.PrettyMIDI(initial_tempo=100)
    file._tick_scales = [(0, 60 / (100 * 220)), (220 * 12, 60 / (150 * 220))]
    file._update_tick_to_time(220 * 40)
    track = pretty_midi.Instrument(73)
    at = file.tick_to_time
    track.notes = [pretty_midi.Note(90, n.pitch, at(int(220 * n.onset)), at(int(220 * (n.onset + 1)))) for n in TUNE]
    file.instruments.append(track)
    file.write(str(path))
    music = read_music(path)
    assert music.score.tempo == pytest.approx(100.0, abs=0.1)
    assert [n.onset for n in music.score.notes("lead")] == [n.onset for n in TUNE]
    assert "tempo changes" in music.remarks[0]


def test_tracks_that_no_part_can_play_are_told(tmp_path):
    file = midi([("melody", 73, TUNE), ("Timpani", 47, TUNE)], path=tmp_path / "a.mid")
    assert read_music(file).remarks == ("no part can play Timpani",)


def refuses(file, reason):
    with pytest.raises(RequestError, match=reason) as caught:
        read_music(file, "my.mid")
    assert caught.value.argument == "my.mid"
    assert "\n" not in str(caught.value)


def test_metres_that_cannot_be_written_are_refused(tmp_path):
    refuses(midi([("", 73, TUNE)], signatures=((7, 8, 0.0),), path=tmp_path / "a.mid"), "is in 7/8; only 4/4 and 3/4")
    changes = ((4, 4, 0.0), (3, 4, 4.0))
    refuses(midi([("", 73, TUNE)], signatures=changes, path=tmp_path / "b.mid"), "changes between 4/4 and 3/4")


def test_music_without_a_beat_is_refused(tmp_path):
    rng = np.random.default_rng(3)
    notes = tuple(Note(float(t), 60 + i % 12, 0.2, 90) for i, t in enumerate(np.sort(rng.uniform(0, 32, 120))))
    refuses(midi([("", 73, notes)], path=tmp_path / "a.mid"), "follows no beat")


def test_what_is_too_long_is_refused(tmp_path):
    late = Note(4.0 * MAX_BARS, 60, 1.0, 90)
    refuses(midi([("", 73, (*TUNE, late))], path=tmp_path / "a.mid"), "has 257 bars; at most 256")
    slow = Note(4.0 * 200, 60, 1.0, 90)
    refuses(midi([("", 73, (*TUNE, slow))], tempo=40.0, path=tmp_path / "b.mid"), "lasts 20 minutes")


@pytest.mark.parametrize("data", [b"", b"MThd", b"RIFF" * 9, b"MThd\x00\x00\x00\x06\x00\x01\x00\x09\x01\xe0"])
def test_what_is_no_midi_file_is_refused(data):
    refuses(data, "file")


def test_a_missing_file_is_refused(tmp_path):
    refuses(tmp_path / "none.mid", "no such file")


@pytest.mark.parametrize("seed", range(25))
def test_a_damaged_file_gives_music_or_a_sentence(seed):
    """One to eight bytes changed anywhere."""
    rng = np.random.default_rng(seed)
    data = bytearray(score_to_midi(Score(100.0, "4/4", 4, {"lead": TUNE, "bass": TUNE})))
    for at in rng.integers(0, len(data), rng.integers(1, 9)):
        data[at] = rng.integers(256)
    with suppress(RequestError):
        music = read_music(bytes(data))
        assert 1 <= music.score.bars <= MAX_BARS
        assert all(0 <= n.onset < music.score.beats for notes in music.score.parts.values() for n in notes)

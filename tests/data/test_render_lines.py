"""Lines for the raw-audio WaveNet: monophonic, in tune with their labels, the same for a seed, and self-describing."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from musicgen_ui.audio.soundfont import embedded_path
from musicgen_ui.data import render_lines
from musicgen_ui.data.pieces import PieceStore
from musicgen_ui.data.render_folder import audio_path
from musicgen_ui.data.render_lines import BASSES, LEADS, LineConfig, LineRecorder, parts_of, pitches_of, prepare_lines
from musicgen_ui.errors import RequestError
from musicgen_ui.models.wavenet.excitation import TONE_SIZE, Tone
from musicgen_ui.models.wavenet.frames import HOP, RATE
from musicgen_ui.music.instruments import CHOICES, program_number

CONFIG = LineConfig(seed=3, lines=2, drills=1, held_out=1, seconds=2.5)
FLUTE, BASS = 73, 33


@pytest.fixture(scope="module")
def narrow():
    """Few pitches, so that an instrument takes a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render_lines, "pitches_of", lambda program: (36, 48) if program in BASSES else (60, 72))
        yield patch


@pytest.fixture(scope="module")
def recorder(renderer, pieces, narrow) -> LineRecorder:
    return LineRecorder(renderer, PieceStore(pieces), CONFIG)


@pytest.fixture(scope="module")
def flute(recorder) -> dict[str, np.ndarray]:
    return recorder.record(FLUTE)


def test_the_shapes_are_as_told(flute):
    count = CONFIG.lines + CONFIG.drills + 2 * CONFIG.held_out
    assert flute["audio"].shape == (count, CONFIG.raw_samples)
    assert flute["audio"].dtype == np.int16
    assert CONFIG.raw_samples % HOP == 0
    assert sorted(flute["split"].tolist()) == [0] * (CONFIG.lines + CONFIG.drills) + [1, 2]
    assert flute["brightness"][flute["split"] == 2] == 0.0
    assert flute["tones"].shape == (13, TONE_SIZE)


def test_lines_are_monophonic_and_in_range(flute):
    for number in range(len(flute["audio"])):
        notes = flute["notes"][flute["notes"][:, 0] == number, 1:]
        assert len(notes) > 2
        assert (notes[:, 1] > notes[:, 0]).all()
        assert (notes[1:, 0] >= notes[:-1, 1]).all()
        assert notes[:, 2].min() >= 60
        assert notes[:, 2].max() <= 72


def test_nothing_sounds_before_the_first_note(flute):
    for number, audio in enumerate(flute["audio"].astype(np.float64)):
        first = flute["notes"][flute["notes"][:, 0] == number, 1].min()
        assert first == 0 or np.abs(audio[: first - 32]).max(initial=0.0) < 0.01 * np.abs(audio).max()
        assert np.abs(audio[first : first + RATE // 5]).max() > 0.02 * np.abs(audio).max()


def test_the_sound_has_the_pitch_that_notes_and_tones_say(recorder):
    arrays = recorder.record(FLUTE)
    checked = 0
    for number, start, end, pitch, _ in arrays["notes"].tolist():
        cents = Tone.from_row(arrays["tones"][pitch - 60]).cents
        if end - start < RATE // 3 or end > CONFIG.raw_samples:
            continue
        part = arrays["audio"][number, start + 1200 : end].astype(np.float64)
        spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 1 << 17))
        expected = 440.0 * 2.0 ** ((pitch - 69) / 12 + cents / 1200)
        near = np.fft.rfftfreq(1 << 17, 1 / RATE)
        inside = np.abs(np.log2(near[1:] / expected)) < 0.04
        found = near[1:][inside][np.argmax(spectrum[1:][inside])]
        assert abs(1200 * np.log2(found / expected)) < 25.0
        checked += 1
    assert checked >= 1


def test_a_seed_gives_the_same_line_and_another_gives_others(recorder, renderer, pieces, flute):
    again = recorder.record(FLUTE)
    for name, value in flute.items():
        np.testing.assert_array_equal(value, again[name])
    other = LineRecorder(renderer, PieceStore(pieces), replace(CONFIG, seed=4)).record(FLUTE)
    assert not np.array_equal(other["notes"], flute["notes"])


def test_the_folder_says_what_it_holds_and_keeps_to_it(pieces, narrow, monkeypatch, tmp_path):
    monkeypatch.setattr(render_lines, "LEADS", (FLUTE,))
    monkeypatch.setattr(render_lines, "BOTH", ())
    monkeypatch.setattr(render_lines, "BASSES", (BASS,))
    lines: list[str] = []
    small = replace(CONFIG, lines=1)
    made = prepare_lines(pieces, tmp_path, small, soundfont=embedded_path(), log=lines.append)
    assert made == [BASS, FLUTE]
    assert len(lines) == 2
    facts = json.loads((tmp_path / "lines.json").read_text(encoding="utf-8"))
    assert facts["config"]["seed"] == 3
    assert facts["corpora"] == {"own": ["CC0"]}
    assert len(facts["soundfont"]["sha256"]) == 64
    assert [row[0] for row in facts["programs"]] == made
    written = audio_path(tmp_path, f"p{BASS:03d}").stat().st_mtime_ns
    assert prepare_lines(pieces, tmp_path, small, soundfont=embedded_path()) == made
    assert audio_path(tmp_path, f"p{BASS:03d}").stat().st_mtime_ns == written
    with pytest.raises(RequestError, match="another configuration"):
        prepare_lines(pieces, tmp_path, replace(small, seed=9), soundfont=embedded_path())


def test_the_studio_offers_every_instrument_that_is_learned():
    for part in ("lead", "bass"):
        offered = {program_number(part, name) for name in CHOICES[part]}
        assert offered >= {program for program in (*LEADS, *BASSES, 0) if part in parts_of(program)}
    assert pitches_of(0)[0] < pitches_of(FLUTE)[0]
    assert pitches_of(BASS)[1] < pitches_of(FLUTE)[1]

"""Waveform, piano roll, spectrogram: what they show is what is in the clip."""

from __future__ import annotations

import base64
import io
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from musicgen_ui.music.score import Chord, Note, Score
from musicgen_ui.ui.roll import chord_name, roll_html
from musicgen_ui.ui.spectrogram import COLUMNS, TOP_HZ, mel_columns, spectrogram_html
from musicgen_ui.ui.waveform import STROKES, peaks, waveform_html

SAMPLE_RATE = 44_100


def tone(hertz: float, seconds: float = 2.0) -> np.ndarray:
    wave = 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE)
    return np.stack([wave, wave]).astype(np.float32)


SCORE = Score(
    120.0, "4/4", 4,
    {"lead": (Note(0.0, 72, 1.0, 100), Note(15.5, 84, 4.0, 30)), "bass": (), "drums": (Note(2.0, 36, 0.2, 90),)},
    (Chord(0.0, 8.0, 0, "maj"), Chord(8.0, 8.0, 6, "min7")), "C major",
)  # fmt: skip


def test_peaks_follow_loudness() -> None:
    samples = np.concatenate([tone(440, 1.0) * 0.1, tone(440, 1.0)], axis=1)
    heights = peaks(samples, 10)
    assert heights[:4] == pytest.approx(0.1, abs=0.02)
    assert heights[6:] == pytest.approx(1.0, abs=0.02)


def test_silence_and_very_short_clips_have_a_waveform() -> None:
    assert not peaks(np.zeros((2, 5000), np.float32)).any()
    assert waveform_html(np.zeros((2, 50), np.float32), SAMPLE_RATE).count("<path") == 2


def test_waveform_has_one_stroke_a_column_and_says_the_length() -> None:
    html = waveform_html(tone(440, 61.0), SAMPLE_RATE)
    assert html.count("M") == 2 * STROKES
    assert "1:01" in html
    assert 'role="slider"' in html


def test_roll_draws_every_note_inside_the_picture() -> None:
    html = roll_html(SCORE, {"lead": "flute <b>"})
    svg = ET.fromstring(re.search(r"<svg.*?</svg>", html, re.DOTALL)[0])
    rects = list(svg.iter("rect"))
    assert len(rects) == 3
    for rect in rects:
        left, width = (float(rect.get(name).rstrip("%")) for name in ("x", "width"))
        assert 0 <= left < 100
        assert left + width <= 100.001
        assert 0 <= float(rect.get("y")) <= float(svg.get("height"))
    higher, lower = float(rects[1].get("y")), float(rects[0].get("y"))
    assert higher < lower
    assert "flute &lt;b&gt;" in html
    assert "F♯m7" in html
    assert "lead 2 notes, bass 0 notes, drums 1 notes" in html


def test_roll_of_an_empty_score_is_a_picture() -> None:
    assert "<svg" in roll_html(Score(90.0, "3/4", 2, {"lead": ()}), {})


def test_chord_names_are_thinned_so_that_none_overlap() -> None:
    chords = tuple(Chord(float(beat), 1.0, beat % 12, "min7") for beat in range(256))
    names = re.findall(r'<span style="left:([\d.]+)%"', roll_html(Score(120.0, "4/4", 64, {"lead": ()}, chords), {}))
    gaps = np.diff(sorted(map(float, names)))
    assert gaps.min() * 7.0 > 30


def test_chord_symbols() -> None:
    names = [chord_name(Chord(0, 1, root, quality)) for root, quality in ((0, "maj"), (10, "7"), (6, "dim"))]
    assert names == ["C", "B♭7", "F♯dim"]


@pytest.mark.parametrize("hertz", [250.0, 1000.0, 6000.0])
def test_a_tone_is_brightest_at_its_own_height(hertz: float) -> None:
    levels = mel_columns(tone(hertz), SAMPLE_RATE)
    row = int(levels.mean(axis=1).argmax())
    mel = row / levels.shape[0]

    def height(hz: float) -> float:
        return hz * 3 / 200 if hz < 1000 else 15 + np.log(hz / 1000) * 27 / np.log(6.4)

    assert mel == pytest.approx(height(hertz) / height(TOP_HZ), abs=0.03)


@pytest.mark.parametrize("seconds", [0.1, 20.0, 130.0])
def test_no_clip_makes_more_columns_than_the_picture_has(seconds: float) -> None:
    levels = mel_columns(tone(440, seconds), SAMPLE_RATE)
    assert 1 <= levels.shape[1] <= COLUMNS
    assert levels.max() == pytest.approx(0.0, abs=1e-3)
    assert levels.min() >= -80.001


def test_spectrogram_carries_its_axes_as_text_and_one_picture() -> None:
    html = spectrogram_html(tone(1000, 8.0), SAMPLE_RATE)
    assert html.count("data:image/png;base64,") == 1
    for version in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        words = re.findall(r"<text[^>]*>([^<]*)</text>", version)
        assert {"seconds", "Hz", "0", "1k", "10k"} <= set(words)
    picture = Image.open(io.BytesIO(base64.b64decode(re.search(r"base64,([^)]*)\)", html)[1]))).convert("L")
    rows = np.asarray(picture).mean(axis=1)
    assert rows.argmax() > len(rows) * 0.55, "low frequencies belong at the bottom"
    assert len(html) < 250_000
    assert "#010203" not in html
    assert "<style" not in html

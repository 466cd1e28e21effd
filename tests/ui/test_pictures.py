"""Waveform, piano roll, mel spectrogram, chroma, MFCC, sheet: what they show is what is in the clip."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from musicgen_ui.audio.waveform import write_wav
from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import Chord, Note, Score
from musicgen_ui.music.score_json import score_to_dict
from musicgen_ui.recipe import Recipe
from musicgen_ui.ui.figure import MOST, Figure, columns, figure_html, image_html
from musicgen_ui.ui.figures import KINDS, PICTURES, draw
from musicgen_ui.ui.roll import chord_name, roll_figure
from musicgen_ui.ui.spectrogram import TOP_HZ, chroma_levels, mel_figure, mel_levels, mfcc_levels
from musicgen_ui.ui.waveform import PER_SECOND, envelope, waveform_figure

SAMPLE_RATE = 44_100


def tone(hertz: float, seconds: float = 2.0) -> np.ndarray:
    wave = 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE)
    return np.stack([wave, wave]).astype(np.float32)


SCORE = Score(
    120.0, "4/4", 4,
    {"lead": (Note(0.0, 72, 1.0, 100), Note(15.5, 84, 4.0, 30)), "bass": (), "drums": (Note(2.0, 36, 0.2, 90),)},
    (Chord(0.0, 8.0, 0, "maj"), Chord(8.0, 8.0, 6, "min7")), "C major",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """What the shelf holds of a clip, as far as figures read it."""
    write_wav(tmp_path / "clip.wav", tone(440, 8.0))
    inside = replace(SCORE, parts={**SCORE.parts, "lead": (Note(0.0, 72, 1.0, 100),)})
    (tmp_path / "score.json").write_text(json.dumps(score_to_dict(inside)))
    facts = {"title": "A <clip>", "recipe": Recipe(form="ABAB", bars=4).to_dict()}
    (tmp_path / "clip.json").write_text(json.dumps(facts))
    return tmp_path


def test_envelope_follows_loudness() -> None:
    samples = np.concatenate([tone(440, 1.0) * 0.1, tone(440, 1.0)], axis=1)
    heights, body = envelope(samples, 10)
    assert heights[:4] == pytest.approx(0.1, abs=0.02)
    assert heights[6:] == pytest.approx(1.0, abs=0.02)
    assert body[6:] == pytest.approx(1 / np.sqrt(2), abs=0.02), "the body of a sine is its root mean square"


def test_silence_and_very_short_clips_have_a_waveform() -> None:
    assert not envelope(np.zeros((2, 5000), np.float32), 100)[0].any()
    assert waveform_figure(np.zeros((2, 3), np.float32), SAMPLE_RATE).count("<path") == 2


def test_waveform_has_a_closed_line_as_fine_as_promised() -> None:
    html = waveform_figure(tone(440, 2.0), SAMPLE_RATE)
    line = re.search(r'class="peak" d="M([^"]*)Z"', html)[1].split()
    assert len(line) == 2 * (2 * (2 * PER_SECOND) + 2)
    assert f'viewBox="0 -100 {2 * PER_SECOND} 200"' in html


def test_roll_draws_every_note_inside_the_picture() -> None:
    html = roll_figure(SCORE, {"lead": "flute <b>"})
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
    assert len(re.findall(r'<line x1="[^>]*%" y1="0"', html)) == 5, "a line at each end of four bars"


def test_roll_of_an_empty_score_is_a_picture() -> None:
    assert "<svg" in roll_figure(Score(90.0, "3/4", 2, {"lead": ()}), {})


def test_every_change_of_chord_is_named_once() -> None:
    chords = tuple(Chord(float(beat), 1.0, beat // 4 % 12, "min7") for beat in range(32))
    names = re.findall(r'<span style="left:([\d.]+)%"', roll_figure(Score(120.0, "4/4", 8, {"lead": ()}, chords), {}))
    assert [float(place) for place in names] == pytest.approx(np.arange(8) * 12.5)


def test_chord_symbols() -> None:
    names = [chord_name(Chord(0, 1, root, quality)) for root, quality in ((0, "maj"), (10, "7"), (6, "dim"))]
    assert names == ["C", "B♭7", "F♯dim"]


@pytest.mark.parametrize("hertz", [250.0, 1000.0, 6000.0])
def test_a_tone_is_brightest_at_its_own_height(hertz: float) -> None:
    levels = mel_levels(tone(hertz), SAMPLE_RATE)
    row = int(levels.mean(axis=1).argmax())
    mel = row / levels.shape[0]

    def height(hz: float) -> float:
        return hz * 3 / 200 if hz < 1000 else 15 + np.log(hz / 1000) * 27 / np.log(6.4)

    assert mel == pytest.approx(height(hertz) / height(TOP_HZ), abs=0.03)


@pytest.mark.parametrize(("hertz", "place"), [(261.63, 0), (440.0, 9), (1864.66, 10)])
def test_chroma_of_a_tone_is_its_pitch_class(hertz: float, place: int) -> None:
    rows = chroma_levels(tone(hertz), SAMPLE_RATE)
    assert (rows.mean(axis=1).argsort()[-1]) == place
    assert rows.min() >= 0
    assert rows.max() <= 1
    assert not chroma_levels(np.zeros((2, SAMPLE_RATE), np.float32), SAMPLE_RATE).any()


def test_mfcc_tells_two_sounds_apart_and_has_no_level() -> None:
    samples = np.concatenate([tone(200, 1.0), tone(3000, 1.0)], axis=1)
    rows = mfcc_levels(samples, SAMPLE_RATE)
    assert rows.shape[0] == 12
    assert rows.mean(axis=1) == pytest.approx(0, abs=0.05)
    middle = rows.shape[1] // 2
    apart = rows[:, : middle - 10].mean(axis=1) - rows[:, middle + 10 :].mean(axis=1)
    assert np.abs(apart).max() > 1.5


@pytest.mark.parametrize("seconds", [0.1, 20.0, 500.0])
def test_no_clip_makes_more_columns_than_a_picture_has(seconds: float) -> None:
    wide = columns(int(seconds * SAMPLE_RATE), SAMPLE_RATE)
    assert 1 <= wide <= MOST
    if seconds < 30:
        levels = mel_levels(tone(440, seconds), SAMPLE_RATE)
        assert levels.shape[1] == pytest.approx(wide, abs=2)
        assert levels.max() == pytest.approx(0.0, abs=1e-3)
        assert levels.min() >= -80.001


def test_spectrogram_carries_its_axis_as_text_and_one_picture() -> None:
    html = mel_figure(tone(1000, 4.0), SAMPLE_RATE)
    assert {"100", "1k", "10k"} <= set(re.findall(r"%\">([^<]*)</span>", html))
    assert "<b>Hz</b>" in html
    picture = Image.open(io.BytesIO(base64.b64decode(re.search(r'base64,([^"]*)"', html)[1]))).convert("L")
    rows = np.asarray(picture).mean(axis=1)
    assert rows.argmax() > len(rows) * 0.55, "low frequencies belong at the bottom"
    assert picture.width == 400


def test_texts_of_a_figure_are_escaped() -> None:
    html = figure_html(Figure("roll", '"><b>', 1.0, 10, image_html(np.zeros((2, 2)), "magma"), [(0.5, "<i>")], "<u>"))
    for tag in ("<b><b>", "<i>", "<u>"):
        assert tag not in html


def test_every_kind_is_drawn_from_the_shelf_and_kept(folder) -> None:
    for kind in KINDS:
        html = draw(kind, folder)
        assert html.startswith("<"), kind
        assert "A <clip>" not in html
    assert "section-names" in draw("roll", folder)
    assert len(list((folder / PICTURES).iterdir())) == len(KINDS)
    kept = next((folder / PICTURES).glob("waveform.*"))
    kept.write_text("kept", encoding="utf-8")
    assert draw("waveform", folder) == "kept"
    later = kept.stat().st_mtime + 10
    os.utime(folder / "clip.json", (later, later))
    assert draw("waveform", folder) != "kept", "a clip that was made again is drawn again"


def test_what_cannot_be_drawn_is_said(folder) -> None:
    with pytest.raises(RequestError, match="kind"):
        draw("../clip", folder)
    (folder / "clip.wav").unlink()
    with pytest.raises(RequestError, match="clip"):
        draw("mel", folder)

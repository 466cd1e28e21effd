"""The timbre panel as functions: pictures that show z, and recordings that are borrowed or refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import gradio as gr
import numpy as np
import pytest

from musicgen_ui.audio.waveform import write_wav
from musicgen_ui.errors import RequestError
from musicgen_ui.recipe import SYNTHS, TIMBRE_SYNTHS
from musicgen_ui.timbre import Z_SIZE, TimbrePoint
from musicgen_ui.ui import timbre as panel

Z = tuple(round(value, 2) for value in np.linspace(-4, 4, Z_SIZE))


def bars(html: str) -> list[float]:
    """Signed heights of the bars, in units of z."""
    found = re.findall(r'y="([\d.]+)" width="6" height="([\d.]+)"', html)
    half = panel.HEIGHT / 2
    return [float(h) * (1 if float(y) < half else -1) * panel.LIMIT / (half - 1) for y, h in found]


def test_the_picture_shows_the_numbers_and_stays_in_its_box() -> None:
    card = panel.card_html("b", "recorded", 0, TimbrePoint("recorded", z=Z).to_dict()["z"])
    np.testing.assert_allclose(bars(card), np.clip(Z, -panel.LIMIT, panel.LIMIT), atol=0.16)
    assert json.loads(re.search(r'data-z="([^"]*)"', card)[1]) == list(Z)


def test_every_kind_has_its_name() -> None:
    assert "Own timbre" in panel.card_html("a", "own", 5, "")
    assert "Amber chime" in panel.card_html("a", "random", 7, "")
    assert panel.MISSING in panel.card_html("a", "recorded", 7, "")
    assert "timbre: " in panel.card_html("a", "random", None, "")
    assert "<script>" not in panel.card_html("a", "<script>", 1, "")


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    wave = 0.4 * np.sin(np.arange(60_000, dtype=np.float32) * 0.07)
    write_wav(tmp_path / "voice.wav", wave[None, :], 44_100)
    return tmp_path / "voice.wav"


def test_a_recording_becomes_the_slot(studio, voice: Path) -> None:
    point = panel.borrow(studio, voice)
    assert point.kind == "recorded"
    assert panel._borrowed(studio, str(voice))[:3] == (point.to_dict()["z"], "recorded", "")


def test_a_refused_or_failing_recording_touches_nothing_but_the_note(studio, tmp_path: Path, voice: Path) -> None:
    (tmp_path / "bad.wav").write_bytes(b"nothing")

    class Broken:
        synths = ("vaegan",)

        def borrow(self, samples, sample_rate):
            raise KeyError("secret")

    for engine, path in ((studio, tmp_path / "bad.wav"), (Broken(), voice)):
        z, kind, note, file = panel._borrowed(engine, str(path))
        assert z == kind == gr.skip()
        assert 'role="alert"' in note
        assert "secret" not in note
        assert file is None


def test_without_a_file_there_is_nothing_to_borrow(studio) -> None:
    with pytest.raises(RequestError, match="recording: there is no file"):
        panel.borrow(studio, None)


def test_the_sentence_about_fixed_instruments_names_the_way_out_only_where_there_is_one() -> None:
    assert "Choose Neural VAE-GAN" in panel.hints_html(("vaegan", "soundfont"))
    assert "Choose" not in panel.hints_html(("soundfont",))


def test_every_synthesizer_without_timbres_says_what_to_expect() -> None:
    assert set(panel.SYNTH_NAMES) == set(SYNTHS)
    assert set(panel.SYNTH_HINTS) == set(SYNTHS) - set(TIMBRE_SYNTHS)
    html = panel.hints_html(SYNTHS)
    assert re.findall('data-synth="(\\w+)"', html) == ["wavenet", "soundfont"]
    assert "16 kHz" in html

"""``listen``: files that nobody vouches for, at a terminal."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest
import soundfile

from musicgen_ui.__main__ import main
from musicgen_ui.audio import decode
from musicgen_ui.audio.waveform import wav_bytes

RATE = 44_100


def refusal(argv, capsys) -> str:
    assert main(argv) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.mark.parametrize("level", [0.0, 0.3])
def test_values_or_null(level, tmp_path, capsys):
    """A file without music has no values, which is no mistake of the person."""
    path = tmp_path / "noise.wav"
    path.write_bytes(wav_bytes(level * np.random.default_rng(0).uniform(-1, 1, (2, RATE // 4)), RATE))
    assert main(["listen", str(path)]) == 0
    heard = json.loads(capsys.readouterr().out)
    assert {"tempo", "energy", "key"} <= set(heard)
    assert heard["tempo"] is None


def test_more_than_a_minute_is_read(tmp_path, capsys):
    path = tmp_path / "long.flac"
    soundfile.write(path, np.zeros(70 * 8000, np.int16), 8000)
    assert main(["listen", str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["tempo"] is None


def test_more_than_ten_minutes_is_not(tmp_path, capsys):
    path = tmp_path / "longer.flac"
    soundfile.write(path, np.zeros(601 * 8000, np.int16), 8000)
    assert refusal(["listen", str(path)], capsys) == f"error: {path}: is longer than 600 seconds\n"


def test_a_crash_of_the_decoder_is_one_line(tmp_path, capsys, monkeypatch):
    path = tmp_path / "evil.wav"
    path.write_bytes(wav_bytes(np.zeros((1, 4000)), RATE))
    monkeypatch.setattr(decode, "_START", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert refusal(["listen", str(path)], capsys).startswith(f"error: {path}: cannot be decoded: the decoder crashed")


def test_text_in_disguise(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", None)
    (tmp_path / "song.wav").write_text("la la la")
    assert "is not a WAV, FLAC, MP3, OGG or AIFF file" in refusal(["listen", str(tmp_path / "song.wav")], capsys)

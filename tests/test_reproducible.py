"""One recipe, one file: the same bytes from separate processes, the same music whatever the threads."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from musicgen_ui.audio.waveform import read_audio

COMMAND = (
    "generate --seed 7 --bars 4 --style tempo=96 --style energy=0.8 --style noise=0.3 --style vibrato=0.4 "
    "--genre pop=0.7,folk=0.3 --takes 2 --rounds 1 --device cpu --json"
)


@pytest.fixture(scope="module")
def made(root, tmp_path_factory):
    """Makes the clip in a process of its own; gives its folder."""

    def make(name: str, *options: str) -> Path:
        out = tmp_path_factory.mktemp(name) / "out"
        subprocess.run(
            [sys.executable, "-m", "musicgen_ui", *COMMAND.split(" "), "--key", "A minor", "--out", str(out), *options],
            cwd=out.parent,
            env={**os.environ, "PYTHONPATH": str(root)},
            stdout=subprocess.DEVNULL,
            timeout=300,
            check=True,
        )
        return out

    return make


@pytest.fixture(scope="module")
def first(made) -> Path:
    return made("first", "--threads", "1")


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file that depends on the recipe alone."""
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix in (".wav", ".mid")]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_two_processes_write_the_same_bytes(first, made):
    again = hashes(made("again", "--threads", "1"))
    assert len(again) == 6
    assert hashes(first) == again


def test_other_threads_write_the_same_notes_and_the_same_sound_within_one_step(first, made):
    other = made("threads", "--threads", "2")
    assert (other / "clip.mid").read_bytes() == (first / "clip.mid").read_bytes()
    one, two = (read_audio(folder / "clip.wav")[0] for folder in (first, other))
    assert np.abs(one - two).max() <= 1 / 32768


def test_another_seed_writes_another_clip(first, made):
    other = hashes(made("seed", "--threads", "1", "--seed", "8"))
    assert other["clip.wav"] != hashes(first)["clip.wav"]
    assert other["clip.mid"] != hashes(first)["clip.mid"]


def test_the_clip_says_what_was_asked_heard_and_who_made_it(first):
    values = json.loads((first / "clip.json").read_text(encoding="utf-8"))
    assert values["asked"]["tempo"] == 96.0
    assert values["asked"]["key"] == "A minor"
    assert set(values["heard"]) == set(values["asked"])
    assert set(values["seconds"]) == {"compose", "synthesize", "mix", "listen"}
    assert values["checkpoints"]["composer_lstm.safetensors"]
    assert 1 <= len(values["rounds"]) <= 2
    samples, rate = read_audio(first / "clip.wav")
    assert samples.shape == (2, round(4 * 4 * 60 / 96 * rate))

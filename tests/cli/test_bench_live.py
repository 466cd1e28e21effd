"""``bench``: delivery against the clock is counted rightly, and the command writes it down."""

import json

import numpy as np
import pytest

from musicgen_ui.__main__ import main
from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.cli import bench, bench_live
from musicgen_ui.engine.preview import Piece


def delivery(*steps):
    """Pieces that come at (time, seconds of music so far)."""
    times = iter([0.0, *(now for now, _ in steps)])
    made = bench_live.Delivery(clock=lambda: next(times))
    before = 0
    for _, there in steps:
        end = round(there * SAMPLE_RATE)
        made.hear(Piece(before, np.zeros((2, end - before), dtype=np.float32)))
        before = end
    return made


@pytest.mark.parametrize(
    ("steps", "dry"),
    [
        (((0.5, 4.0), (2.0, 12.0), (6.0, 30.0)), 0.0),
        (((0.5, 1.0), (2.0, 12.0)), 0.5),
        (((1.0, 1.0), (3.0, 2.0), (5.0, 9.0)), 2.0),
    ],
)
def test_running_dry_is_counted_once(steps, dry):
    assert delivery(*steps).dry == pytest.approx(dry)
    assert delivery(*steps).first == steps[0][0]


def test_pieces_of_one_moment_are_one_step():
    assert delivery((0.5, 2.0), (0.51, 4.0), (0.9, 6.0)).steps == [(0.5, 4.0), (0.9, 6.0)]


def test_the_command_reports_it(loaded, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench, "levels", lambda folder: {})
    report = tmp_path / "bench.json"
    assert main(["bench", "--repeats", "1", "--report", str(report)]) == 0
    live = json.loads(report.read_text())["heard while it is made"]
    assert live["first sound"]["median"] > 0
    assert set(live["delivered"]) == {f"{c}, {s}" for c in ("wavenet", "lstm") for s in ("vaegan", "soundfont")}
    assert set(live["longest wait for stop"]["2"]) == {"compose", "synthesize", "mix", "listen"}
    assert "first sound after" in capsys.readouterr().out

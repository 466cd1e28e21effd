from __future__ import annotations

import json

import numpy as np
import pytest

from musicgen_ui.__main__ import main
from musicgen_ui.audio.likeness import SLIDER_NAMES, Fingerprint
from musicgen_ui.engine.ears import Ears
from musicgen_ui.engine.match import Matched
from musicgen_ui.style import GENRES, Style
from musicgen_ui.training import evaluate_match as judged
from musicgen_ui.training.evaluate_match import Recording


@pytest.fixture
def ears(monkeypatch):
    """Ears that hear pop in everything, and the tempo in the first sample."""
    monkeypatch.setattr(Ears, "load", classmethod(lambda cls, folder, classifier=None: cls({}, None)))
    monkeypatch.setattr(Ears, "genres", lambda self, samples, rate: dict.fromkeys(GENRES, 0.0) | {"pop": 1.0})

    def fingerprint(self, samples, rate):
        rng = np.random.default_rng(int(1000 * samples[0, 0]))
        return Fingerprint(dict.fromkeys(SLIDER_NAMES, float(rng.uniform())), {}, {}, rng.standard_normal(3))

    monkeypatch.setattr(Ears, "fingerprint", fingerprint)
    monkeypatch.setattr(Ears, "match", lambda self, samples, rate: Matched(Style(), ("key",), {}))


def test_genres_are_judged_and_shown(loaded, ears, tmp_path, capsys):
    report = tmp_path / "genre.json"
    args = ["evaluate", "genre", "--seeds", "2", "--blends", "1", "--bars", "4", "--composer", "lstm"]
    assert main([*args, "--report", str(report)]) == 0
    written = json.loads(report.read_text(encoding="utf-8"))
    clips = written["clips, lstm"]
    assert clips["clips"] == 2 * len(GENRES)
    assert clips["top-1"] == pytest.approx(1 / len(GENRES))
    assert set(written["blends, lstm"]["pop-jazz"]["share heard"].values()) == {0.0}
    shown = capsys.readouterr().out
    assert "clips, lstm: true | heard" in shown
    assert "blends, lstm: share heard at" in shown


def test_an_unknown_composer_is_one_sentence(loaded, ears, capsys):
    assert main(["evaluate", "genre", "--composer", "harpist"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_matches_are_judged_and_shown(loaded, ears, tmp_path, capsys, monkeypatch):
    (tmp_path / "index.jsonl").write_text("", encoding="utf-8")
    monkeypatch.setattr("musicgen_ui.cli.player.soundfont_player", lambda file: None)
    recordings = [Recording(f"piece/{n}", np.full((2, 4), n / 10, np.float32), 44_100) for n in range(3)]
    monkeypatch.setattr(judged, "held_out_recordings", lambda *args, **options: recordings)
    report = tmp_path / "match.json"
    args = ["evaluate", "match", "--data", str(tmp_path), "--recordings", "3", "--sets", "2", "--bars", "4", "--borrow"]
    assert main([*args, "--report", str(report)]) == 0
    written = json.loads(report.read_text(encoding="utf-8"))
    assert (written["sets"], written["recordings"], len(written["each"])) == (2, 3, 6)
    assert written["tempo alone"]["top-1"] == 0.0
    assert "without tempo and key" in capsys.readouterr().out

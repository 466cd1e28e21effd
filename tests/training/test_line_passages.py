"""Lines as stems at the full rate, and the table that is printed of them."""

import json

import numpy as np
import pytest

from musicgen_ui.__main__ import main
from musicgen_ui.data.fluid import BLOCK
from musicgen_ui.errors import RequestError
from musicgen_ui.training import evaluate_synth as es
from musicgen_ui.training.line_passages import LinePassages, below_8_khz

RATE = 44_100
SECONDS = 2.0
PROGRAMS = (33, 73)


def tones(notes, length, falls=1.0, top=20_000.0):
    """Tones whose partials fall, up to a frequency."""
    sound = np.zeros(length)
    for note in notes:
        time = np.arange(max(1, min(note.end, length) - note.start)) / RATE
        hz = 440.0 * 2.0 ** ((note.pitch - 69) / 12)
        wave = sum(np.sin(2 * np.pi * hz * h * time) * h**-falls for h in range(1, 60) if hz * h < top)
        sound[note.start : note.start + time.size] += wave * np.clip(100 * np.minimum(time, time[-1] - time), 0, 1)
    return (0.05 * sound).astype(np.float32)


class Renderer:
    programs = frozenset(range(80))
    kits = frozenset()

    def render(self, notes, program, length, *, drums=False, labels=None):
        return tones(notes, length, 1.0 if program in PROGRAMS else 1.5)


class Model:
    """Knows the tone, but only below 8 kHz, and hisses a little."""

    programs = frozenset(PROGRAMS)
    kits = frozenset()

    def play(self, notes, program, drums, length, *, labels, z, stem_level, known, seed):
        noise = np.random.default_rng(seed).normal(0, 1e-4, length).astype(np.float32)
        return below_8_khz(tones(notes, length, 1.0) + noise)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder as prepare-lines writes it: two instruments, one line of each split."""
    path = tmp_path_factory.mktemp("lines")
    (path / "audio").mkdir()
    rng = np.random.default_rng(0)
    for program in PROGRAMS:
        low = 36 if program == 33 else 72
        starts = [round(k * 200 * BLOCK * 16_000 / RATE) for k in range(6)]
        rows = [(n, s, s + 4400, low + int(rng.integers(12)), 90) for n in range(3) for s in starts]
        np.savez(path / "audio" / f"p{program:03d}.npz", split=np.arange(3, dtype=np.uint8), notes=np.array(rows))
    facts = {"config": {"seconds": SECONDS}, "programs": [[program, 24, 96] for program in (*PROGRAMS, 99)]}
    (path / "lines.json").write_text(json.dumps(facts), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def report(folder):
    return es.run(LinePassages.open(folder, Renderer()), Model(), renderer=Renderer())


def test_a_line_lies_between_the_blocks_that_it_was_played_in(folder):
    lines = LinePassages.open(folder, Renderer())
    assert [(t.program, t.family) for t in lines.timbres] == [(33, "bass"), (73, "pipe")]
    for timbre in lines.timbres:
        assert [lines.passages(timbre, (split,)) for split in ("train", "validation", "test")] == [[0], [1], [2]]
        (stem,) = lines.stems(timbre, [2])
        assert stem.part == ("bass" if timbre.program == 33 else "lead")
        assert [note.start for note in stem.notes] == [k * 200 * BLOCK for k in range(6)]
        assert stem.samples.shape == (round(SECONDS * RATE),)
        assert next(lines.stems(timbre, [2], 30_000)).samples.shape == (30_000,)


def test_what_lies_above_8_khz_is_told_apart_from_what_is_wrong(report):
    rows = report["groups"]["all"]
    assert {row: rows[row]["stems"] for row in rows} == dict.fromkeys(
        (es.REFERENCE, es.GENERATED, es.GENERATED_LOW, es.REFERENCE_LOW, es.NEIGHBOUR), 2
    )
    for metric in ("multi-resolution STFT", "multi-scale mel"):
        assert rows[es.GENERATED_LOW][metric] < 0.5 * rows[es.GENERATED][metric]
        assert rows[es.REFERENCE_LOW][metric] <= rows[es.GENERATED][metric]
    assert rows[es.GENERATED]["f0 (cents)"] < 2
    assert rows[es.GENERATED]["within 20 cents"] > 0.9
    assert rows[es.REFERENCE]["within 20 cents"] > 0.9
    assert "morph" not in report


def test_sound_that_fits_below_8_khz_stays_as_it_is():
    time = np.arange(30_000) / RATE
    low, high = (np.sin(2 * np.pi * hz * time).astype(np.float32) for hz in (3000, 12_000))
    inside = slice(1000, -1000)
    found = below_8_khz(low + high)
    assert found.shape == low.shape
    assert np.abs(found - low)[inside].max() < 1e-3


def test_a_folder_without_lines_is_refused(tmp_path, folder, capsys):
    for text in (None, "{}", "no json"):
        if text is not None:
            (tmp_path / "lines.json").write_text(text, encoding="utf-8")
        with pytest.raises(RequestError, match=r"--audio: .* holds no rendered lines"):
            LinePassages.open(tmp_path, Renderer())
    (tmp_path / "lines.json").unlink()
    assert main(["evaluate", "synth", "--synth", "wavenet", "--audio", str(tmp_path)]) == 2
    assert "the WaveNet is judged on what prepare-lines wrote" in capsys.readouterr().err

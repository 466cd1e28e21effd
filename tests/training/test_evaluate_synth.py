from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image

from musicgen_ui.__main__ import main
from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.cli.evaluate_synth import print_report
from musicgen_ui.cli.report import finite
from musicgen_ui.data.fluid import FluidRenderer
from musicgen_ui.errors import RequestError
from musicgen_ui.models.vae_gan.condition import TimbreLabels
from musicgen_ui.training import evaluate_synth as es
from musicgen_ui.training import timbre_tests as tt
from musicgen_ui.training.rendered import RenderedFolder
from musicgen_ui.training.synth_figure import draw_figure
from musicgen_ui.training.synth_metrics import METRICS

RATE = 44_100
LENGTH = 92_032
TILTS = {(0, False): 2.2, (4, False): 1.6, (24, False): 1.0, (33, False): 0.4, (0, True): 0.0, (1, False): 2.0}
"""Preset to how fast its partials fall: all that there is to its timbre."""

SPLITS = ("train", "validation", "test")


def tilted(notes, length, tilt, seed=None):
    """Decaying tones whose partials fall by ``tilt`` powers; with a seed, a little noise."""
    sound = np.zeros(length)
    for note in notes:
        time = np.arange(max(1, min(note.end, length) - note.start)) / RATE
        hz = 440.0 * 2.0 ** ((note.pitch - 69) / 12)
        wave = sum(np.sin(2 * np.pi * hz * h * time) * h**-tilt for h in range(1, 17) if hz * h < 20_000)
        shape = np.clip(100 * np.minimum(time, 0.2 * (time[-1] - time)), 0, 1) * np.exp(-4 * time)
        sound[note.start : note.start + time.size] += wave * shape
    if seed is not None:
        sound += np.random.default_rng(seed).normal(0, 0.0003, length)
    return (0.05 * sound).astype(np.float32)


class Model:
    """Knows every tilt but that of the unseen preset; the note level lacks half of it."""

    programs = frozenset({0, 4, 24, 33})
    kits = frozenset({0})

    def prior_mean(self, program, drums):
        return np.array([TILTS[program, drums], *[0.0] * 31])

    def play(self, notes, program, drums, length, *, labels, z, stem_level, known, seed):
        tilt = TILTS[program, drums] if known else float(z[0])
        return tilted(notes, length, (tilt if stem_level else 0.5 * tilt) - 0.8 * labels.brightness, seed)

    def encode(self, samples):
        spectrum = np.abs(np.fft.rfft(samples))
        centroid = (spectrum * np.arange(spectrum.size)).sum() / spectrum.sum()
        return np.array([4.0 - np.log10(centroid), *[0.0] * 31])


class Renderer:
    programs = frozenset(range(40))
    kits = frozenset({0, 8})

    def render(self, notes, program, length, *, drums=False, labels=TimbreLabels()):  # noqa: B008
        return tilted(notes, length, TILTS.get((program, drums), 1.3) - 0.8 * labels.brightness)


def notes_of(rng):
    starts = np.sort(rng.choice(np.arange(10), 7, replace=False)) * 8832
    return [PlayedNote(int(s), int(s) + 8832, int(rng.integers(50, 75)), 90) for s in starts]


@pytest.fixture(scope="module")
def audio(tmp_path_factory):
    """A folder as prepare-audio writes it: five presets to train on, one unseen, two variants, three passages."""
    path = tmp_path_factory.mktemp("audio")
    (path / "audio").mkdir()
    rng, lines = np.random.default_rng(1), []
    families = {0: "piano", 1: "piano", 4: "piano", 24: "guitar", 33: "bass"}
    for (program, drums), tilt in TILTS.items():
        for variant in range(2):
            labels = TimbreLabels(brightness=0.2 * variant)
            entry = {"id": f"{'k' if drums else 'p'}{program:03d}v{variant}", "program": program, "drums": drums}
            entry |= {"family": "drums" if drums else families[program], "variant": variant, "labels": asdict(labels)}
            lines.append(entry | {"split": "unseen" if program == 1 else "train"})
            passages = [notes_of(rng) for _ in SPLITS]
            sounds = np.stack([tilted(notes, LENGTH, tilt - 0.8 * labels.brightness) for notes in passages])
            scale = np.abs(sounds).max(axis=1) / 32_767
            rows = [(k, n.start, n.end, n.pitch, n.velocity) for k, notes in enumerate(passages) for n in notes]
            np.savez(
                path / "audio" / f"{entry['id']}.npz",
                passage_audio=np.round(sounds / scale[:, None]).astype(np.int16),
                passage_scale=scale.astype(np.float32),
                passage_notes=np.array(rows, dtype=np.int32),
                passage_split=np.arange(3, dtype=np.uint8),
            )
    (path / "timbres.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def report(audio):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tt, "PATHS", 8)
        return es.run(RenderedFolder.open(audio), Model(), renderer=Renderer())


def test_every_row_is_measured(report):
    rows = report["groups"]["all"]
    trained = {es.REFERENCE, es.GENERATED, es.NOTE_LEVEL, es.NEIGHBOUR}
    unseen = {es.UNSEEN_REFERENCE, es.UNSEEN_BY_EAR, es.UNSEEN_PRIOR, es.UNSEEN_NEIGHBOUR}
    assert set(rows) == trained | unseen
    assert {rows[row]["stems"] for row in trained} == {5}
    assert {rows[row]["stems"] for row in unseen} == {1}
    assert report["presets"] == {"trained": 5, "unseen": 1, "judged": 5}
    assert {"part: bass", "part: drums", "part: lead", "family: guitar", "pitched"} <= set(report["groups"])
    assert report["groups"]["part: drums"][es.GENERATED]["chroma cosine"] is None
    assert json.loads(json.dumps(finite(report), allow_nan=False))


def test_rows_are_in_the_order_of_their_worth(report):
    rows = report["groups"]["pitched"]
    for metric in ("spectral convergence", "multi-resolution STFT", "multi-scale mel"):
        assert rows[es.GENERATED][metric] < rows[es.NOTE_LEVEL][metric]
        assert rows[es.GENERATED][metric] < rows[es.NEIGHBOUR][metric]
    assert rows[es.GENERATED]["spectral convergence"] < 0.1
    assert rows[es.GENERATED]["f0 (cents)"] < 2
    assert rows[es.GENERATED]["onset F1"] > 0.8
    assert rows[es.REFERENCE]["onset F1"] > 0.8
    assert rows[es.REFERENCE]["spectral convergence"] is None


def test_the_worst_preset_is_named(report):
    worst = report["worst"][es.NOTE_LEVEL]
    assert set(worst) == set(METRICS)
    found = {r["preset"]: r["spectral convergence"] for r in report["each stem"] if r["row"] == es.NOTE_LEVEL}
    assert worst["spectral convergence"] == (max(found.values()), max(found, key=found.get))
    mean = report["groups"]["all"][es.NOTE_LEVEL]
    assert worst["spectral convergence"][0] > mean["spectral convergence"]
    assert worst["onset F1"][0] <= mean["onset F1"]


def test_the_two_sample_test_hears_noise_and_calibrates_itself(report):
    found = report["two-sample"]
    assert set(found) == {es.GENERATED, es.NOTE_LEVEL, "SoundFont, against itself", "white noise"}
    assert found["white noise"]["auc"] > 0.95
    assert found[es.NOTE_LEVEL]["windows"] == 2 * 2 * 2 * 5  # sides, windows, passages, presets


def test_timbre_follows_z_and_labels(report):
    assert report["brightness"]["spearman"] == 1.0 == report["brightness, SoundFont"]["worst"]
    assert report["brightness"]["octaves"] > 0.5
    assert report["morph"]["z"] > 0.7
    assert report["morph"]["paths"] == 8
    assert report["nearest preset"]["renderings"] == 15  # test, validation, and test under other labels
    assert 0 < report["nearest preset"]["chance"] < 1


def test_results_repeat_and_clips_limits(audio):
    folder = RenderedFolder.open(audio)
    first, second = (es.run(folder, Model(), clips=2, seed=3) for _ in range(2))
    assert first.pop("seconds").keys() == second.pop("seconds").keys()
    assert first == second
    assert first["groups"]["all"][es.GENERATED]["stems"] == 2
    assert es.NEIGHBOUR not in first["groups"]["all"]


def test_the_tables_can_be_printed(report, capsys):
    print_report(report)
    shown = capsys.readouterr().out
    for text in ("spectral convergence", es.UNSEEN_BY_EAR, "worst preset", "white noise", "top-1 family", "spearman"):
        assert text in shown


def test_the_figure_is_a_picture(audio, tmp_path):
    draw_figure(tmp_path / "deep" / "synth.png", RenderedFolder.open(audio), Model())
    with Image.open(tmp_path / "deep" / "synth.png") as picture:
        assert picture.format == "PNG"
        assert picture.width >= 1200


@pytest.mark.parametrize("listed", [None, "", "no json\n", '{"id": "p000v0"}\n'])
def test_a_folder_without_audio_is_refused(tmp_path, listed):
    if listed is not None:
        (tmp_path / "timbres.jsonl").write_text(listed, encoding="utf-8")
    with pytest.raises(RequestError, match="--audio"):
        RenderedFolder.open(tmp_path)


def test_a_player_that_knows_none_of_the_presets_is_refused(audio):
    model = Model()
    model.programs = model.kits = frozenset()
    with pytest.raises(RequestError, match="no test passage"):
        es.run(RenderedFolder.open(audio), model)


def test_the_command_judges_the_apps_soundfont(audio, tmp_path, capsys, monkeypatch):
    def missing(path=None):
        raise RequestError("soundfont", "FluidSynth is missing")

    monkeypatch.setattr(FluidRenderer, "open", missing)
    options = ["--audio", str(audio), "--synth", "soundfont", "--clips", "2", "--report", str(tmp_path / "r.json")]
    assert main(["evaluate", "synth", *options]) == 0
    told = capsys.readouterr()
    assert "generated" in told.out
    assert "FluidSynth is missing" in told.err
    report = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert set(report["groups"]["all"]) == {es.REFERENCE, es.GENERATED}
    assert main(["evaluate", "synth", *options, "--soundfont", "absent.sf3"]) == 2


def test_arcs_between_timbres():
    rng = np.random.default_rng(2)
    a, b = rng.standard_normal((2, 32)) * np.array([[1.0], [2.0]])
    assert tt.slerp(a, b, 0.0) == pytest.approx(a)
    assert tt.slerp(a, b, 1.0) == pytest.approx(b)
    between = np.linalg.norm(tt.slerp(a, b, 0.5))
    assert between == pytest.approx((np.linalg.norm(a) + np.linalg.norm(b)) / 2)
    assert tt.slerp(a, np.zeros(32), 0.25) == pytest.approx(0.75 * a)
    assert tt.slerp(a, a, 0.5) == pytest.approx(a)


def test_a_path_rises_or_turns_back():
    assert tt.rises([0.0, 0.2, 0.2, 0.5, 1.0])
    assert not tt.rises([0.0, 0.5, 0.3, 0.8, 1.0])
    assert not tt.rises([1.0, 1.0, 1.0])


def test_random_labels_are_neutral_half_of_the_time():
    rng = np.random.default_rng(5)
    drawn = np.array([tt.random_labels(rng).vector() for _ in range(200)])
    assert 0.4 < (drawn == 0).mean() < 0.6

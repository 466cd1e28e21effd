"""The folder of training audio: the same bytes however it is made, whole files only, and what it says of itself."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from musicgen_ui.audio.partials import BANDS, DRUM_GRID, DRUM_KNOTS, GRID, KNOTS
from musicgen_ui.audio.soundfont import PlayedNote, embedded_path
from musicgen_ui.data.fluid import BLOCK, FluidRenderer
from musicgen_ui.data.pieces import PieceStore
from musicgen_ui.data.render import HOLD, AudioConfig, TimbreRecorder, note_arrays, passage_arrays
from musicgen_ui.data.render_folder import audio_path, prepare_audio
from musicgen_ui.data.render_passages import DRUM_HOLD, SPLITS, Passage
from musicgen_ui.data.render_presets import TimbreSpec, timbres
from musicgen_ui.errors import RequestError
from musicgen_ui.models.vae_gan.condition import TimbreLabels

CONFIG = AudioConfig(seed=3, variants=1, passages=1, passage_seconds=2.0, presets=2)


@pytest.fixture(scope="module")
def small() -> pytest.MonkeyPatch:
    """Few pitches, so that a timbre takes a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TimbreSpec, "pitches", property(lambda timbre: (36, 40) if timbre.drums else (57, 68)))
        yield patch


@pytest.fixture(scope="module")
def recorder(renderer, pieces, small) -> TimbreRecorder:
    return TimbreRecorder(renderer, PieceStore(pieces), CONFIG)


def spec(timbre_id: str) -> TimbreSpec:
    return next(t for t in timbres(3, 5, range(128), range(128)) if t.id == timbre_id)


@pytest.fixture(scope="module")
def made(renderer, pieces, small, tmp_path_factory):
    folder = tmp_path_factory.mktemp("audio") / "out"
    lines = []
    found = prepare_audio(pieces, folder, CONFIG, soundfont=embedded_path(), log=lines.append)
    return folder, found, lines


def test_a_folder_has_what_it_says(made):
    folder, found, lines = made
    rows = [json.loads(line) for line in (folder / "timbres.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == [t.id for t in found]
    assert [row["variant"] for row in rows] == [0, 0, 1, 1]
    assert len(lines) == 4
    assert "x real time" in lines[-1]
    facts = json.loads((folder / "render.json").read_text())
    assert facts["config"]["seed"] == 3
    assert facts["sample_rate"] == 44_100
    assert facts["soundfont"]["name"] == "TimGM6mb.sf2"
    assert len(facts["soundfont"]["sha256"]) == 64
    assert facts["corpora"] == {"own": ["CC0"]}
    assert sorted(path.name for path in (folder / "audio").iterdir()) == sorted(f"{t.id}.npz" for t in found)


def test_the_arrays_of_a_pitched_timbre(recorder):
    arrays = recorder.record(spec("p000v0"))
    table = arrays["note_table"]
    # Every pitch once and every second one again.
    assert sorted(set(table[:, 0].tolist())) == list(range(57, 69))
    assert len(table) == 18
    assert ((table[:, 1] >= 30) & (table[:, 1] <= 120)).all()
    assert (table[:, 2] == HOLD).all()
    n, t, k = len(table), len(KNOTS), len(GRID)
    shapes = {"ratio": (n, k), "phase": (n, k), "amplitude": (n, t, k), "bend": (n, t), "noise": (n, t, BANDS)}
    for name, shape in (shapes | {"release": (n,)}).items():
        assert arrays[name].shape == shape
        assert arrays[name].dtype == (np.float32 if name in ("ratio", "release") else np.float16)
        assert np.isfinite(arrays[name]).all()
    assert arrays["passage_split"].tolist() == [0, 1, 2]
    assert arrays["passage_audio"].shape == (3, CONFIG.passage_samples)
    rows = arrays["passage_notes"]
    assert (rows[:, 1:3] % BLOCK == 0).all()
    assert (rows[:, 2] > rows[:, 1]).all()
    assert ((rows[:, 3] >= 57) & (rows[:, 3] <= 68)).all()
    # What is stored is what plays: the passage rendered again from its rows.
    notes = [PlayedNote(*row) for row in rows[rows[:, 0] == 1, 1:].tolist()]
    again = recorder._renderer.render(notes, 0, CONFIG.passage_samples)
    stored = arrays["passage_audio"][1] * arrays["passage_scale"][1]
    assert np.abs(stored - again).max() <= arrays["passage_scale"][1]


def test_the_arrays_of_a_kit(recorder):
    arrays = recorder.record(spec("k000v1"))
    table = arrays["note_table"]
    assert np.bincount(table[:, 0])[36:41].tolist() == [2] * 5
    assert (table[:, 2] == DRUM_HOLD).all()
    assert arrays["amplitude"].shape == (10, len(DRUM_KNOTS), len(DRUM_GRID))
    assert arrays["passage_split"].tolist() == [0]


def test_notes_do_not_depend_on_what_was_rendered_before(recorder, renderer, pieces):
    fresh = TimbreRecorder(FluidRenderer.open(renderer.path), PieceStore(pieces), CONFIG)
    timbre = spec("p048v2")
    recorder.record(spec("p024v1"))
    for (name, left), right in zip(recorder.record(timbre).items(), fresh.record(timbre).values(), strict=True):
        np.testing.assert_array_equal(left, right, err_msg=name)


def test_a_varied_timbre_sounds_by_its_labels(recorder):
    quiet = replace(spec("p016v1"), labels=TimbreLabels(velocity_curve=1.0))
    loud = replace(quiet, labels=TimbreLabels(velocity_curve=-1.0))
    soft, strong = (recorder.record(t) for t in (quiet, loud))
    # The table holds the written velocity, which is the same.
    np.testing.assert_array_equal(soft["note_table"], strong["note_table"])
    assert soft["amplitude"].max() < 0.8 * strong["amplitude"].max()


def test_a_stopped_run_goes_on_and_gives_the_same_bytes(made, pieces):
    folder, found, _ = made
    paths = [audio_path(folder, t.id) for t in found]
    before = [path.read_bytes() for path in paths]
    paths[1].unlink()
    untouched = paths[0].stat().st_mtime_ns
    lines = []
    prepare_audio(pieces, folder, CONFIG, soundfont=embedded_path(), log=lines.append)
    assert lines[0] == "3 of 4 timbres are there already"
    assert len(lines) == 2
    assert [path.read_bytes() for path in paths] == before
    assert paths[0].stat().st_mtime_ns == untouched


def test_another_configuration_is_refused(made, pieces):
    with pytest.raises(RequestError, match="another config; name another folder"):
        prepare_audio(pieces, made[0], replace(CONFIG, seed=4), soundfont=embedded_path())


def test_no_notes_and_no_passages_keep_their_shapes():
    for drums, knots, grid in ((False, KNOTS, GRID), (True, DRUM_KNOTS, DRUM_GRID)):
        arrays = note_arrays([], drums=drums)
        assert arrays["amplitude"].shape == (0, len(knots), len(grid))
        assert arrays["release"].shape == (0,)
    empty = passage_arrays([], [], 640)
    assert empty["passage_audio"].shape == (0, 640)
    assert empty["passage_notes"].shape == (0, 5)


def test_passages_come_back_within_a_step_of_int16(rng):
    sounds = [rng.normal(0, size, 640).astype(np.float32) for size in (1e-3, 2.0)]
    passages = [Passage((PlayedNote(0, 64, 60, 100),), SPLITS.index("test")), Passage((), 0)]
    arrays = passage_arrays(passages, sounds, 640)
    back = arrays["passage_audio"] * arrays["passage_scale"][:, None]
    for sound, found in zip(sounds, back, strict=True):
        assert np.abs(found - sound).max() <= np.abs(sound).max() / 32767
    assert arrays["passage_notes"].tolist() == [[0, 0, 64, 60, 100]]
    assert arrays["passage_split"].tolist() == [2, 0]

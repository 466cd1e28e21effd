"""Several processes write what one writes."""

from __future__ import annotations

from musicgen_ui.data.pieces import PieceStore
from musicgen_ui.data.render import AudioConfig, TimbreRecorder
from musicgen_ui.data.render_folder import _here, _in_processes, audio_path
from musicgen_ui.data.render_presets import timbres


def test_several_processes_give_the_bytes_of_one(renderer, pieces, tmp_path):
    config = AudioConfig(seed=1, passages=1, passage_seconds=2.0)
    found = [t for t in timbres(1, 1, {13, 106}, set()) if t.variant == 1]
    for name in ("one", "two"):
        (tmp_path / name / "audio").mkdir(parents=True)
    here = list(_here(TimbreRecorder(renderer, PieceStore(pieces), config), found, tmp_path / "one"))
    there = list(_in_processes(2, found, tmp_path / "two", pieces, renderer.path, config))
    assert len(here) == 2
    assert sorted(there, key=lambda result: result.id) == sorted(here, key=lambda result: result.id)
    for timbre in found:
        one, two = (audio_path(tmp_path / name, timbre.id).read_bytes() for name in ("one", "two"))
        assert one == two

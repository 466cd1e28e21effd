"""The whole of ``prepare`` on small corpora: what it keeps, skips and remembers."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import symusic

from musicgen_ui.data import prepare as module
from musicgen_ui.data.archives import write_archive
from musicgen_ui.data.pieces import PieceStore
from musicgen_ui.data.prepare import prepare
from musicgen_ui.data.sources import Source
from musicgen_ui.data.workers import Converted, convert_all, convert_source
from musicgen_ui.errors import RequestError
from musicgen_ui.music.measures import MEASURED
from musicgen_ui.music.midi import score_to_midi
from musicgen_ui.music.score import Note, Score
from musicgen_ui.scale import load_score_scales


def song(seed: int, bars: int = 8) -> Score:
    """A random melody in C major over a drone of chords and bass, with a kick on each beat."""
    rng = np.random.default_rng(seed)
    lead = tuple(Note(float(b), 72 + (0, 2, 4, 5, 7, 9, 11)[rng.integers(7)], 0.75, 90) for b in range(4 * bars))
    chords = tuple(Note(float(b), p, 0.5, 70) for b in range(0, 4 * bars, 2) for p in (60, 64, 67))
    bass = tuple(Note(float(b), 36, 0.5, 80) for b in range(0, 4 * bars, 2))
    drums = tuple(Note(float(b), 36, 0.25, 100) for b in range(4 * bars))
    return Score(110.0, "4/4", bars, {"lead": lead, "chords": chords, "bass": bass, "drums": drums})


def named_by_role(score: Score) -> bytes:
    """A file as the accompaniment generator names its tracks."""
    file = symusic.Score.from_midi(score_to_midi(score))
    for track, name in zip(file.tracks, ("Melody", "Chord-Piano", "Bass", "Drum"), strict=True):
        track.name = name
    return file.dumps_midi()


def archive(folder: Path, name: str, files: dict[str, bytes], labels: list[dict]) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in labels).encode()
    folder.mkdir(exist_ok=True)
    write_archive(folder / f"{name}.tar.zst", {**files, "labels.jsonl": lines})


@pytest.fixture
def corpora(tmp_path):
    """A known corpus, one of lead sheets with a shared song, an unknown one, and a person's own files."""
    folder = tmp_path / "corpora"
    arranged = {f"midi/open_{i}.mid": named_by_role(song(i)) for i in range(3)}
    labels = [
        {
            "path": path, "title": f"Song {i}", "genre": "funk-soul", "tempo_qpm": 97.0, "key": "C major",
            "group": f"openewld:tune{i}", "intro_bars": 2, "beats_per_bar": 4, "chords_per_beat": [["Am7"] * 4] * 6,
        }
        for i, path in enumerate(arranged)
    ]  # fmt: skip
    archive(folder, "arranged", arranged, labels)
    sheet = {"midi/tune0.mid": score_to_midi(song(9).with_parts(("lead",)))}
    rows = [
        {
            "path": "midi/tune0.mid",
            "group": "tune0",
            "genres": {"Jazz": 1},
            "chords": [[0.0, "C"]],
            "tempo_source": "default-96",
        }
    ]
    archive(folder, "openewld_pd1930", sheet, rows)
    files = {"a.mid": score_to_midi(song(20)), "b.mid": score_to_midi(song(21)), "broken.mid": b"MThd"}
    rows = [{"path": "a.mid", "licence": "CC BY-SA 4.0"}, {"path": "b.mid", "genre": "rock"}, {"path": "broken.mid"}]
    archive(folder, "elsewhere", files, [*rows, {"path": "missing.mid"}])
    (folder / "mine").mkdir()
    (folder / "mine" / "idea.MID").write_bytes(score_to_midi(song(30)))
    (folder / "mine" / "copy.mid").write_bytes(score_to_midi(song(0).transposed(3)))
    (folder / "mine" / "empty.mid").write_bytes(b"")
    (folder / "mine" / "notes.txt").write_text("no music")
    return folder


def run(corpora: Path, out: Path, workers: int = 1, **more):
    return prepare(corpora, out, workers=workers, progress=False, **{"scales": False, **more})


def hashes(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_what_is_kept_and_what_is_skipped(corpora, tmp_path):
    report = run(corpora, tmp_path / "out")
    store = PieceStore(tmp_path / "out")
    assert [i.id for i in store.index()] == [
        "arranged/open_0", "arranged/open_1", "arranged/open_2", "openewld_pd1930/tune0", "elsewhere/b",
        "own/mine/idea.MID",
    ]  # fmt: skip
    assert report.skipped["elsewhere"] == {
        "is share-alike licensed": 1,
        "is a damaged MIDI file: it ends within its header": 1,
    }
    assert report.skipped["own"] == {"is an empty file": 1}
    assert report.duplicates == {"own": 1}
    table = report.table().splitlines()
    assert table[0].split() == ["corpus", "files", "skipped", "duplicates", "pieces", "unchanged"]
    assert ["all", "10", "3", "1", "6", "0"] in [line.split() for line in table]
    assert "      1  is an empty file" in table


def test_labels_reach_the_pieces(corpora, tmp_path):
    run(corpora, tmp_path / "out")
    store = PieceStore(tmp_path / "out")
    piece = store.read("arranged/open_1")
    assert (piece.title, piece.genre, piece.score.tempo, piece.score.key) == ("Song 1", {"funk": 1.0}, 97.0, "C major")
    written = [c for c in piece.score.chords if c.onset >= 8]
    assert [(c.onset, c.duration, c.root, c.quality) for c in written] == [(8.0, 24.0, 9, "min7")]
    assert piece.score.chords[0].onset == 0.0
    assert store.info("openewld_pd1930/tune0").genre == {"jazz": 1.0}
    assert not store.info("openewld_pd1930/tune0").tempo_known
    assert store.info("own/mine/idea.MID").genre == {}


def test_no_song_is_on_both_sides(corpora, tmp_path):
    run(corpora, tmp_path / "out")
    store = PieceStore(tmp_path / "out")
    assert store.info("arranged/open_0").group == store.info("openewld_pd1930/tune0").group
    sides: dict[str, set[str]] = {}
    for info in store.index():
        sides.setdefault(info.group, set()).add(info.split)
    assert all(len(found) == 1 for found in sides.values())


@pytest.mark.slow
def test_the_same_bytes_from_one_process_and_from_two(corpora, tmp_path):
    run(corpora, tmp_path / "one")
    run(corpora, tmp_path / "two", workers=2)
    assert hashes(tmp_path / "one") == hashes(tmp_path / "two")


def test_a_second_run_does_only_what_changed(corpora, tmp_path, monkeypatch):
    out = tmp_path / "out"
    run(corpora, out)
    before = hashes(out)
    done: list[str] = []

    def spy(sources, workers):
        sources = list(sources)
        done.extend(source.id for source in sources)
        return convert_all(sources, workers)

    monkeypatch.setattr(module, "convert_all", spy)
    report = run(corpora, out)
    assert done == []
    assert sum(report.unchanged.values()) == sum(report.files.values()) == 10
    assert hashes(out) == before
    (corpora / "mine" / "idea.MID").write_bytes(score_to_midi(song(31)))
    (corpora / "mine" / "empty.mid").unlink()
    run(corpora, out)
    assert done == ["own/mine/idea.MID"]
    assert PieceStore(out).read("own/mine/idea.MID").score.parts == song(31).parts
    assert PieceStore(out).read("arranged/open_2").score.parts == song(2).parts


@pytest.mark.parametrize("victim", ["notes/own.npz", "sources/own.jsonl", "index.jsonl"])
def test_a_damaged_store_is_made_again(corpora, tmp_path, victim):
    out = tmp_path / "out"
    run(corpora, out)
    before = hashes(out)
    (out / victim).write_bytes(b"damaged")
    run(corpora, out)
    assert hashes(out) == before


def test_a_change_of_the_converting_code_converts_everything_again(corpora, tmp_path, monkeypatch):
    out = tmp_path / "out"
    run(corpora, out)
    monkeypatch.setattr("musicgen_ui.data.ledger.code_version", lambda: "newer")
    assert sum(run(corpora, out).unchanged.values()) == 0


def test_a_damaged_archive_does_not_stop_the_run(corpora, tmp_path):
    (corpora / "arranged.tar.zst").write_bytes(b"damaged")
    report = run(corpora, tmp_path / "out")
    assert sum(report.skipped["arranged"].values()) == 1
    assert report.pieces["own"] == 2


def test_only_the_named_corpora(corpora, tmp_path):
    report = run(corpora, tmp_path / "out", only=("elsewhere",))
    assert list(report.files) == ["elsewhere"]


def test_stale_tables_are_thrown_away(corpora, tmp_path):
    out = tmp_path / "out"
    run(corpora, out)
    (out / "tables.npz").write_bytes(b"old")
    run(corpora, out)
    assert (out / "tables.npz").exists()
    (corpora / "mine" / "copy.mid").unlink()
    run(corpora, out)
    assert not (out / "tables.npz").exists()


def in_minor(score: Score) -> Score:
    """Every E and A lowered: C major becomes C minor."""
    parts = {p: tuple(replace(n, pitch=n.pitch - (n.pitch % 12 in (4, 9))) for n in x) for p, x in score.parts.items()}
    return replace(score, parts={**parts, "drums": score.parts["drums"]})


@pytest.mark.slow
def test_the_sliders_are_fitted_where_there_is_enough(corpora, tmp_path):
    few = prepare(corpora, tmp_path / "few", workers=1, progress=False, only=("openewld_pd1930",))
    assert not few.scales
    assert not (tmp_path / "few" / "measures.json").exists()
    assert "measures.json was not written" in few.table()
    for i in range(12):
        score = in_minor(song(50 + i)) if i % 2 else song(50 + i)
        (corpora / "mine" / f"more{i}.mid").write_bytes(score_to_midi(score))
    report = prepare(corpora, tmp_path / "out", workers=1, progress=False)
    assert report.scales
    scales = load_score_scales(tmp_path / "out" / "measures.json")
    assert set(scales) == set(MEASURED)
    assert scales["mood"].to_unit(0.0) == pytest.approx(0.5, abs=0.01)


def test_what_cannot_be_prepared(tmp_path):
    with pytest.raises(RequestError, match=r"--corpora: .* is not a folder"):
        run(tmp_path / "missing", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(RequestError, match="holds no archive and no MIDI file"):
        run(tmp_path / "empty", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_out_that_cannot_be_written(corpora, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RequestError, match=r"--out: .* cannot be written"):
        run(corpora, tmp_path / "file")


def dies_on_three(source: Source) -> Converted:
    """Stands for a parser that crashes the process on one file."""
    if source.id == "x/3":
        os._exit(13)
    return Converted(source.id, reason="fine")


@pytest.mark.slow
def test_a_crash_costs_only_the_file_that_caused_it():
    sources = [Source(f"x/{i}", "x", "X", "g", "CC0") for i in range(20)]
    found = {c.source_id: c.reason for c in convert_all(sources, 2, dies_on_three)}
    assert len(found) == 20
    assert {name for name, reason in found.items() if reason != "fine"} == {"x/3"}
    assert found["x/3"] == "crashes the reader"


def test_an_unforeseen_error_becomes_a_reason(monkeypatch):
    def broken(source):
        raise ZeroDivisionError

    monkeypatch.setattr("musicgen_ui.data.workers.convert", broken)
    assert convert_source(Source("x/1", "x", "X", "g", "CC0")).reason == "breaks the reader (ZeroDivisionError)"


def test_a_file_that_takes_too_long_is_given_up(monkeypatch):
    def endless(source):
        while True:
            pass

    monkeypatch.setattr("musicgen_ui.data.workers.convert", endless)
    monkeypatch.setattr("musicgen_ui.data.workers.SECONDS_PER_SOURCE", 1)
    assert convert_source(Source("x/1", "x", "X", "g", "CC0")).reason == "takes too long to read"

"""The store gives back what was put in, without pickle, and says so when it cannot."""

from __future__ import annotations

import json

import numpy as np
import pytest

from musicgen_ui.data.ledger import write_lines
from musicgen_ui.data.pieces import PieceInfo, PieceStore, read_arrays, score_arrays, to_row, write_arrays
from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import PARTS, Chord, Note, Score, from_ticks


def random_score(seed: int, parts: tuple[str, ...] = PARTS) -> Score:
    rng = np.random.default_rng(seed)
    made = {}
    for part in parts:
        rows = rng.integers((0, 0, 1, 1), (760, 128, 900, 128), size=(30, 4))
        made[part] = tuple(sorted(Note(from_ticks(o), p, from_ticks(d), v) for o, p, d, v in rows.tolist()))
    chords = (Chord(0.0, 4.0, 7, "min7"), Chord(4.0, 2.5, 11, "sus"))
    return Score(101.25, "4/4", 8, made, chords, "Eb minor", {"bass": 33})


@pytest.fixture
def store(tmp_path):
    """Two corpora, three pieces; the second piece observes only drums."""
    (tmp_path / "notes").mkdir()
    scores = {"a/1": random_score(1), "a/2": random_score(2, ("drums",)), "b/1": random_score(3)}
    infos = []
    for corpus in ("a", "b"):
        arrays = [score_arrays(s) for name, s in scores.items() if name[0] == corpus]
        write_arrays(tmp_path / "notes" / f"{corpus}.npz", arrays)
        at = [0, 0]
        for (name, score), (notes, chords) in zip(
            [x for x in scores.items() if x[0][0] == corpus], arrays, strict=True
        ):
            facts = (score.tempo, True, score.metre, score.bars, score.key, tuple(score.parts), dict(score.programs))
            rows = ((at[0], len(notes)), (at[1], len(chords)))
            infos.append(PieceInfo(name, corpus, "Title ♯", "song", "train", {"pop": 1.0}, "CC0", *facts, *rows))
            at = [at[0] + len(notes), at[1] + len(chords)]
    write_lines(tmp_path / "index.jsonl", map(to_row, infos))
    return tmp_path, scores


def test_pieces_come_back_as_they_were(store):
    folder, scores = store
    opened = PieceStore(folder)
    assert [info.id for info in opened.index()] == list(scores)
    for name, score in scores.items():
        piece = opened.read(name)
        assert piece.score == score
        assert (piece.id, piece.title, piece.genre, piece.licence) == (name, "Title ♯", {"pop": 1.0}, "CC0")
        notes, chords = opened.arrays(name)
        np.testing.assert_array_equal(notes, score_arrays(score)[0])
        np.testing.assert_array_equal(chords, score_arrays(score)[1])
    assert set(opened.read("a/2").score.parts) == {"drums"}
    assert opened.info("b/1").corpus == "b"


def test_an_unknown_piece(store):
    with pytest.raises(KeyError, match="c/9"):
        PieceStore(store[0]).read("c/9")


def test_equal_pieces_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        write_arrays(tmp_path / f"{name}.npz", [score_arrays(random_score(1))])
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_arrays_are_split_as_they_were_joined(tmp_path):
    pieces = [score_arrays(random_score(i)) for i in range(3)] + [score_arrays(Score(100.0, "4/4", 4, {}))]
    counts = [(len(n), len(c)) for n, c in pieces]
    write_arrays(tmp_path / "a.npz", pieces)
    for (n, c), (m, d) in zip(pieces, read_arrays(tmp_path / "a.npz", counts), strict=True):
        np.testing.assert_array_equal(n, m)
        np.testing.assert_array_equal(c, d)
    with pytest.raises(ValueError, match="does not match"):
        read_arrays(tmp_path / "a.npz", counts[:-2])


def test_no_pickle_is_ever_loaded(store):
    folder, _ = store
    np.savez(folder / "notes" / "a.npz", note_part=np.array([{"an": "object"}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        PieceStore(folder).read("a/1")


def test_a_folder_without_pieces_says_so(tmp_path):
    with pytest.raises(RequestError, match="holds no prepared pieces"):
        PieceStore(tmp_path)


@pytest.mark.parametrize("line", ["{", "[]", json.dumps({"id": "x"}), "7"])
def test_a_damaged_index_says_so(store, line):
    folder, _ = store
    (folder / "index.jsonl").write_text(line + "\n")
    with pytest.raises(RequestError, match="is damaged"):
        PieceStore(folder)

import numpy as np
import pytest

from musicgen_ui.errors import RequestError
from musicgen_ui.library.novelty import VERDICTS, TrainingIndex, verdict
from musicgen_ui.library.novelty_pieces import CORPORA, INDEX, TrainingPiece, read_pieces
from musicgen_ui.music.score import Note, Score
from musicgen_ui.music.sketch import Sketch, passage, sketch, transposed


def song(seed, bars=24):
    rng = np.random.default_rng(seed)
    tune = np.zeros(16 * bars, np.uint8)
    starts = np.flatnonzero(rng.random(len(tune)) < 0.35)
    tune[starts] = 1 + 60 + np.cumsum(rng.integers(-3, 4, len(starts))) % 14
    chord = np.repeat(1 + 8 * rng.integers(0, 12, 2 * bars) + rng.integers(0, 2, 2 * bars), 4).astype(np.uint8)
    return Sketch(tune, chord, "4/4")


@pytest.fixture(scope="module")
def index():
    return TrainingIndex(
        [TrainingPiece(f"song {i}", "pop909_mit", "MIT", i // 2 if i < 4 else i, song(i)) for i in range(40)]
    )


@pytest.mark.parametrize("seed", [4, 17, 33])
def test_a_piece_is_its_own_nearest_in_any_key(index, seed):
    found = index.nearest(passage(song(seed), 12, np.random.default_rng(seed)))
    assert found[0].title == f"song {seed}"
    assert found[0].likeness > 0.9
    assert found[0].exact_beats > 40
    assert found[0].corpus == CORPORA["pop909_mit"]


def test_the_places_are_told(index):
    part = Sketch(song(9).tune[16 * 6 : 16 * 10], song(9).chord[8 * 6 : 8 * 10], "4/4")
    found = index.nearest(transposed(part, 5))[0]
    assert found.there[0] - found.here[0] == pytest.approx(24.0, abs=0.6)
    assert found.bar_there - found.bar_here == pytest.approx(6, abs=1)


def test_strangers_are_not_alike(index):
    found = index.nearest(song(1000))[0]
    assert found.likeness < 0.5
    assert found.exact_beats < 4
    assert verdict([found]) == VERDICTS[-1][2]


def test_half_the_tempo_is_seen_through(index):
    source = song(21)
    tune = np.zeros(2 * 16 * 8, np.uint8)
    tune[::2] = source.tune[: 16 * 8]
    found = index.nearest(Sketch(tune, np.repeat(source.chord[: 8 * 8], 2), "4/4"))
    assert found[0].title == "song 21"


def test_a_song_is_named_once(index):
    assert len({near.piece // 2 for near in index.nearest(song(1), 5)}) == 5


def test_a_score_without_notes_is_refused(index):
    with pytest.raises(RequestError, match="tune"):
        index.nearest(Score(120.0, "4/4", 8, {"drums": (Note(0.0, 36, 1.0, 90),)}))


def test_a_score_is_sketched():
    score = Score(120.0, "3/4", 2, {"lead": (Note(0.0, 60, 1.0, 90), Note(2.5, 72, 0.5, 90))})
    value = sketch(score)
    assert np.flatnonzero(value.tune).tolist() == [0, 10]
    assert value.tune[[0, 10]].tolist() == [61, 73]
    assert (value.beats, value.bar(3.0)) == (6, 2)


def test_the_index_that_ships_is_whole():
    assert INDEX.stat().st_size <= 3_000_000
    pieces = read_pieces(INDEX)
    assert len(pieces) > 8000
    assert all(piece.title and piece.licence for piece in pieces)
    assert {piece.corpus for piece in pieces} <= set(CORPORA)


def test_a_damaged_index_is_refused(tmp_path):
    whole = INDEX.read_bytes()
    broken = tmp_path / "index.npz"
    broken.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RequestError, match="damaged"):
        read_pieces(broken)
    with pytest.raises(RequestError, match="missing"):
        read_pieces(tmp_path / "none.npz")

import numpy as np

from musicgen_ui.__main__ import main
from musicgen_ui.data.pieces import PieceStore
from musicgen_ui.data.sketches import write_index
from musicgen_ui.library.novelty_pieces import read_pieces
from musicgen_ui.music.sketch import sketch


def test_the_index_holds_the_training_pieces_and_no_others(pieces, tmp_path, capsys):
    path = tmp_path / "deep" / "index.npz"
    assert main(["prepare-index", "--data", str(pieces), "--out", str(path)]) == 0
    assert capsys.readouterr().out.startswith("2 pieces")
    store = PieceStore(pieces)
    train = [info for info in store.index() if info.split == "train"]
    held = read_pieces(path)
    assert [(p.title, p.corpus, p.licence) for p in held] == [(i.title, i.corpus, i.licence) for i in train]
    own = sketch(store.read(train[0].id).score)
    # The prepared table is in a neutral key: every note is moved by the same interval.
    moved = held[0].sketch.tune[own.tune > 0].astype(int) - own.tune[own.tune > 0]
    assert len(np.unique(moved % 12)) == 1


def test_the_same_pieces_give_the_same_arrays(pieces, tmp_path):
    held = []
    for name in ("a.npz", "b.npz"):
        write_index(pieces, tmp_path / name)
        with np.load(tmp_path / name, allow_pickle=False) as file:
            held.append({key: file[key] for key in file.files})
    assert held[0].keys() == held[1].keys()
    assert all((held[0][key] == held[1][key]).all() for key in held[0])


def test_an_unprepared_folder_is_refused(tmp_path, capsys):
    assert main(["prepare-index", "--data", str(tmp_path), "--out", str(tmp_path / "i.npz")]) == 2
    assert "prepare" in capsys.readouterr().err

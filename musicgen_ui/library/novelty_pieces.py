"""The index of training pieces that ships: whose they are, under which licence, and their tunes and chords."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from musicgen_ui.errors import RequestError
from musicgen_ui.music.sketch import STEPS_PER_CHORD, Sketch

INDEX = Path(__file__).resolve().parents[2] / "assets" / "training_index.npz"
"""The index that ships; ``prepare-index`` writes it."""

CORPORA = {
    "arranged": "Lead sheets and chord charts, arranged by rules",
    "chords_billboard_cc0_fmc_mit": "Chord charts (Billboard, FMC)",
    "easyrpg_rtp_ccby": "EasyRPG",
    "freedoom_bsd": "Freedoom",
    "lmms_demos_mixed": "LMMS demonstrations",
    "mutopia_pd_ccby": "Mutopia",
    "openewld_pd1930": "OpenEWLD lead sheets",
    "openscore_lieder_cc0": "OpenScore Lieder",
    "openscore_quartets_cc0": "OpenScore String Quartets",
    "polish_dances_ccby": "Polish dances",
    "pop909_mit": "POP909",
}
"""What the corpora are called on the page."""


@dataclass(frozen=True)
class TrainingPiece:
    """A piece that the composers learned from; ``group`` is its song's number."""

    title: str
    corpus: str
    licence: str
    group: int
    sketch: Sketch


def read_pieces(path: Path) -> list[TrainingPiece]:
    """The pieces of an index file.

    Raises:
        RequestError: it is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            head = json.loads(file["facts"].tobytes())
            tune, chord = file["tune"], file["chord"]
        step = head["steps_per_chord"]
        pieces, at = [], 0
        for title, corpus, licence, metre, steps, group in head["pieces"]:
            value = Sketch(tune[at : at + steps], chord[at // step : (at + steps) // step], metre)
            pieces.append(TrainingPiece(title, head["corpora"][corpus], head["licences"][licence], group, value))
            at += steps
        if step != STEPS_PER_CHORD or at != len(tune) or at // step != len(chord):
            raise ValueError("its arrays do not fit")
    except OSError as error:
        raise RequestError(path.name, f"the index of the training pieces is missing ({error.strerror})") from None
    except (BadZipFile, zlib.error, ValueError, KeyError, TypeError, IndexError, EOFError) as error:
        raise RequestError(path.name, "the index of the training pieces is damaged") from error
    return pieces

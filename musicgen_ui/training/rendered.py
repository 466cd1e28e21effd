"""Reads the stems that ``prepare-audio`` rendered: which timbre, which passage, which notes, what it sounds like."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.data.render_folder import audio_path
from musicgen_ui.data.songs import SPLITS
from musicgen_ui.errors import RequestError
from musicgen_ui.models.vae_gan.condition import LABEL_RANGES, TimbreLabels
from musicgen_ui.music.instruments import GM_NAMES, KITS


@dataclass(frozen=True)
class RenderedTimbre:
    """A preset or kit under one setting of the labels.

    Attributes:
        id: name of its file.
        program: General MIDI program, or the kit's number.
        drums: whether it is a kit.
        family: of instruments.
        seen: whether training may use it.
        variant: 0 for neutral labels.
        labels: how it is played.
    """

    id: str
    program: int
    drums: bool
    family: str
    seen: bool
    variant: int
    labels: TimbreLabels

    @property
    def preset(self) -> tuple[int, bool]:
        """What all its variants share."""
        return self.program, self.drums

    @property
    def name(self) -> str:
        if not self.drums:
            return GM_NAMES[self.program]
        return next((name for name, number in KITS.items() if number == self.program), f"kit {self.program}")


@dataclass(frozen=True)
class Stem:
    """A passage as one timbre plays it.

    Attributes:
        timbre: who plays.
        passage: its number in the timbre's file.
        notes: on the sample axis.
        samples: (n,) float32 at 44.1 kHz.
    """

    timbre: RenderedTimbre
    passage: int
    notes: tuple[PlayedNote, ...]
    samples: np.ndarray

    @property
    def part(self) -> str:
        """The part that such a stem belongs to: drums, bass by its family, chords if notes start together."""
        if self.timbre.drums:
            return "drums"
        if self.timbre.family == "bass":
            return "bass"
        starts = [note.start for note in self.notes]
        return "chords" if len(set(starts)) < 0.75 * len(starts) else "lead"

    def cropped(self, length: int) -> Stem:
        """The first ``length`` samples."""
        notes = tuple(note for note in self.notes if note.start < length)
        return Stem(self.timbre, self.passage, notes, self.samples[:length])


@dataclass(frozen=True)
class RenderedFolder:
    """A folder of training audio.

    Attributes:
        path: of the folder.
        timbres: all that it lists and holds.
    """

    path: Path
    timbres: tuple[RenderedTimbre, ...]

    @classmethod
    def open(cls, path: Path) -> RenderedFolder:
        """Reads the folder's list of timbres.

        Raises:
            RequestError: there is none, or none of them is rendered.
        """
        try:
            lines = (path / "timbres.jsonl").read_text(encoding="utf-8").splitlines()
            listed = [_timbre(json.loads(line)) for line in lines if line.strip()]
        except OSError:
            raise RequestError("--audio", f"{path} holds no rendered audio; run prepare-audio first") from None
        except (ValueError, KeyError, TypeError) as error:
            raise RequestError("--audio", f"{path / 'timbres.jsonl'} is damaged ({error})") from None
        found = tuple(timbre for timbre in listed if audio_path(path, timbre.id).is_file())
        if not found:
            raise RequestError("--audio", f"{path} holds no rendered audio; run prepare-audio first")
        return cls(path, found)

    def file(self, timbre: RenderedTimbre) -> Path:
        """Where a timbre's arrays lie."""
        return audio_path(self.path, timbre.id)

    def passages(self, timbre: RenderedTimbre, splits: Sequence[str] = SPLITS) -> list[int]:
        """Numbers of the passages whose piece is in one of the splits."""
        with np.load(self.file(timbre), allow_pickle=False) as arrays:
            split = arrays["passage_split"]
        return [int(number) for number in np.flatnonzero(np.isin(split, [SPLITS.index(name) for name in splits]))]

    def stems(self, timbre: RenderedTimbre, passages: Sequence[int], length: int | None = None) -> Iterator[Stem]:
        """Stems of a timbre in the order of ``passages``, at most ``length`` samples of each."""
        with np.load(self.file(timbre), allow_pickle=False) as arrays:
            audio, scale, rows = (arrays[f"passage_{name}"] for name in ("audio", "scale", "notes"))
        for passage in passages:
            notes = tuple(PlayedNote(*(int(value) for value in row[1:])) for row in rows[rows[:, 0] == passage])
            stem = Stem(timbre, passage, notes, audio[passage].astype(np.float32) * scale[passage])
            yield stem if length is None else stem.cropped(length)


def _timbre(entry: dict) -> RenderedTimbre:
    labels = {name: float(entry["labels"].get(name, LABEL_RANGES[name][2])) for name in LABEL_RANGES}
    return RenderedTimbre(
        id=str(entry["id"]),
        program=int(entry["program"]),
        drums=bool(entry["drums"]),
        family=str(entry["family"]),
        seen=entry["split"] == "train",
        variant=int(entry["variant"]),
        labels=TimbreLabels(**labels),
    )

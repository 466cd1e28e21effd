"""What the note level learns from: the analysed notes of a folder of training audio, and how their timbres sound."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from musicgen_ui.audio.partials import BANDS, DRUM_GRID, DRUM_KNOTS, GRID, KNOTS, NOISE_EDGES
from musicgen_ui.errors import RequestError
from musicgen_ui.models.vae_gan.condition import DETUNE_CENTS, TimbreLabels
from musicgen_ui.models.vae_gan.config import LABELS, PITCHES, BranchConfig
from musicgen_ui.models.vae_gan.encoder import features
from musicgen_ui.models.vae_gan.note_network import NoteNetwork

RELEASED = 0.4
"""Seconds after which the notes were let go whose release was measured."""


NOISE_SHARE = 0.4
_BANK_LEAVES_HZ = 2600.0

LENDING_VELOCITY = 88.0
"""Most notes of real scores are about as loud."""

_NEIGHBOUR = 25.0
"""A semitone away is as bad as this much in velocity."""


@dataclass(frozen=True)
class Timbre:
    """One rendering of one preset.

    Attributes:
        id: its name in the folder.
        instrument: index into its branch's programs; -1 when the preset is kept unseen.
        drums: it is a kit.
        labels: how it was rendered.
        notes: (first, last + 1) of its notes in the branch's arrays.
        mels: log-mel (M, frames) float16 of each training passage.
    """

    id: str
    instrument: int
    drums: bool
    labels: TimbreLabels
    notes: tuple[int, int]
    mels: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class NoteArrays:
    """The analysed notes of one branch; N of them, see Partials for the others' meaning.

    ``angle`` is relative to the table of steady partials of the note's instrument and pitch.
    """

    pitch: np.ndarray
    velocity: np.ndarray
    amplitude: np.ndarray
    angle: np.ndarray
    bend: np.ndarray
    noise: np.ndarray
    release: np.ndarray


@dataclass(frozen=True)
class NoteTargets:
    """A batch of what notes should be; tensors of :class:`NoteArrays` in float32."""

    pitch: Tensor
    velocity: Tensor
    amplitude: Tensor
    angle: Tensor
    bend: Tensor
    noise: Tensor
    release: Tensor


class NoteFolder:
    """Reads the analysed notes of a folder that ``prepare-audio`` wrote; unseen presets are left out.

    Attributes:
        configs: ``pitched`` and ``drums``.
        timbres: those that have notes and a passage.
        arrays: branch name to its notes.
        ratio, phase: branch name to the tables of steady partials, (instruments, PITCHES, K) float32.

    Raises:
        RequestError: the folder holds no training audio, or none that was rendered.
    """

    def __init__(self, folder: Path, mels: int) -> None:
        listing = folder / "timbres.jsonl"
        if not listing.is_file():
            raise RequestError("--audio", f"{folder} holds no training audio; run the prepare-audio command first")
        rows = [json.loads(line) for line in listing.read_text(encoding="utf-8").splitlines()]
        rows = [row for row in rows if row["split"] == "train" and (folder / "audio" / f"{row['id']}.npz").is_file()]
        if not rows:
            raise RequestError("--audio", f"{folder} holds no finished timbre")
        self.configs = {name: _branch(rows, name == "drums") for name in ("pitched", "drums")}
        self.timbres: list[Timbre] = []
        self.arrays: dict[str, NoteArrays] = {}
        self.ratio: dict[str, np.ndarray] = {}
        self.phase: dict[str, np.ndarray] = {}
        for name, config in self.configs.items():
            if config.programs:
                self._read(folder, name, config, [row for row in rows if row["drums"] == config.drums], mels)

    def _read(self, folder: Path, name: str, config: BranchConfig, rows: list[dict], mels: int) -> None:
        place = {program: i for i, program in enumerate(config.programs)}
        pieces: list[dict[str, np.ndarray]] = []
        owners: list[tuple[int, TimbreLabels]] = []
        first = 0
        for row in rows:
            labels = TimbreLabels(**row["labels"])
            with np.load(folder / "audio" / f"{row['id']}.npz") as file:
                data = {key: file[key] for key in file.files}
            audio = data.pop("passage_audio")
            scale, split = data.pop("passage_scale"), data.pop("passage_split")
            heard = tuple(
                features(audio[i].astype(np.float32) * scale[i], mels).astype(np.float16)
                for i in np.flatnonzero(split == 0)
            )
            count = len(data["note_table"])
            instrument = place[row["program"]]
            if heard:
                self.timbres.append(Timbre(row["id"], instrument, config.drums, labels, (first, first + count), heard))
            first += count
            pieces.append(data)
            owners.extend([(instrument, labels)] * count)
        if not owners:
            raise RequestError("--audio", f"{folder} holds recordings only; prepare-audio adds rendered notes to it")
        joined = {
            key: np.concatenate([piece[key] for piece in pieces])
            for key in ("note_table", "ratio", "phase", "amplitude", "turn", "bend", "noise", "release")
        }
        instruments = np.array([owner[0] for owner in owners])
        vibrato = np.array([owner[1].vibrato for owner in owners])
        pitch, velocity = joined["note_table"][:, 0], joined["note_table"][:, 1]
        played = np.array([owner[1].played_velocity(int(v)) for owner, v in zip(owners, velocity, strict=True)])
        grid, knots = (DRUM_GRID, DRUM_KNOTS) if config.drums else (GRID, KNOTS)
        source = _representatives(instruments, pitch, played, vibrato, len(config.programs))
        known = source >= 0
        ratio = np.where(known[..., None], joined["ratio"][source] / grid - 1.0, 0.0).astype(np.float32)
        phase = np.where(known[..., None], joined["phase"][source], 0.0).astype(np.float32)
        self.ratio[name], self.phase[name] = ratio, phase
        hertz = 440.0 * 2.0 ** ((pitch - 69 + np.array([o[1].detune for o in owners]) * DETUNE_CENTS / 100.0) / 12.0)
        if config.drums:
            hertz = np.ones_like(hertz)
        steady = grid * (1.0 + ratio[instruments, pitch])
        drift = 2 * np.pi * (joined["ratio"] - steady)[:, None, :] * hertz[:, None, None] * knots[None, :, None]
        angle = joined["turn"] + (joined["phase"] - phase[instruments, pitch])[:, None, :] + drift
        self.arrays[name] = NoteArrays(
            pitch=pitch.astype(np.int64),
            velocity=velocity.astype(np.float32),
            amplitude=joined["amplitude"],
            angle=np.angle(np.exp(1j * angle.astype(np.float32))).astype(np.float16),
            bend=joined["bend"],
            noise=_noise_share(joined["noise"], config.drums),
            # A drum is never let go; only a choke damps it, and that is not measured.
            release=joined["release"] if config.drums else damping(joined["release"], joined["amplitude"], knots),
        )

    def fill_tables(self, networks: dict[str, NoteNetwork]) -> None:
        """Writes the measured ratios and phases into the networks."""
        for name, network in networks.items():
            if name not in self.ratio:
                continue
            network.ratio.copy_(torch.from_numpy(self.ratio[name]))
            network.phase.copy_(torch.from_numpy(self.phase[name]))

    def knots(self, name: str) -> np.ndarray:
        """(T,) seconds of a branch."""
        return DRUM_KNOTS if self.configs[name].drums else KNOTS

    def owners(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Instrument (N,) and labels (N, LABELS) of every note of a branch."""
        count = len(self.arrays[name].pitch)
        instrument, labels = np.zeros(count, dtype=np.int64), np.zeros((count, LABELS), dtype=np.float32)
        for timbre in self.timbres:
            if timbre.drums == self.configs[name].drums:
                instrument[slice(*timbre.notes)] = timbre.instrument
                labels[slice(*timbre.notes)] = timbre.labels.vector()
        return instrument, labels

    def targets(self, name: str, rows: np.ndarray) -> NoteTargets:
        """The notes of these rows of a branch."""
        a = self.arrays[name]
        columns = (a.pitch, a.velocity, a.amplitude, a.angle, a.bend, a.noise, a.release)
        picked = [torch.from_numpy(np.ascontiguousarray(column[rows])) for column in columns]
        return NoteTargets(picked[0], *(tensor.float() for tensor in picked[1:]))


def _noise_share(noise: np.ndarray, drums: bool) -> np.ndarray:
    """Noise (N, T, B) as it should sound, of what was measured as the rest beside the partials.

    Played as measured, it is two to three times too loud: the rest also holds every error of the partials. The shares
    are those at which passages are nearest to their renderings. What lies in the lowest band of a pitched instrument is
    rumble or leakage, and a drum's bank leaves nothing below 2.6 kHz.
    """
    share = np.full(noise.shape[-1], NOISE_SHARE, dtype=np.float32)
    if drums:
        share[NOISE_EDGES[1:] < _BANK_LEAVES_HZ] = 0.05
        return noise * share
    return np.concatenate([np.minimum(noise[..., :1], noise[..., 1:2]), noise[..., 1:]], axis=-1) * share


def damping(release: np.ndarray, amplitude: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """(N,) time constant of what letting go adds to the decay that a note has by itself.

    Args:
        release: (N,) time constant of the whole decay, measured from RELEASED seconds on.
        amplitude: (N, T, K) of the held note.
        knots: (T,).
    """
    level = 0.5 * np.log(np.sum(np.square(amplitude, dtype=np.float32), axis=2) + 1e-12)
    later = RELEASED + np.clip(3.5 * release, 0.02, 0.8)
    rows = np.arange(len(release))
    first, last = np.searchsorted(knots, RELEASED), np.minimum(np.searchsorted(knots, later), len(knots) - 1)
    own = (level[:, first] - level[rows, last]) / (knots[last] - knots[first] + 1e-9)
    rate = 1.0 / release - np.clip(own, 0.0, None)
    return np.clip(1.0 / np.maximum(rate, 1e-3), 0.004, 3.0).astype(np.float32)


def _branch(rows: list[dict], drums: bool) -> BranchConfig:
    programs = tuple(sorted({row["program"] for row in rows if row["drums"] == drums}))
    grid, knots = (DRUM_GRID, DRUM_KNOTS) if drums else (GRID, KNOTS)
    code, seed = (256, 96) if drums else (512, 48)
    return BranchConfig(programs, drums, len(knots), len(grid), BANDS, code=code, seed=seed)


def _representatives(
    instrument: np.ndarray, pitch: np.ndarray, velocity: np.ndarray, vibrato: np.ndarray, count: int
) -> np.ndarray:
    """(count, PITCHES) index of the note that lends a pitch its tuning and start phases.

    Soft and loud notes may come from different samples, tuned differently: a note of LENDING_VELOCITY is wanted, and
    a neighbour of that velocity stands for a pitch better than a soft note of its own. Steady ones come first.
    """
    source = np.full((count, PITCHES), -1)
    for i in range(count):
        rows = np.flatnonzero(instrument == i)
        if len(rows):
            apart = np.abs(velocity[rows] - LENDING_VELOCITY) + 60.0 * vibrato[rows]
            cost = apart[None, :] + _NEIGHBOUR * np.abs(pitch[rows][None, :] - np.arange(PITCHES)[:, None])
            source[i] = rows[np.argmin(cost, axis=1)]
    return source

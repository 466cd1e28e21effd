"""Played notes to voices: which notes the networks write, once each, and when each is let go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from musicgen_ui.audio.partials import DRUM_GRID, DRUM_KNOTS, GRID, KNOTS
from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.models.vae_gan.condition import DETUNE_CENTS, TimbreLabels
from musicgen_ui.models.vae_gan.note_network import Envelopes, NoteBatch, NoteNetwork
from musicgen_ui.models.vae_gan.voices import VoiceTensors, assemble, steady_partials

CHOKED_BY = {46: (42, 44)}
"""Drum key to the keys that cut it off: the open hi-hat closes."""

NEUTRAL = TimbreLabels()

_AT_ONCE = 256
"""Notes that a network writes at a time."""


@dataclass(frozen=True)
class Sound:
    """What plays a part.

    Attributes:
        instrument: index into the network's programs.
        z: (Z_SIZE,) the timbre.
        known: 1 where the instrument is told, 0 where z alone carries the timbre; between them, a morph on its way.
        labels: how it is played.
    """

    instrument: int
    z: Tensor
    known: float = 1.0
    labels: TimbreLabels = NEUTRAL


def instrument_of(network: NoteNetwork, program: int) -> int:
    """Index of a program; of the nearest one of its family where the network does not know it."""
    programs = network.config.programs
    if program in programs:
        return programs.index(program)
    # Families are runs of eight; a kit's neighbours are as good as any.
    family = [p for p in programs if p // 8 == program // 8] or list(programs)
    return programs.index(min(family, key=lambda p: (abs(p - program), p)))


def lengths(notes: Sequence[PlayedNote], drums: bool) -> np.ndarray:
    """(N,) samples that each note's key is held; 0 for a note that does not sound.

    One key cannot be struck twice at once: the longer note stays. A note struck again while it sounds is let go
    first. A drum rings out, unless it is choked or struck again.
    """
    order = sorted(range(len(notes)), key=lambda i: (notes[i].start, notes[i].end), reverse=True)
    held = np.zeros(len(notes), dtype=np.int64)
    struck: dict[int, int] = {}
    for i in order:
        note = notes[i]
        end = note.start + round(DRUM_KNOTS[-1] * SAMPLE_RATE) if drums else note.end
        cuts = (note.pitch, *(CHOKED_BY.get(note.pitch, ()) if drums else ()))
        end = min([end, *(struck[key] for key in cuts if key in struck)])
        held[i] = max(1, end - note.start) if struck.get(note.pitch) != note.start else 0
        struck[note.pitch] = note.start
    return held


def perform(
    network: NoteNetwork, notes: Sequence[PlayedNote], sound: Sound, held: np.ndarray | None = None
) -> VoiceTensors:
    """Voices of the notes. Notes of the same pitch and velocity are written once.

    Args:
        network: the note level, on any device.
        notes: in any order; at least one.
        sound: what plays them.
        held: (N,) what :func:`lengths` says, where these are some notes of more; None to find it here.
    """
    drums = network.config.drums
    held = lengths(notes, drums) if held is None else held
    notes, held = [note for note, hold in zip(notes, held, strict=True) if hold], held[held > 0]
    device = network.prior_mean.device
    keys = sorted({(note.pitch, note.velocity) for note in notes})
    place = {key: i for i, key in enumerate(keys)}
    rows = torch.tensor([place[note.pitch, note.velocity] for note in notes], device=device)
    pitch, velocity = (torch.tensor(column, device=device) for column in zip(*keys, strict=True))
    written = [
        _write(network, pitch[i : i + _AT_ONCE], velocity[i : i + _AT_ONCE], sound)
        for i in range(0, len(keys), _AT_ONCE)
    ]
    envelopes = Envelopes(*(torch.cat([getattr(e, name) for e in written])[rows] for name in vars(written[0])))
    pitch = pitch[rows]
    grid = torch.tensor(DRUM_GRID if drums else GRID, device=device, dtype=torch.float32)
    ratio, phase = steady_partials(grid, len(pitch), drums)
    if sound.known > 0:
        ratio = ratio * (1.0 + sound.known * network.ratio[sound.instrument, pitch])
        phase = torch.lerp(phase, network.phase[sound.instrument, pitch], float(sound.known))
    cents = DETUNE_CENTS * sound.labels.detune
    frequency = torch.ones(len(pitch), device=device, dtype=torch.float64)
    if not drums:
        frequency = 440.0 * 2.0 ** ((pitch.double() - 69.0 + cents / 100.0) / 12.0)
    return assemble(
        envelopes,
        torch.tensor(DRUM_KNOTS if drums else KNOTS, device=device, dtype=torch.float32),
        start=torch.tensor([note.start for note in notes], device=device),
        hold=torch.from_numpy(held).to(device),
        frequency=frequency,
        ratio=ratio,
        phase=phase,
    )


def _write(network: NoteNetwork, pitch: Tensor, velocity: Tensor, sound: Sound) -> Envelopes:
    count = len(pitch)
    labels = torch.from_numpy(sound.labels.vector()).to(pitch.device)
    return network(
        NoteBatch(
            instrument=torch.full((count,), sound.instrument, device=pitch.device),
            known=torch.full((count,), float(sound.known), device=pitch.device),
            pitch=pitch,
            velocity=velocity.float(),
            z=sound.z.to(pitch.device).expand(count, -1),
            labels=labels.expand(count, -1),
        )
    )

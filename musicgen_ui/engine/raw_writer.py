"""Writes voices with the raw-audio WaveNet and brings them to the studio's rate, as they are made."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import soxr
import torch

from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.models.wavenet.excitation import excitation
from musicgen_ui.models.wavenet.fast import RawSampler
from musicgen_ui.models.wavenet.frames import HOP, RATE, score_frames, sounding
from musicgen_ui.models.wavenet.mu_law import de_emphasis, decode
from musicgen_ui.models.wavenet.raw import RawWaveNet
from musicgen_ui.models.wavenet.request import RawRequest

TEMPERATURE = 0.4
"""Of the softmax that samples are drawn from: below 1 there is less hiss, far below the tone thins out."""

STRETCH = 256
"""Frames (about a second) whose excitation and conditioning are computed at a time."""

PIECE = 32
"""Frames of a piece of sound: an eighth of a second."""

_CONTEXT = 4
"""Frames to either side that what is computed of a frame depends on."""

Hook = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Voice:
    """A monophonic line.

    Attributes:
        row: of the output that it is added to.
        instrument: index into the model's programs.
        notes: in order, at RATE.
        brightness: the label, -1 to 1.
        uniforms: (frames * HOP,) float32 in [0, 1): all that is random about it.
    """

    row: int
    instrument: int
    notes: tuple[PlayedNote, ...]
    brightness: float
    uniforms: np.ndarray


@dataclass
class Stretches:
    """Stands for a long array of which STRETCH frames are made when they are asked for, and forgotten afterwards.

    A minute of one voice's conditioning alone would take 70 MB.

    Attributes:
        shape: of the array.
        unit: rows of it in a frame.
        make: first frame and count to rows of the array.
    """

    shape: tuple[int, ...]
    unit: int
    make: Callable[[int, int], np.ndarray]
    _at: int = -1
    _rows: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.float32))

    def __getitem__(self, part: slice) -> np.ndarray:
        begin, end, _ = part.indices(self.shape[0])
        pieces = []
        while begin < end:
            stretch = begin // (STRETCH * self.unit)
            if stretch != self._at:
                first = stretch * STRETCH
                self._rows = self.make(first, min(STRETCH, self.shape[0] // self.unit - first))
                self._at = stretch
            origin = stretch * STRETCH * self.unit
            pieces.append(self._rows[begin - origin : end - origin])
            begin += len(pieces[-1])
        return np.concatenate(pieces) if pieces else np.zeros((0, *self.shape[1:]), dtype=np.float32)


class RawWriter:
    """A model and its compiled sampler. It keeps no state between calls.

    Args:
        model: in evaluation mode, on the CPU.
    """

    def __init__(self, model: RawWaveNet) -> None:
        self.config = model.config
        self._sampler = RawSampler(model)
        # Sums in double precision round to the same numbers however many threads add them up: a draw that falls
        # otherwise once would be another sound from there on.
        self._exact = copy.deepcopy(model).double()

    def write(
        self, voices: Sequence[Voice], rows: int, frames: int, *, temperature: float = TEMPERATURE, hook: Hook
    ) -> Iterator[np.ndarray]:
        """The voices' sound at SAMPLE_RATE, summed by row, in pieces as they are made.

        Its level is that of the sound which the model learned from. Sample 0 is the voices' sample 0: the resampler
        has no delay.

        Args:
            voices: at least one.
            rows: of the output.
            frames: length of every voice.
            temperature: of the softmax.
            hook: told ``("raw", samples done, samples to do)``, counted at RATE over all voices.

        Yields:
            (rows, n) float32; n differs from piece to piece, and in all it is about the same time as ``frames``.
        """
        requests = [self._request(voice, frames, temperature) for voice in voices]
        gains = np.array([self.config.gains[voice.instrument] for voice in voices])[:, None]
        envelope = np.stack([_envelope(request.active) for request in requests])
        resampler = soxr.ResampleStream(RATE, SAMPLE_RATE, rows, dtype="float32", quality="VHQ")
        state, done = None, 0
        for classes in self._sampler.stream(requests, chunk=PIECE * HOP, hook=hook):
            samples, state = de_emphasis(decode(classes), state)
            first, count = done // HOP, classes.shape[1] // HOP
            shape = _ramps(envelope[:, first : first + count + 1])
            samples = samples * shape / gains
            done += classes.shape[1]
            mixed = np.zeros((rows, samples.shape[1]), dtype=np.float32)
            for voice, sound in zip(voices, samples, strict=True):
                mixed[voice.row] += sound.astype(np.float32)
            out = resampler.resample_chunk(np.ascontiguousarray(mixed.T), last=done >= frames * HOP)
            yield out.T

    def _request(self, voice: Voice, frames: int, temperature: float) -> RawRequest:
        config, samples = self.config, frames * HOP
        context = config.stack.receptive_field
        tones = self._exact.tones(voice.instrument)
        instrument, c = torch.tensor([voice.instrument]), torch.tensor([[voice.brightness]], dtype=torch.float64)

        def told(first: int, count: int) -> tuple[int, int, torch.Tensor]:
            """Where a stretch with its context begins, its length with it, and what the frames say there."""
            begin, end = max(0, first - _CONTEXT), min(frames, first + count + _CONTEXT)
            features = score_frames(_moved(voice.notes, begin), end - begin)
            return begin, end - begin, torch.from_numpy(features)[None].double()

        @torch.inference_mode()
        def excite(first: int, count: int) -> np.ndarray:
            begin, length, features = told(first, count)
            tone = torch.from_numpy(excitation(_moved(voice.notes, begin), length * HOP, tones))[None].double()
            whole = self._exact.features(tone, features, instrument, c)[0].float().numpy()
            return whole[(first - begin) * HOP :][: count * HOP]

        @torch.inference_mode()
        def condition(first: int, count: int) -> np.ndarray:
            begin, _, features = told(first, count)
            return self._exact.conditioning(features, instrument, c)[0].float().numpy()[first - begin :][:count]

        return RawRequest(
            excitation=Stretches((samples, config.features), HOP, excite),
            conditioning=Stretches((frames, config.layers, 2 * config.residual), 1, condition),
            uniforms=voice.uniforms,
            active=sounding(voice.notes, frames, context),
            temperature=temperature,
        )


def _moved(notes: Sequence[PlayedNote], frames: int) -> list[PlayedNote]:
    """Notes as they lie when time begins at a frame."""
    by = frames * HOP
    return [PlayedNote(n.start - by, n.end - by, n.pitch, n.velocity) for n in notes]


def _envelope(active: np.ndarray) -> np.ndarray:
    """(frames + 1,) level at the border before each frame: 0 where a stretch of sound begins or ends, else 1.

    The very beginning is no border: a note may be struck there.
    """
    before = np.concatenate([active[:1], active])
    return (before & np.concatenate([active, [False]])).astype(np.float64)


def _ramps(borders: np.ndarray) -> np.ndarray:
    """(voices, count + 1) levels at borders to (voices, count * HOP) samples, straight from one to the next."""
    rise = np.arange(HOP) / HOP
    lines = borders[:, :-1, None] + (borders[:, 1:, None] - borders[:, :-1, None]) * rise
    return lines.reshape(len(borders), -1)

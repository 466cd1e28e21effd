"""Rehearsal: the raw-audio WaveNet writes training lines by itself, and then learns what should have come instead.

Its own past is wrong in ways that no noise imitates (exposure bias). The excitation keeps what it writes in step with
the true sound, so that the true sample is the right answer to its own past too (DAgger, Ross et al. 2011).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import librosa
import numpy as np
import torch

from musicgen_ui.models.wavenet.excitation import excitation
from musicgen_ui.models.wavenet.fast import RawSampler
from musicgen_ui.models.wavenet.frames import HOP, RATE, score_frames, sounding
from musicgen_ui.models.wavenet.mu_law import de_emphasis, decode
from musicgen_ui.models.wavenet.raw import RawWaveNet
from musicgen_ui.models.wavenet.request import RawRequest
from musicgen_ui.training.raw_lines import LineFolder

MELS = 64
TEMPERATURE = 0.5
"""Of the softmax when free running is measured."""


def rehearse(
    model: RawWaveNet, folder: LineFolder, temperatures: Sequence[float], seed: tuple[int, int]
) -> dict[int, np.ndarray]:
    """One training line of each instrument at each temperature, as the model writes it.

    Args:
        model: on the CPU.
        folder: the lines.
        temperatures: of the softmax.
        seed: of the choice of lines and of the samples.

    Returns:
        line number to (n,) uint8 classes.
    """
    rng = np.random.default_rng(seed)
    written: dict[int, np.ndarray] = {}
    for temperature in temperatures:
        numbers = [int(rng.choice(folder.of("train", i))) for i in range(len(folder.programs))]
        length = min(len(folder.lines[number].samples) for number in numbers)
        written |= dict(zip(numbers, write_lines(model, folder, numbers, length, temperature, rng), strict=True))
    return written


def free_running(model: RawWaveNet, folder: LineFolder, seconds: float, seed: int) -> float:
    """How far what the model writes lies from held-out lines: mean difference of log-mel spectrograms, in dB.

    Args:
        model: on the CPU.
        folder: the lines, of which the first of each instrument for validation is written.
        seconds: of each.
        seed: of the samples.
    """
    numbers = [folder.of("validation", i)[0] for i in range(len(folder.programs))]
    length = min(round(seconds * RATE), *(len(folder.lines[number].samples) for number in numbers)) // HOP * HOP
    made = write_lines(model, folder, numbers, length, TEMPERATURE, np.random.default_rng(seed))
    true = [folder.classes[number][:length] for number in numbers]
    return float(np.mean([_log_mel_distance(a, b) for a, b in zip(made, true, strict=True)]))


@torch.no_grad()
def write_lines(
    model: RawWaveNet,
    folder: LineFolder,
    numbers: Sequence[int],
    length: int,
    temperature: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """(lines, length) uint8: the beginnings of lines as the model writes them, at the tuning of their recordings."""
    config, requests = model.config, []
    frames = length // config.hop
    for number in numbers:
        line = folder.lines[number]
        tone = excitation(line.notes, frames * config.hop, folder.tones_of(line.instrument), tuned=False)
        told = (
            torch.from_numpy(score_frames(line.notes, frames))[None],
            torch.tensor([line.instrument]),
            torch.tensor([[line.brightness]]),
        )
        with torch.autocast("cpu", enabled=False):
            features = model.features(torch.from_numpy(tone)[None], *told)[0].numpy()
            table = model.conditioning(*told)[0].numpy()
        active = sounding(line.notes, frames, config.stack.receptive_field)
        uniforms = rng.random(frames * config.hop, dtype=np.float32)
        requests.append(RawRequest(features, table, uniforms, active, temperature))
    pieces = RawSampler(model).stream(requests, chunk=frames * config.hop)
    return np.concatenate(list(pieces), axis=1).astype(np.uint8)


def _log_mel_distance(classes: np.ndarray, true: np.ndarray) -> float:
    """Mean absolute difference in dB, down to 50 dB below the loudest of the true one."""
    made, wanted = (
        librosa.feature.melspectrogram(y=de_emphasis(decode(c))[0], sr=RATE, n_fft=1024, hop_length=256, n_mels=MELS)
        for c in (classes, true)
    )
    floor = 1e-5 * wanted.max() + 1e-12
    return float(np.mean(np.abs(10.0 * np.log10((made + floor) / (wanted + floor)))))


def save_written(path: Path, written: dict[int, np.ndarray]) -> None:
    """Keeps rehearsed lines beside an unfinished run."""
    temporary = path.with_suffix(".part.npz")
    np.savez(temporary, **{str(number): classes for number, classes in written.items()})
    temporary.replace(path)


def load_written(path: Path) -> dict[int, np.ndarray]:
    """What :func:`save_written` kept; nothing where it has not been called."""
    if not path.is_file():
        return {}
    with np.load(path, allow_pickle=False) as file:
        return {int(name): file[name] for name in file.files}

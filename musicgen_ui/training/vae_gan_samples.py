"""A fixed held-out set that shows how a run gets on: numbers, WAV files and spectrograms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from musicgen_ui.audio.waveform import SAMPLE_RATE, write_wav
from musicgen_ui.models.vae_gan.generator import Generator
from musicgen_ui.models.vae_gan.performance import Sound, instrument_of
from musicgen_ui.training.vae_gan_passages import Passage

WINDOWS = {4096: 2.0, 1024: 1.0, 256: 1.0}
"""FFT length to its weight: the longest tells partials apart."""

SECONDS = 4.0


def spectrogram(audio: Tensor, window: int) -> Tensor:
    """Magnitudes (batch, bins, frames) of audio (batch, n), hop a quarter of the window."""
    hann = torch.hann_window(window, device=audio.device)
    return torch.stft(audio, window, window // 4, window=hann, return_complex=True).abs()


def spectral_losses(made: Tensor, target: Tensor) -> dict[str, Tensor]:
    """Per-item spectral convergence and log-magnitude distance, weighted means over WINDOWS; audio (batch, n)."""
    convergence, log = [], []
    for window, weight in WINDOWS.items():
        a, b = spectrogram(made, window), spectrogram(target, window)
        size = torch.linalg.vector_norm(b, dim=(1, 2))
        apart = torch.linalg.vector_norm(a - b, dim=(1, 2)) / (size + 1e-3)
        convergence.append(weight * apart.clamp(max=3.0).mean())
        # 80 dB under the item's loudest cell nobody hears what is there.
        floor = 1e-4 * b.amax(dim=(1, 2), keepdim=True) + 1e-6
        log.append(weight * (torch.log(a + floor) - torch.log(b + floor)).abs().mean())
    total = sum(WINDOWS.values())
    return {"convergence": torch.stack(convergence).sum() / total, "log": torch.stack(log).sum() / total}


class HeldOut:
    """Validation passages, some of each branch, always from the prior.

    Args:
        passages: to choose from.
        count: how many, spread evenly.
    """

    def __init__(self, passages: Sequence[Passage], count: int = 12) -> None:
        self.passages = [passages[i] for i in np.unique(np.linspace(0, len(passages) - 1, count).astype(int))]
        self._length = min((len(p.pcm) for p in self.passages), default=0)
        self._length = min(self._length, int(SECONDS * SAMPLE_RATE)) // 512 * 512

    @torch.inference_mode()
    def play(self, generator: Generator, passage: Passage) -> tuple[np.ndarray, np.ndarray]:
        """The stem and its note level alone, (n,) float32 each."""
        network = generator.notes["drums" if passage.drums else "pitched"]
        instrument = instrument_of(network, passage.program)
        sound = Sound(instrument, network.prior_mean[instrument], labels=passage.labels)
        notes, _ = passage.crop(0, self._length)
        additive = generator.additive(passage.drums, notes, sound, 0, self._length)
        stem = generator.finish(additive.unsqueeze(0), [sound], [passage.drums], 0)[0]
        return stem.cpu().numpy(), additive.cpu().numpy()

    def measure(self, generator: Generator) -> dict[str, float]:
        """Mean spectral losses of the stems, and the convergence of the note level alone."""
        found: dict[str, list[float]] = {}
        for passage in self.passages:
            stem, additive = (torch.from_numpy(x).unsqueeze(0) for x in self.play(generator, passage))
            target = torch.from_numpy(passage.audio[: self._length]).unsqueeze(0)
            values = spectral_losses(stem, target) | {"note_level": spectral_losses(additive, target)["convergence"]}
            for name, value in values.items():
                found.setdefault(name, []).append(float(value))
        return {name: float(np.mean(values)) for name, values in found.items()}

    def write(self, generator: Generator, folder: Path) -> None:
        """WAV files and one picture: target, stem and note level of each passage, for eyes and ears."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        folder.mkdir(parents=True, exist_ok=True)
        figure = Figure(figsize=(12, 2 * len(self.passages)))
        FigureCanvasAgg(figure)
        axes = figure.subplots(len(self.passages), 3, squeeze=False)
        for row, passage in zip(axes, self.passages, strict=True):
            stem, additive = self.play(generator, passage)
            shown = {"target": passage.audio[: self._length], "stem": stem, "notes": additive}
            for axis, (name, audio) in zip(row, shown.items(), strict=True):
                write_wav(folder / f"{passage.timbre}_{name}.wav", np.clip(audio, -1, 1)[None], SAMPLE_RATE)
                decibels = 20 * torch.log10(spectrogram(torch.from_numpy(audio.copy())[None], 1024)[0] + 1e-5)
                axis.imshow(decibels[:256].numpy(), origin="lower", aspect="auto", vmin=-70, vmax=20, cmap="magma")
                axis.set_title(f"{passage.timbre} {name}", fontsize=7)
                axis.set_axis_off()
        figure.tight_layout()
        figure.savefig(folder / "spectrograms.png", dpi=60)

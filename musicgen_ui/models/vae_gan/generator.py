"""The VAE-GAN's parts together: notes in, stems out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from musicgen_ui.audio.oscillators import NOISE_LENGTH, noise_bands
from musicgen_ui.audio.partials import NOISE_EDGES
from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.models.vae_gan.additive import render
from musicgen_ui.models.vae_gan.config import VAEGANConfig
from musicgen_ui.models.vae_gan.note_network import NoteNetwork
from musicgen_ui.models.vae_gan.performance import Sound, perform
from musicgen_ui.models.vae_gan.stem import StemGenerator


class Generator(nn.Module):
    """What makes sound: two note networks and the generator over the stem."""

    bands: Tensor
    noise: Tensor

    def __init__(self, config: VAEGANConfig) -> None:
        super().__init__()
        self.config = config
        self.notes = nn.ModuleDict({"pitched": NoteNetwork(config.pitched), "drums": NoteNetwork(config.drums)})
        self.stem = StemGenerator(config.stem)
        self.register_buffer("bands", torch.from_numpy(noise_bands(NOISE_EDGES)), persistent=False)
        noise = torch.randn(NOISE_LENGTH, generator=torch.Generator().manual_seed(2))
        self.register_buffer("noise", noise, persistent=False)

    def network(self, drums: bool) -> NoteNetwork:
        """The note level of a branch."""
        return self.notes["drums" if drums else "pitched"]  # type: ignore[return-value]

    def additive(self, drums: bool, notes: Sequence[PlayedNote], sound: Sound, first: int, length: int) -> Tensor:
        """The note level alone: samples ``first`` to ``first + length``, (length,), differentiable."""
        if not notes:
            return torch.zeros(length, device=self.bands.device)
        return render(perform(self.network(drums), notes, sound), self.bands, first, length)

    def finish(self, additive: Tensor, sounds: Sequence[Sound], drums: Sequence[bool], first: int) -> Tensor:
        """The stem level over additive stems (batch, n) that begin at sample ``first``; n a whole number of hops.

        ``first`` may be negative: before the beginning there is silence, and noise that is not heard.
        """
        device = additive.device
        place = torch.arange(first, first + additive.shape[1], device=device) % NOISE_LENGTH
        return self.stem(
            additive,
            torch.stack([sound.z.to(device) for sound in sounds]),
            torch.stack([torch.from_numpy(sound.labels.vector()) for sound in sounds]).to(device),
            torch.tensor([float(d) for d in drums], device=device),
            self.noise[place].expand(len(additive), -1),
        )

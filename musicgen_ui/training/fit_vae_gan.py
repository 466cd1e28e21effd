"""The whole training of the VAE-GAN: notes, stems, the encoder, then two checkpoints that say what they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from musicgen_ui.models import checkpoint
from musicgen_ui.models.vae_gan.config import VAEGANConfig
from musicgen_ui.training.loop import rank_and_world
from musicgen_ui.training.vae_gan import VAE, NoteTraining, train_notes
from musicgen_ui.training.vae_gan_encoder import EncoderTraining, tune_encoder
from musicgen_ui.training.vae_gan_stems import StemTraining, train_stems

ENCODER = "timbre_encoder.safetensors"


@dataclass(frozen=True)
class VAEGANTraining:
    """Settings of both stages.

    Attributes:
        notes: stage 1, on analysed notes.
        stems: stage 2, on whole stems: spectral, then adversarial.
        inverse: stage 3, the encoder on stems between the presets.
    """

    notes: NoteTraining = field(default_factory=NoteTraining)
    stems: StemTraining = field(default_factory=StemTraining)
    inverse: EncoderTraining = field(default_factory=EncoderTraining)


def train(audio: Path, out: Path, config: VAEGANTraining, log: Callable[[str], None]) -> dict[str, float]:
    """Trains on a folder of training audio and writes ``out`` and, beside it, the encoder's own file.

    Both stages resume from their state files beside ``out``. A folder without analysed notes (a person's recordings)
    goes straight to stage 2, which learns the notes from the stems.

    Returns:
        the held-out numbers of what was written.

    Raises:
        RequestError: no training audio, or a loss is not finite.
    """
    model, progress = train_notes(audio, out, config.notes, log)
    numbers = train_stems(model, audio, out, config.stems, log, tuned=progress.step > 0)
    if rank_and_world()[0] == 0:
        numbers |= tune_encoder(model, audio, config.inverse, log)
        card = card_of(audio, config, numbers, progress.step, model)
        write(model, out, config, card)
        log(f"wrote {out} and {out.with_name(ENCODER)}")
    return numbers


def write(model: VAE, out: Path, config: VAEGANTraining, card: dict[str, Any]) -> None:
    """The generator's checkpoint, and the encoder's: what only reads recordings is a file of its own."""
    checkpoint.save(out, model.generator, model.generator.config, {"model": "VAE-GAN generator", **card})
    encoder_card = {"model": "VAE-GAN encoder", **card}
    checkpoint.save(out.with_name(ENCODER), model.encoder, config.notes.encoder, encoder_card)


def card_of(
    audio: Path, config: VAEGANTraining, numbers: dict[str, float], note_steps: int, model: VAE
) -> dict[str, Any]:
    """What a checkpoint says of itself."""
    rendering = json.loads((audio / "render.json").read_text(encoding="utf-8"))
    design: VAEGANConfig = model.generator.config
    device = config.stems.loop.device
    return {
        "data": {key: rendering[key] for key in ("soundfont", "licences", "corpora") if key in rendering},
        "presets": len(design.pitched.programs),
        "kits": len(design.drums.programs),
        "parameters": sum(p.numel() for p in model.generator.parameters()),
        "encoder_parameters": sum(p.numel() for p in model.encoder.parameters()),
        "note_steps": note_steps,
        "hardware": f"{config.stems.loop.threads} CPU threads" if device == "cpu" else torch.cuda.get_device_name(),
        "validation": {name: round(value, 4) for name, value in numbers.items()},
        "training": asdict(config),
    }

"""The last step of stage 1: each partial of each instrument at each pitch gets the level that its notes ask for.

A network that sees all instruments is slow to learn what only one of them has, such as the sub-octaves of an organ.
What it leaves is found in closed form: weighted least squares in the logarithm, with a ridge.
"""

from __future__ import annotations

import numpy as np
import torch

from musicgen_ui.models.vae_gan.config import PITCHES
from musicgen_ui.models.vae_gan.note_network import NoteBatch, NoteNetwork
from musicgen_ui.training.vae_gan_losses import knot_weights
from musicgen_ui.training.vae_gan_notes import NoteFolder

SHRINK = 0.3
"""Ridge: a gain is so much smaller than the mean of what its notes lack, since that holds their chance too."""

_LARGEST = 12.0
_FAINT = 1e-4
"""Share of the note's energy below which a partial hardly gets a gain."""

_AT_ONCE = 256


@torch.inference_mode()
def fit_gains(network: NoteNetwork, folder: NoteFolder, name: str) -> tuple[float, float]:
    """Fits the gains of a branch and adds them to what the network has.

    Returns:
        mean relative error of the notes' partials before and after.
    """
    count, partials = len(network.config.programs), network.config.partials
    instrument, labels = folder.owners(name)
    network.eval()
    excess = np.zeros((count, PITCHES, partials))
    weight = np.zeros_like(excess)
    rows = np.arange(len(instrument))
    before = _pass(network, folder, name, rows, instrument, labels, (excess, weight))
    gain = excess / ((1.0 + SHRINK) * weight + _FAINT)
    heard = weight.sum(axis=2) > 0
    for i in range(count):
        played = np.flatnonzero(heard[i])
        if len(played):
            nearest = played[np.argmin(np.abs(played[None] - np.arange(PITCHES)[:, None]), axis=1)]
            gain[i] = gain[i][nearest]
    network.gain += torch.from_numpy(gain).to(network.gain)
    after = _pass(network, folder, name, rows, instrument, labels, None)
    network.train()
    return before, after


def _pass(
    network: NoteNetwork,
    folder: NoteFolder,
    name: str,
    rows: np.ndarray,
    instrument: np.ndarray,
    labels: np.ndarray,
    sums: tuple[np.ndarray, np.ndarray] | None,
) -> float:
    """Mean relative error over all notes; adds up what each partial lacks."""
    device = network.prior_mean.device
    share = knot_weights(torch.from_numpy(folder.knots(name)).float()).numpy()[None, :, None]
    errors = []
    for begin in range(0, len(rows), _AT_ONCE):
        part = rows[begin : begin + _AT_ONCE]
        targets = folder.targets(name, part)
        index = torch.from_numpy(instrument[part]).to(device)
        made = network(
            NoteBatch(
                instrument=index,
                known=torch.ones(len(part), device=device),
                pitch=targets.pitch.to(device),
                velocity=targets.velocity.to(device),
                z=network.prior_mean[index],
                labels=torch.from_numpy(labels[part]).to(device),
            )
        )
        level, target = made.log_amplitude.cpu().numpy(), targets.amplitude.numpy()
        energy = (share * target**2).sum(axis=(1, 2)) + 1e-12
        errors.append(np.sqrt((share * (np.exp(level) - target) ** 2).sum(axis=(1, 2)) / energy))
        if sums is not None:
            # A partial counts by its share in the note: what is hardly there stays as the network has it.
            w = share * target**2 / energy[:, None, None]
            lack = np.clip(np.log(np.maximum(target, 1e-9)) - level, -_LARGEST, _LARGEST)
            place = (instrument[part], targets.pitch.numpy())
            np.add.at(sums[0], place, (w * lack).sum(axis=1))
            np.add.at(sums[1], place, w.sum(axis=1))
    return float(np.mean(np.concatenate(errors))) if errors else 0.0

"""Gains: what an instrument's partials lack is found, and what is hardly there is left alone."""

from __future__ import annotations

import numpy as np
import torch

from musicgen_ui.audio.partials import KNOTS
from musicgen_ui.models.vae_gan.config import BranchConfig
from musicgen_ui.models.vae_gan.note_network import NoteBatch, NoteNetwork
from musicgen_ui.training.vae_gan_gains import fit_gains
from musicgen_ui.training.vae_gan_notes import NoteTargets

PARTIALS = 6


class Folder:
    """Eight notes of two instruments, whose partials are what the network makes times a factor."""

    def __init__(self, network: NoteNetwork, factor: np.ndarray) -> None:
        self.instrument = np.array([0, 0, 0, 0, 1, 1, 1, 1])
        self.labels = np.zeros((8, 7), dtype=np.float32)
        pitch, velocity = torch.tensor([60, 60, 64, 64] * 2), torch.full((8,), 90.0)
        index = torch.from_numpy(self.instrument)
        batch = NoteBatch(
            index, torch.ones(8), pitch, velocity, network.prior_mean[index], torch.from_numpy(self.labels)
        )
        with torch.no_grad():
            amplitude = network(batch).log_amplitude.exp() * torch.from_numpy(factor)[index].unsqueeze(1)
        rest = [torch.zeros_like(amplitude), torch.zeros(8, len(KNOTS)), torch.zeros(8, len(KNOTS), 2), torch.ones(8)]
        self._targets = NoteTargets(pitch, velocity, amplitude, *rest)

    def owners(self, name):
        return self.instrument, self.labels

    def knots(self, name):
        return KNOTS

    def targets(self, name, rows):
        return NoteTargets(*(value[rows] for value in vars(self._targets).values()))


def test_a_missing_partial_of_one_instrument_comes_back():
    torch.manual_seed(0)
    config = BranchConfig((0, 1), False, len(KNOTS), PARTIALS, 2, code=16, seed=4, width=8, zone=4)
    network = NoteNetwork(config)
    factor = np.ones((2, PARTIALS), dtype=np.float32)
    factor[1, 2] = 20.0
    before, after = fit_gains(network, Folder(network, factor), "pitched")
    assert after < 0.6 * before
    gain = network.gain.detach()
    assert gain[1, 60, 2] > 1.5
    assert gain[1, 62, 2] == gain[1, 60, 2] or gain[1, 62, 2] == gain[1, 64, 2]
    assert gain[0].abs().max() < 1e-3
    assert gain[1, :, [0, 1, 3, 4, 5]].abs().max() < 1e-3

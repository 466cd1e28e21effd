"""The 8-bit code: it agrees with torchaudio's, comes back within half a step, and its filter is undone in pieces."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from musicgen_ui.models.wavenet.mu_law import CLASSES, SILENCE, de_emphasis, decode, encode, pre_emphasis


def test_it_agrees_with_torchaudio():
    oracle = pytest.importorskip("torchaudio").functional
    signal = np.random.default_rng(0).uniform(-1.0, 1.0, 4000)
    classes = oracle.mu_law_encoding(torch.from_numpy(signal), CLASSES).numpy()
    np.testing.assert_array_equal(encode(signal), classes)
    every = torch.arange(CLASSES)
    np.testing.assert_allclose(decode(every.numpy()), oracle.mu_law_decoding(every, CLASSES).numpy(), atol=1e-6)


def test_every_class_comes_back():
    every = np.arange(CLASSES)
    np.testing.assert_array_equal(encode(decode(every)), every)


def test_the_error_is_small_beside_the_sample():
    signal = np.linspace(-1.0, 1.0, 9999)
    error = np.abs(decode(encode(signal)) - signal)
    assert (error <= 0.023 * np.abs(signal) + 1e-4).all()


def test_silence_and_what_is_out_of_range():
    np.testing.assert_array_equal(encode(np.array([0.0, 7.0, -7.0])), [SILENCE, CLASSES - 1, 0])


def test_de_emphasis_undoes_pre_emphasis_in_pieces():
    samples = np.random.default_rng(1).normal(0.0, 0.1, 1000).astype(np.float32)
    signal = pre_emphasis(samples)
    whole, _ = de_emphasis(signal)
    np.testing.assert_allclose(whole, samples, atol=1e-6)
    first, state = de_emphasis(signal[:333])
    second, _ = de_emphasis(signal[333:], state)
    np.testing.assert_array_equal(np.concatenate([first, second]), whole)

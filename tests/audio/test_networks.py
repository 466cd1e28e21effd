from __future__ import annotations

import numpy as np
import pytest

from musicgen_ui.audio.networks import (
    LISTENER_WEIGHTS,
    FeatureNetwork,
    load_networks,
    save_networks,
    sigmoid,
    softmax,
)
from musicgen_ui.errors import RequestError


@pytest.fixture
def network() -> FeatureNetwork:
    rng = np.random.default_rng(3)
    shapes = ((4,), (4,), (4, 5), (5,), (5, 2), (4, 2), (2,))
    arrays = [rng.standard_normal(shape).astype(np.float32) for shape in shapes]
    arrays[1] = np.abs(arrays[1]) + 0.5
    return FeatureNetwork(*arrays)


def test_output_is_a_rectified_layer_beside_a_linear_one(network):
    row = np.array([0.3, -1.0, 2.0, 0.1])
    x = (row - network.mean) / network.scale
    by_hand = np.maximum(network.hidden.T @ x + network.bias, 0) @ network.out + network.linear.T @ x + network.out_bias
    np.testing.assert_allclose(network(row), by_hand, rtol=1e-6)


def test_leading_axes_broadcast(network):
    rows = np.random.default_rng(0).standard_normal((3, 6, 4))
    out = network(rows)
    assert out.shape == (3, 6, 2)
    np.testing.assert_allclose(out[2, 5], network(rows[2, 5]), rtol=1e-6)


def test_save_and_load_give_the_same_network_and_equal_bytes(network, tmp_path):
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    save_networks(first, {"step": network})
    save_networks(second, load_networks(first))
    assert first.read_bytes() == second.read_bytes()
    row = np.ones(4)
    np.testing.assert_allclose(load_networks(first)["step"](row), network(row), rtol=2e-3, atol=2e-3)  # half precision


def test_what_lies_further_than_all_examples_counts_as_just_as_far(network):
    far = network.mean + network.scale * np.array([1e6, -1e6, 0, 0])
    edge = network.mean + network.scale * np.array([8.0, -8.0, 0, 0])
    np.testing.assert_allclose(network(far), network(edge), rtol=1e-6)


def test_a_damaged_file_is_an_error(tmp_path):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(b"not an archive")
    with pytest.raises(RequestError, match="networks cannot be read"):
        load_networks(path)


def test_the_shipped_networks_are_complete_and_small():
    networks = load_networks()
    names = {"beat", "clarity", "complexity", "key", "mood", "pitch", "rhythm", "space", "step", "tempo"}
    assert set(networks) == names
    assert LISTENER_WEIGHTS.stat().st_size < 48_000
    for network in networks.values():
        assert all(np.isfinite(array).all() for array in vars(network).values())


def test_sigmoid_and_softmax_stay_finite_for_large_scores():
    np.testing.assert_allclose(sigmoid(np.array([-1e4, 0.0, 1e4])), [0.0, 0.5, 1.0])
    np.testing.assert_allclose(softmax(np.array([1e4, 1e4, -1e4])), [0.5, 0.5, 0.0])

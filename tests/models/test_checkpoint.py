"""Checkpoints come back equal, have reproducible bytes, and anything wrong with them is one sentence."""

import json
from dataclasses import replace

import pytest
import torch

from musicgen_ui.errors import RequestError
from musicgen_ui.models import checkpoint
from musicgen_ui.models.composer import ComposerConfig
from musicgen_ui.models.composer_lstm import LSTMComposer
from musicgen_ui.models.composers import load_composer

CARD = {"model": "LSTMComposer", "steps": 3}


@pytest.fixture
def shipped(tmp_path, tiny_lstm):
    path = tmp_path / "composer_lstm.safetensors"
    checkpoint.save(path, tiny_lstm, tiny_lstm.config, CARD)
    checkpoint.write_manifest(tmp_path)
    return path


def test_save_load_is_equal_up_to_float16(shipped, tiny_lstm):
    again = load_composer(shipped)
    assert again.config == tiny_lstm.config
    assert not again.training
    for name, value in tiny_lstm.state_dict().items():
        if name.startswith(tiny_lstm.training_only):
            continue
        expected = value.half().float() if value.is_floating_point() else value
        assert torch.equal(again.state_dict()[name], expected), name
    assert checkpoint.describe(shipped)["card"] == CARD


def test_what_only_training_needs_is_not_shipped(shipped, tiny_lstm):
    tensors, _ = checkpoint.load_tensors(shipped)
    left_out = {name for name in tiny_lstm.state_dict() if name not in tensors}
    assert left_out == {f"encoder.to_profile.{layer}.{kind}" for layer in (0, 2) for kind in ("weight", "bias")}


def test_equal_models_have_equal_bytes(tmp_path, shipped, tiny_lstm):
    other = tmp_path / "again.safetensors"
    checkpoint.save(other, tiny_lstm, tiny_lstm.config, CARD)
    assert other.read_bytes() == shipped.read_bytes()
    assert not list(tmp_path.glob("*.partial"))


def test_the_manifest_vouches_for_every_file(shipped):
    assert checkpoint.verify_manifest(shipped.parent) == {shipped.name: checkpoint.sha256(shipped)}


@pytest.mark.parametrize("position", [9, 200, -5])
def test_a_flipped_bit_is_noticed(shipped, position):
    data = bytearray(shipped.read_bytes())
    data[position] ^= 4
    shipped.write_bytes(bytes(data))
    with pytest.raises(RequestError, match=r"composer_lstm.safetensors: the checkpoint is damaged"):
        checkpoint.verify_manifest(shipped.parent)


def test_a_missing_file_is_noticed(shipped):
    shipped.unlink()
    with pytest.raises(RequestError, match="the checkpoint is missing"):
        checkpoint.verify_manifest(shipped.parent)


def test_a_stranger_is_noticed(shipped):
    (shipped.parent / "stranger.safetensors").write_bytes(b"")
    with pytest.raises(RequestError, match=r"stranger.safetensors: the checkpoint is not in the manifest"):
        checkpoint.verify_manifest(shipped.parent)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"sha256": 3}'])
def test_a_broken_manifest_is_one_sentence(shipped, text):
    (shipped.parent / checkpoint.MANIFEST).write_text(text)
    with pytest.raises(RequestError, match="manifest"):
        checkpoint.verify_manifest(shipped.parent)


@pytest.mark.parametrize("keep", [0, 7, 100, -1])
def test_a_truncated_file_is_one_sentence(shipped, keep):
    shipped.write_bytes(shipped.read_bytes()[:keep])
    with pytest.raises(RequestError, match="the checkpoint is damaged"):
        load_composer(shipped)


def test_a_field_that_is_younger_than_the_file_takes_its_default(tmp_path, tiny_lstm):
    old = LSTMComposer(replace(tiny_lstm.config, pointer=False))
    path = tmp_path / "old.safetensors"
    checkpoint.save(path, old, old.config, CARD)
    tensors, description = checkpoint.load_tensors(path)
    del description["config"]["pointer"]
    checkpoint.save_tensors(path, tensors, description)
    assert load_composer(path).config == old.config


def test_a_checkpoint_of_something_else_is_no_composer(tmp_path, tiny_lstm):
    path = tmp_path / "other.safetensors"
    checkpoint.save(path, tiny_lstm, tiny_lstm.config, {"model": "Listener"})
    with pytest.raises(RequestError, match=r"other.safetensors: the checkpoint is not a composer of this release"):
        load_composer(path)


def test_another_configuration_is_refused(tmp_path, tiny_lstm):
    path = tmp_path / "other.safetensors"
    tensors = {k: v.half() for k, v in tiny_lstm.state_dict().items()}
    checkpoint.save_tensors(path, tensors, {"config": {"width": 3, "knobs": 1}, "card": CARD})
    with pytest.raises(RequestError, match="of another release"):
        load_composer(path)


def test_weights_that_do_not_fit_are_refused(tmp_path, tiny_lstm, shipped):
    description = checkpoint.describe(shipped)
    description["config"]["hidden"] = 32
    tensors, _ = checkpoint.load_tensors(shipped)
    path = tmp_path / "misfit.safetensors"
    checkpoint.save_tensors(path, tensors, description)
    with pytest.raises(RequestError, match="does not fit the model"):
        checkpoint.load_into(path, LSTMComposer, ComposerConfig, "cpu")


def test_non_finite_weights_are_refused(tmp_path, shipped):
    tensors, description = checkpoint.load_tensors(shipped)
    name = next(k for k, v in tensors.items() if v.is_floating_point())
    tensors[name].view(-1)[0] = float("nan")
    path = tmp_path / "nan.safetensors"
    checkpoint.save_tensors(path, tensors, description)
    with pytest.raises(RequestError, match="non-finite"):
        load_composer(path)


def test_metadata_is_one_json_value(shipped):
    header = shipped.read_bytes()
    size = int.from_bytes(header[:8], "little")
    metadata = json.loads(header[8 : 8 + size])["__metadata__"]
    assert list(metadata) == ["checkpoint"]
    assert set(json.loads(metadata["checkpoint"])) == {"config", "card"}

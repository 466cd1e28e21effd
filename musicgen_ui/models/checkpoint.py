"""Checkpoints: safetensors files that describe themselves, and the manifest that vouches for them."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from musicgen_ui.errors import RequestError

MANIFEST = "manifest.json"
_KEY = "checkpoint"  # one metadata key only: several are written in random order and change the file's hash

Config = TypeVar("Config")


def save(path: Path, model: nn.Module, config: Any, card: Mapping[str, Any]) -> None:
    """Writes a model as float16 with its config and model card, atomically; equal input gives equal bytes.

    Args:
        path: the ``.safetensors`` file.
        model: its parameters and persistent buffers are stored, but for those under the prefixes that its attribute
            ``training_only`` names, if it has one.
        config: the frozen dataclass that builds it.
        card: data, licences, steps, hardware, metrics: anything JSON.
    """
    if not is_dataclass(config):
        raise ValueError("config must be a dataclass")
    tensors = {
        name: value.detach().to("cpu", torch.float16 if value.is_floating_point() else value.dtype).contiguous()
        for name, value in model.state_dict().items()
        if not name.startswith(_training_only(model))
    }
    save_tensors(path, tensors, {"config": asdict(config), "card": dict(card)})


def save_tensors(path: Path, tensors: Mapping[str, Tensor], description: Mapping[str, Any]) -> None:
    """Writes tensors and one JSON description, atomically."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    save_file(dict(tensors), partial, metadata={_KEY: json.dumps(description, sort_keys=True)})
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.chmod(0o644)  # the library writes it for its owner only
    partial.replace(path)


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and description of a file that :func:`save_tensors` wrote.

    Raises:
        RequestError: the file is missing, damaged or not one of ours.
    """
    path = Path(path)
    if not path.is_file():
        raise RequestError(path.name, "the checkpoint is missing")
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            description = json.loads((file.metadata() or {})[_KEY])
            return {name: file.get_tensor(name) for name in file.keys()}, description  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise RequestError(path.name, f"the checkpoint is damaged ({str(error)[:80]})") from None


def describe(path: Path) -> dict[str, Any]:
    """The JSON description of a checkpoint, without its tensors.

    Raises:
        RequestError: see :func:`load_tensors`.
    """
    return load_tensors(path)[1]


def load_into(path: Path, build: Any, config_type: type[Config], device: torch.device | str) -> Any:
    """Builds a model from a checkpoint, float32, in evaluation mode, on a device.

    Args:
        path: the file.
        build: config → module.
        config_type: the dataclass of the stored config; an unknown field is an error, and a field that is younger
            than the file takes its default.
        device: where the model goes.

    Raises:
        RequestError: the file is missing or damaged, or holds another model than this release builds.
    """
    tensors, description = load_tensors(path)
    name = Path(path).name
    stored = description.get("config")
    known = {f.name for f in fields(config_type)}  # type: ignore[arg-type]
    required = {f.name for f in fields(config_type) if f.default is MISSING and f.default_factory is MISSING}  # type: ignore[arg-type]
    if not isinstance(stored, dict) or not required <= set(stored) <= known:
        raise RequestError(name, "the checkpoint is of another release: its configuration does not match")
    config = config_type(**{k: tuple(v) if isinstance(v, list) else v for k, v in stored.items()})
    model = build(config)
    for key, tensor in tensors.items():
        if tensor.is_floating_point():
            if not math.isfinite(float(tensor.float().abs().sum())):
                raise RequestError(name, f"the checkpoint holds non-finite numbers in {key}")
            tensors[key] = tensor.float()
    unused = {name: value for name, value in model.state_dict().items() if name.startswith(_training_only(model))}
    try:
        model.load_state_dict(unused | tensors, strict=True)
    except RuntimeError as error:
        raise RequestError(
            name, f"the checkpoint does not fit the model ({str(error).splitlines()[-1].strip()[:80]})"
        ) from None
    return model.to(device).eval()


def _training_only(model: nn.Module) -> tuple[str, ...]:
    return tuple(getattr(model, "training_only", ()))


def sha256(path: Path) -> str:
    """Hex SHA-256 of a file."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def write_manifest(folder: Path) -> dict[str, str]:
    """Hashes every checkpoint of a folder, and the scales and curves beside them, into its manifest."""
    folder = Path(folder)
    hashes = {path.name: sha256(path) for path in _shipped(folder)}
    partial = folder / (MANIFEST + ".partial")
    partial.write_text(json.dumps({"sha256": hashes}, indent=2) + "\n", encoding="utf-8")
    partial.replace(folder / MANIFEST)
    return hashes


def _shipped(folder: Path) -> list[Path]:
    """Everything that decides what a clip becomes."""
    tables = (path for path in sorted(folder.glob("*.json")) if path.name != MANIFEST)
    return [*sorted(folder.glob("*.safetensors")), *tables]


def verify_manifest(folder: Path) -> dict[str, str]:
    """Checks every file that the manifest names, and that it names every checkpoint.

    Returns:
        file name to SHA-256.

    Raises:
        RequestError: the manifest or a file is missing, or a file is not the one that was shipped.
    """
    folder = Path(folder)
    try:
        hashes = dict(json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RequestError(MANIFEST, f"the manifest of the checkpoints cannot be read ({str(error)[:80]})") from None
    for path in _shipped(folder):
        if path.name not in hashes:
            raise RequestError(path.name, "the checkpoint is not in the manifest")
    for name, expected in sorted(hashes.items()):
        path = folder / name
        if Path(name).name != name or not path.is_file():
            raise RequestError(name, "the checkpoint is missing")
        if sha256(path) != expected:
            raise RequestError(name, "the checkpoint is damaged: its SHA-256 is not the manifest's")
    return hashes

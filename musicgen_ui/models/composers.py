"""Which composers there are, and loading one by what its checkpoint says it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from musicgen_ui.errors import RequestError
from musicgen_ui.models import checkpoint
from musicgen_ui.models.composer import ComposerConfig
from musicgen_ui.models.composer_base import ComposerBase
from musicgen_ui.models.composer_lstm import LSTMComposer
from musicgen_ui.models.composer_wavenet import WaveNetComposer, WaveNetComposerConfig

COMPOSERS: dict[str, tuple[type[ComposerBase], type[ComposerConfig]]] = {
    LSTMComposer.name: (LSTMComposer, ComposerConfig),
    WaveNetComposer.name: (WaveNetComposer, WaveNetComposerConfig),
}
"""Name, as in a recipe, to the composer and its configuration."""


def load_composer(path: Path, device: torch.device | str = "cpu") -> Any:
    """A composer, float32, in evaluation mode, of the kind that its model card names.

    Raises:
        RequestError: the file is missing, damaged, or no composer of this release.
    """
    named = checkpoint.describe(path).get("card", {}).get("model")
    for build, config in COMPOSERS.values():
        if build.__name__ == named:
            return checkpoint.load_into(path, build, config, device)
    raise RequestError(Path(path).name, "the checkpoint is not a composer of this release")

"""The WaveNet composer: the same autoencoder with a decoder of dilated causal convolutions over steps."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from musicgen_ui.models.composer import ComposerConfig
from musicgen_ui.models.composer_base import ComposerBase, Inputs
from musicgen_ui.models.wavenet.config import WaveNetConfig
from musicgen_ui.models.wavenet.stack import WaveNetCache, WaveNetStack

_POSITION = 32
_GLOBAL = 40


@dataclass(frozen=True)
class WaveNetComposerConfig(ComposerConfig):
    """Sizes of a WaveNet composer; ``hidden`` is the number of residual channels.

    Attributes:
        skip: channels of the skip paths.
        dilations: of the layers.
        encoder_width: width and hidden width of q(z | section).
    """

    width: int = 176
    hidden: int = 128
    head_hidden: int = 128
    dropout: float = 0.1
    pointer: bool = True
    last_notes: bool = True
    skip: int = 128
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 1, 2, 4)
    encoder_width: int = 96

    @property
    def stack(self) -> WaveNetConfig:
        """The convolutions: positions are their local conditioning, z and c their global one."""
        return WaveNetConfig(
            self.width,
            self.hidden,
            self.skip,
            self.dilations,
            local=_POSITION,
            globals_=_GLOBAL,
            dropout=self.dropout,
        )


class WaveNetComposer(ComposerBase):
    """Gated dilated convolutions with skip connections (van den Oord et al. 2016) over steps, then as the LSTM's.

    Its receptive field is ``config.stack.receptive_field`` steps, nine bars of sixteen; c, z and the position reach
    every layer.
    """

    name = "wavenet"

    def __init__(self, config: WaveNetComposerConfig) -> None:
        encoder = replace(config, width=config.encoder_width, head_hidden=config.encoder_width)
        super().__init__(config, state=config.skip, position=_POSITION, encoder=encoder)
        self.globals_ = nn.Sequential(nn.Linear(config.latent + config.width, _GLOBAL), nn.Tanh())
        self.input_norm = nn.LayerNorm(config.width)
        self.stack = WaveNetStack(config.stack)

    def states(self, inputs: Inputs) -> Tensor:
        """(batch, steps, skip)."""
        x = self.dropout(self.input_norm(inputs.told))
        return self.stack(x, inputs.position, self._globals(inputs.latent, inputs.summary))

    def begin(self, latent: Tensor, summary: Tensor) -> WaveNetCache:
        """Empty queues."""
        return self.stack.start(len(latent), self._globals(latent, summary))

    def advance(self, network: WaveNetCache, inputs: Inputs) -> Tensor:
        """(batch, skip) of the next step."""
        return self.stack.step(network, self.input_norm(inputs.told), inputs.position)

    def _globals(self, latent: Tensor, summary: Tensor) -> Tensor:
        return self.globals_(torch.cat([latent.to(summary.dtype), summary], dim=-1))

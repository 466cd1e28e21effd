"""The LSTM composer: a conditional variational autoencoder whose decoder is recurrent."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from musicgen_ui.models.composer import ComposerConfig
from musicgen_ui.models.composer_base import ComposerBase, Inputs

_LAYERS = 2


@dataclass
class LSTMMemory:
    """Hidden and cell state of each layer, (batch, hidden)."""

    hidden: list[Tensor]
    cell: list[Tensor]


class LSTMComposer(ComposerBase):
    """Two LSTM layers (Hochreiter & Schmidhuber 1997) started from (z, c), then one attention layer, then the heads.

    c enters the input of both layers, the heads' context and the attention's tokens; z enters the initial states and
    the first layer's input.
    """

    name = "lstm"

    def __init__(self, config: ComposerConfig) -> None:
        width, hidden = config.width, config.hidden
        super().__init__(config, state=hidden, position=width)
        self.from_latent = nn.Linear(config.latent, width)
        self.initial = nn.Linear(config.latent + width, 2 * _LAYERS * hidden)
        self.input_norm = nn.LayerNorm(width)
        self.lstms = nn.ModuleList(
            [nn.LSTM(width if i == 0 else hidden, hidden, batch_first=True) for i in range(_LAYERS)]
        )
        self.condition_in = nn.ModuleList([nn.Linear(width, width if i == 0 else hidden) for i in range(_LAYERS)])

    def states(self, inputs: Inputs) -> Tensor:
        """(batch, steps, hidden) of the second layer."""
        summary = inputs.summary
        x = inputs.told + inputs.position + self.from_latent(inputs.latent).unsqueeze(1)
        x = self.dropout(self.input_norm(x + self.condition_in[0](summary).unsqueeze(1)))
        memory = self.begin(inputs.latent, summary)
        for i, lstm in enumerate(self.lstms):
            if i:
                x = self.dropout(x) + self.condition_in[i](summary).unsqueeze(1)
            x, _ = lstm(x, (memory.hidden[i].unsqueeze(0).to(x.dtype), memory.cell[i].unsqueeze(0).to(x.dtype)))
        return x

    def begin(self, latent: Tensor, summary: Tensor) -> LSTMMemory:
        """Initial states from z and c."""
        states = torch.tanh(self.initial(torch.cat([latent.to(summary.dtype), summary], dim=-1)))
        pieces = list(states.chunk(2 * _LAYERS, dim=-1))
        return LSTMMemory(pieces[:_LAYERS], [2 * cell for cell in pieces[_LAYERS:]])

    def advance(self, network: LSTMMemory, inputs: Inputs) -> Tensor:
        """(batch, hidden) of the next step."""
        x = inputs.told + inputs.position + self.from_latent(inputs.latent)
        x = self.input_norm(x + self.condition_in[0](inputs.summary))
        for i, lstm in enumerate(self.lstms):
            if i:
                x = x + self.condition_in[i](inputs.summary)
            weights = (lstm.weight_ih_l0, lstm.weight_hh_l0, lstm.bias_ih_l0, lstm.bias_hh_l0)
            network.hidden[i], network.cell[i] = torch.lstm_cell(x, (network.hidden[i], network.cell[i]), *weights)
            x = network.hidden[i]
        return x

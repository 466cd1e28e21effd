"""Sizes of the VAE-GAN and the instruments that it knows."""

from __future__ import annotations

from dataclasses import dataclass, field

Z_SIZE = 32
LABELS = 7
PITCHES = 128


@dataclass(frozen=True)
class BranchConfig:
    """One note network: for pitched instruments or for drum kits.

    Attributes:
        programs: General MIDI programs (kits: program of the kit), in the order of the tables.
        drums: it plays kits.
        knots, partials, bands: sizes T, K, B of a note's envelopes.
        code: width of a note's code.
        seed: channels in which the code is laid out over the knots.
        width: channels over the knots.
        zone: size of the embedding of an instrument at one pitch.
    """

    programs: tuple[int, ...]
    drums: bool
    knots: int
    partials: int
    bands: int
    code: int = 512
    seed: int = 48
    width: int = 128
    zone: int = 48


@dataclass(frozen=True)
class StemConfig:
    """The generator over a stem; Vocos-like ConvNeXt (Siuzdak 2023) with a filter and a residual head.

    Attributes:
        width: channels; ``hidden`` inside a block.
        blocks: ConvNeXt blocks.
        mels: bands in which it reads the additive stem.
    """

    width: int = 128
    hidden: int = 384
    blocks: int = 4
    mels: int = 96


@dataclass(frozen=True)
class EncoderConfig:
    """Recording to timbre.

    Attributes:
        mels: bands of the log-mel that it reads.
        width: channels of its first layer.
    """

    mels: int = 96
    width: int = 128


@dataclass(frozen=True)
class VAEGANConfig:
    """Both note networks and the stem generator."""

    pitched: BranchConfig
    drums: BranchConfig
    stem: StemConfig = field(default_factory=StemConfig)

    def __post_init__(self) -> None:
        # A checkpoint's configuration is JSON: objects and lists.
        for f, kind in (("pitched", BranchConfig), ("drums", BranchConfig), ("stem", StemConfig)):
            value = getattr(self, f)
            if isinstance(value, dict):
                fixed = {k: tuple(v) if isinstance(v, list) else v for k, v in value.items()}
                object.__setattr__(self, f, kind(**fixed))

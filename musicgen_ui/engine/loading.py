"""Loads everything a Studio needs, once, and says what it loaded in how many seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from musicgen_ui.errors import RequestError
from musicgen_ui.recipe import COMPOSERS, SYNTHS, Recipe

if TYPE_CHECKING:
    from musicgen_ui.engine.neural import NeuralSynthesizer
    from musicgen_ui.engine.pipeline import Studio
    from musicgen_ui.engine.raw_player import RawWaveNetSynthesizer, Streamer
    from musicgen_ui.engine.rooms import Compose, Rewrite, Synthesizer

CHECKPOINTS = Path(__file__).resolve().parents[2] / "checkpoints"
"""Where the shipped models lie."""

COMPOSER = "composer_{}.safetensors"
VAEGAN, TIMBRE_ENCODER, WAVENET = "vaegan.safetensors", "timbre_encoder.safetensors", "wavenet.safetensors"

WARM_UP_BARS = {"vaegan": 2, "wavenet": 1, "soundfont": 2}
"""Enough for everything to be compiled."""


def load_studio(
    device: str = "auto",
    checkpoints: Path | None = None,
    soundfont: Path | None = None,
    log: Callable[[str], None] | None = None,
    threads: int | None = None,
    bf16: bool = False,
) -> Studio:
    """The Studio over the shipped models, checked against their manifest and warmed up.

    Args:
        device: ``auto``, ``cpu`` or ``cuda``.
        checkpoints: folder of the models; None for the shipped one.
        soundfont: SoundFont file; None for MUSICGEN_SOUNDFONT or the embedded one.
        log: receives one line for each thing that was loaded.
        threads: processor threads; None for MUSICGEN_THREADS or every core.
        bf16: the neural synthesizer's stem level in bfloat16.

    Raises:
        RequestError: an absent device, or a missing or damaged checkpoint or SoundFont.
    """
    say = log or (lambda line: None)
    began = time.perf_counter()
    folder = CHECKPOINTS if checkpoints is None else Path(checkpoints)

    # Imported here so that their seconds are counted, and so that a wrong option is told before they are spent.
    with _timed(say, "libraries"):
        from musicgen_ui.engine.device import resolve_device, set_threads, thread_count

        device = resolve_device(device)
        threads = thread_count(threads)
        set_threads(threads)
        from musicgen_ui.audio.soundfont import SoundFont
        from musicgen_ui.engine.closed_loop import score_values
        from musicgen_ui.engine.compose import compose
        from musicgen_ui.engine.ears import Ears
        from musicgen_ui.engine.mix import mix, mix_parts
        from musicgen_ui.engine.pipeline import Studio
        from musicgen_ui.engine.response import CURVES_FILE, Responses
        from musicgen_ui.engine.rewrite import rewrite
        from musicgen_ui.engine.synthesize import SoundFontSynthesizer
        from musicgen_ui.models.checkpoint import verify_manifest
        from musicgen_ui.models.composers import load_composer
    with _timed(say, f"checksums of {folder.name}"):
        hashes = verify_manifest(folder)
        ears = Ears.load(folder)
        scales = ears.scales
        responses = Responses.load(folder / CURVES_FILE)
    composers: dict[str, Compose] = {}
    rewriters: dict[str, Rewrite] = {}
    for name in COMPOSERS:
        with _timed(say, f"composer {name} on {device}, {threads} threads"):
            model = load_composer(folder / COMPOSER.format(name), device)
            composers[name] = partial(compose, model, scales=scales["score"])
            rewriters[name] = partial(rewrite, model, scales=scales["score"])
    synthesizers: dict[str, Synthesizer] = {}
    for name in SYNTHS:
        if name == "vaegan":
            with _timed(say, f"synthesizer vaegan on {device}"):
                synthesizers[name] = load_neural(folder, device, bf16=bf16)
        elif name == "wavenet":
            with _timed(say, "synthesizer wavenet on cpu"):
                synthesizers[name] = load_raw(folder, synthesizers["vaegan"])
        else:
            with _timed(say, "SoundFont"):
                synthesizers[name] = SoundFontSynthesizer(SoundFont.load(soundfont))
    studio = Studio(
        composers=composers,
        rewriters=rewriters,
        synthesizers=synthesizers,
        mix=partial(mix, colours=scales["audio"]["brightness"]),
        mix_parts=partial(mix_parts, colours=scales["audio"]["brightness"]),
        listen=ears.values,
        match=ears.match,
        checkpoints=hashes,
        responses=responses,
        measure=partial(score_values, scales=scales["score"]),
        device=device,
    )
    # The first clip compiles numba kernels and fills caches; better before the page opens than after a click.
    for name in studio.synths:
        with _timed(say, f"warm-up of {name}"):
            studio.generate(Recipe(bars=WARM_UP_BARS[name], synth=name))
    say(f"ready in {time.perf_counter() - began:.1f} s")
    return studio


def load_neural(folder: Path, device: str, *, bf16: bool = False) -> NeuralSynthesizer:
    """The neural synthesizer of a checkpoint folder.

    Raises:
        RequestError: a file of it is missing or damaged.
    """
    for name in (VAEGAN, TIMBRE_ENCODER):
        _require(folder, name, "the neural synthesizer")
    from musicgen_ui.engine.neural import NeuralSynthesizer

    return NeuralSynthesizer.load(folder, device, bf16=bf16)


def load_raw(folder: Path, others: Streamer | None) -> RawWaveNetSynthesizer:
    """The raw-audio WaveNet of a checkpoint folder; it runs on the processor wherever the rest does.

    Args:
        folder: with its checkpoint.
        others: plays chords and drums; None where there are none to be played.

    Raises:
        RequestError: its file is missing or damaged.
    """
    _require(folder, WAVENET, "the raw-audio WaveNet")
    from musicgen_ui.engine.raw_player import RawWaveNetSynthesizer

    return RawWaveNetSynthesizer.load(folder, others)


def _require(folder: Path, name: str, who: str) -> None:
    if not (folder / name).is_file():
        raise RequestError(name, f"is missing from {folder}: {who} needs it")


@contextmanager
def _timed(say: Callable[[str], None], what: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    say(f"{what}: {time.perf_counter() - began:.2f} s")

"""A Result on the shelf and back: the files of a clip in its own folder, from which it is shown and mixed again."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from musicgen_ui.audio.float_wav import float_wav_bytes, read_float_wav
from musicgen_ui.audio.waveform import Clip, ReadLimits, read_audio, wav_bytes
from musicgen_ui.engine.export import clip_json
from musicgen_ui.engine.pipeline import Result
from musicgen_ui.errors import RequestError
from musicgen_ui.music.midi import score_to_midi
from musicgen_ui.music.score import PARTS
from musicgen_ui.music.score_json import score_from_dict, score_to_dict
from musicgen_ui.recipe import Recipe, RenderRecipe
from musicgen_ui.style import Style
from musicgen_ui.timbre import Timbre

CLIP, MASTER, MIDI, SCORE, FACTS, DRY = "clip.wav", "master.wav", "clip.mid", "score.json", "clip.json", "dry"

_LIMITS = ReadLimits(file_bytes=2**31, seconds=3600.0, pcm_bytes=2**32)
"""Of our own files: the longest clip of a recipe, 128 bars at 60 BPM, lasts 8.5 minutes."""

_KEPT = ("asked", "heard", "genres", "seconds", "checkpoints", "seam", "rounds", "gain")
"""Fields of a Result that clip.json holds as they are."""


def shelve(result: Result, folder: Path, title: str) -> str:
    """Write a clip's files.

    They are ``clip.wav`` (16 bit, with the recipe), ``clip.mid``, ``score.json``, ``master.wav`` (24 bit),
    ``dry/{part}.wav`` (mono, 32 bit float: the stems exactly) and ``clip.json``.

    Each file is first written beside its place. ``clip.json`` goes when the change begins and comes last: a folder
    that has one is whole, whatever stopped the program. Other files in the folder stay.

    Args:
        result: what to write.
        folder: the clip's own; made when missing.
        title: what the clip is called.

    Returns:
        SHA-256 of ``clip.wav`` in hexadecimal: what a share link promises.

    Raises:
        RequestError: ``shelf`` cannot be written.
    """
    recipe, rate = result.recipe.to_json(), result.clip.sample_rate
    wav = wav_bytes(result.clip.samples, rate, 16, comment=recipe)
    digest = hashlib.sha256(wav).hexdigest()
    try:
        (folder / DRY).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fresh-", dir=folder, ignore_cleanup_errors=True) as name:
            fresh = Path(name)
            (fresh / CLIP).write_bytes(wav)
            (fresh / MASTER).write_bytes(wav_bytes(result.clip.samples, rate, 24, comment=recipe))
            score_to_midi(result.score, fresh / MIDI, comment=recipe)
            (fresh / SCORE).write_text(json.dumps(score_to_dict(result.score), separators=(",", ":")), encoding="utf-8")
            (fresh / DRY).mkdir()
            for part, samples in result.stems.items():
                (fresh / DRY / f"{part}.wav").write_bytes(float_wav_bytes(samples[None, :], rate))
            text = json.dumps(_facts(result, title, digest), indent=1, allow_nan=False, ensure_ascii=False)
            (fresh / FACTS).write_text(text + "\n", encoding="utf-8")
            _move(fresh, folder, tuple(result.stems))
    except OSError as error:
        raise RequestError("shelf", f"a clip cannot be kept there ({error.strerror or error})") from None
    return digest


def load_shelved(folder: Path) -> Result:
    """What :func:`shelve` has written, to be shown or mixed again: the stems to the last bit, the clip at 24 bits.

    Raises:
        RequestError: ``clip`` has no files there, or damaged ones; it can be made again from its recipe.
    """
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        score = score_from_dict(json.loads((folder / SCORE).read_text(encoding="utf-8")))
        stems = {p: read_float_wav(path)[0] for p in PARTS if (path := folder / DRY / f"{p}.wav").exists()}
        samples, rate = _master(folder / MASTER)
        known = {f.name for f in fields(Result)}
        values = {name: facts[name] for name in _KEPT if name in known and name in facts}
        values["rounds"] = tuple(values["rounds"])
        if "told" in known and facts.get("told") is not None:
            values["told"] = Style.from_dict(facts["told"])
        return Result(recipe=_recipe(facts["recipe"]), score=score, stems=stems, clip=Clip(samples, rate), **values)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        # ValueError: bad JSON and bad values alike. Nothing here is trusted, for a disk can be edited and can break.
        raise RequestError("clip", "its files are gone or damaged; it can be made again from its recipe") from error


def _facts(result: Result, title: str, digest: str) -> dict[str, Any]:
    told = getattr(result, "told", None)
    return {"title": title, "hash": digest, **clip_json(result), "told": None if told is None else told.to_dict()}


def _move(fresh: Path, folder: Path, parts: tuple[str, ...]) -> None:
    """Put the finished files in place; renames within one folder cannot run out of space."""
    (folder / FACTS).unlink(missing_ok=True)
    for part in PARTS:
        if part in parts:
            (fresh / DRY / f"{part}.wav").replace(folder / DRY / f"{part}.wav")
        else:
            (folder / DRY / f"{part}.wav").unlink(missing_ok=True)
    for name in (CLIP, MASTER, MIDI, SCORE, FACTS):
        (fresh / name).replace(folder / name)


def _master(path: Path) -> tuple[np.ndarray, int]:
    """Samples (2, n) and rate of the master, all of it: a decoder takes a cut file for a shorter one."""
    with path.open("rb") as file:
        head = file.read(8)
    if int.from_bytes(head[4:], "little") + 8 != path.stat().st_size:
        raise ValueError(f"{path.name} was cut")
    return read_audio(path, _LIMITS)


def _recipe(values: Mapping[str, Any]) -> Recipe | RenderRecipe:
    if "midi_sha256" not in values:
        return Recipe.from_dict(values)
    made = {"style": Style.from_dict(values["style"]), "timbre": Timbre.from_dict(values.get("timbre", {}))}
    return RenderRecipe(**{**values, **made})

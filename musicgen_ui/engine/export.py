"""A Result as files: everything or nothing."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from musicgen_ui.audio.waveform import write_wav
from musicgen_ui.engine.pipeline import Result
from musicgen_ui.errors import RequestError
from musicgen_ui.music.midi import score_to_midi
from musicgen_ui.music.score import PARTS

CLIP_FILES = ("clip.wav", "clip.mid", "clip.json")
STEMS = "stems"


def check_writable(out: Path, argument: str = "--out") -> None:
    """Refuses a folder that cannot be made or written, before any work is done.

    Raises:
        RequestError: names ``argument``.
    """
    try:
        existing = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
        blocked = next((out / name for name in (*CLIP_FILES, *_stem_names()) if (out / name).is_dir()), None)
    except OSError as error:
        raise RequestError(argument, f"no folder can have this name ({error.strerror or error})") from None
    if not existing.is_dir():
        raise RequestError(argument, f"{existing} is not a folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise RequestError(argument, f"{existing} cannot be written")
    if blocked is not None:
        raise RequestError(argument, f"{blocked} is a folder and in the way")


def save(result: Result, out: Path, argument: str = "--out") -> Path:
    """Write ``clip.wav``, ``clip.mid``, ``stems/*.wav`` and ``clip.json`` into a folder.

    All files are first written beside their place and then moved, so that a full disk or a crash leaves either
    the old clip or the new one. Other files in the folder stay.

    Args:
        result: what to write.
        out: the folder; made when missing.
        argument: name to blame in the error.

    Returns:
        ``out``.

    Raises:
        RequestError: the folder cannot be written; nothing of the new clip is left behind.
    """
    out = Path(out)
    check_writable(out, argument)
    made = [folder for folder in (out, *out.absolute().parents) if not folder.exists()]
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".clip-", dir=out, ignore_cleanup_errors=True) as name:
            fresh = Path(name)
            _write(result, fresh)
            _move(fresh, out)
    except OSError as error:
        if made:
            shutil.rmtree(made[-1], ignore_errors=True)
        raise RequestError(argument, f"{out} cannot be written ({error.strerror or error})") from None
    return out


def clip_json(result: Result) -> dict[str, Any]:
    """The content of ``clip.json``, as plain JSON values."""
    score = result.score
    return {
        "recipe": result.recipe.to_dict(),
        "asked": dict(result.asked),
        "heard": dict(result.heard),
        "genres": {name: round(share, 4) for name, share in result.genres.items()},
        "seconds": dict(result.seconds),
        "checkpoints": dict(result.checkpoints),
        "seam": None if result.seam is None else dict(result.seam),
        "rounds": [dict(entry) for entry in result.rounds],
        "gain": dict(result.gain),
        "score": {
            "tempo": score.tempo,
            "metre": score.metre,
            "bars": score.bars,
            "key": score.key,
            "notes": {part: len(score.notes(part)) for part in score.parts},
            "programs": dict(score.programs),
        },
    }


def _stem_names() -> tuple[str, ...]:
    return tuple(f"{STEMS}/{part}.wav" for part in PARTS)


def _write(result: Result, folder: Path) -> None:
    comment = result.recipe.to_json()
    rate = result.clip.sample_rate
    write_wav(folder / "clip.wav", result.clip.samples, rate, comment=comment)
    score_to_midi(result.score, folder / "clip.mid", comment=comment)
    (folder / STEMS).mkdir()
    for part, samples in result.stems.items():
        write_wav(folder / STEMS / f"{part}.wav", samples[None, :], rate)
    text = json.dumps(clip_json(result), indent=2, allow_nan=False, ensure_ascii=False)
    (folder / "clip.json").write_text(text + "\n", encoding="utf-8")


def _move(fresh: Path, out: Path) -> None:
    """Put the finished files in place; renames within one folder cannot run out of space."""
    (out / STEMS).mkdir(exist_ok=True)
    names = {path.name for path in (fresh / STEMS).iterdir()}
    for path in (fresh / STEMS).iterdir():
        path.replace(out / STEMS / path.name)
    # Stems of an earlier clip in the same folder would not belong to this one.
    for name in _stem_names():
        if Path(name).name not in names:
            (out / name).unlink(missing_ok=True)
    for name in CLIP_FILES:
        (fresh / name).replace(out / name)

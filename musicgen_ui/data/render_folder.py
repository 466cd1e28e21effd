"""The folder of training audio: what it says of itself, and filling it with several processes."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import queue
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from musicgen_ui.audio import partials
from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.data.fluid import FluidRenderer, file_digest, soundfont_licence, soundfont_path
from musicgen_ui.data.pieces import PieceStore
from musicgen_ui.data.render import AudioConfig, TimbreRecorder
from musicgen_ui.data.render_presets import TimbreSpec, timbres
from musicgen_ui.errors import RequestError

FORMAT = 1
"""Number of the folder's layout."""

_PATIENCE_SECONDS = 1.0


@dataclass(frozen=True)
class Recorded:
    """A timbre whose file was written.

    Attributes:
        id: of the timbre.
        notes, passages: how many.
        seconds: of audio.
    """

    id: str
    notes: int = 0
    passages: int = 0
    seconds: float = 0.0


def prepare_audio(
    data: str | Path,
    out: str | Path,
    config: AudioConfig,
    *,
    soundfont: str | os.PathLike | None = None,
    workers: int = 1,
    log: Callable[[str], None] = lambda line: None,
) -> list[TimbreSpec]:
    """Renders every timbre that the folder lacks.

    Args:
        data: folder that ``prepare`` wrote.
        out: folder to write.
        config: what is rendered.
        soundfont: see :func:`musicgen_ui.data.fluid.soundfont_path`.
        workers: processes.
        log: told a line after each timbre.

    Returns:
        All timbres of the folder.

    Raises:
        RequestError: an input is missing, or the folder holds audio of another configuration.
    """
    store = PieceStore(data)
    font = soundfont_path(soundfont)
    renderer = FluidRenderer.open(font)
    wanted = timbres(config.seed, config.variants, renderer.programs, renderer.kits, config.presets)
    folder = Path(out)
    facts = {
        "format": FORMAT,
        "config": asdict(config),
        "sample_rate": SAMPLE_RATE,
        "analysis": analysis_digest(),
        "soundfont": {"name": font.resolve().name, "sha256": file_digest(font), "licence": soundfont_licence(font)},
        "pieces": file_digest(store.folder / "index.jsonl"),
        "corpora": _licences(store),
    }
    _start(folder, facts, wanted)
    missing = [timbre for timbre in wanted if not audio_path(folder, timbre.id).is_file()]
    begun, heard, done = time.perf_counter(), 0.0, len(wanted) - len(missing)
    if done:
        log(f"{done} of {len(wanted)} timbres are there already")
    if workers > 1 and len(missing) > 1:
        results = _in_processes(min(workers, len(missing)), missing, folder, store.folder, font, config)
    else:
        results = _here(TimbreRecorder(renderer, store, config), missing, folder)
    for result in results:
        done += 1
        heard += result.seconds
        speed = heard / max(time.perf_counter() - begun, 1e-9)
        what = f"{result.notes} notes, {result.passages} passages"
        log(f"{done}/{len(wanted)} {result.id}: {what} ({heard / 60:.0f} min of audio, {speed:.1f} x real time)")
    return wanted


def audio_path(folder: Path, timbre_id: str) -> Path:
    """The file of a timbre."""
    return folder / "audio" / f"{timbre_id}.npz"


def analysis_digest() -> str:
    """sha256 of the grids on which notes are described: files that were made on others do not go together."""
    grids = (partials.GRID, partials.KNOTS, partials.DRUM_GRID, partials.DRUM_KNOTS, partials.NOISE_EDGES)
    return hashlib.sha256(b"".join(np.asarray(grid, dtype=np.float64).tobytes() for grid in grids)).hexdigest()


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes an uncompressed ``.npz`` that is either whole or not there."""
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.part.npz")
    np.savez(temporary, **arrays)
    temporary.replace(path)


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes JSON lines, whole or not at all."""
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    temporary.replace(path)


def _start(folder: Path, facts: dict[str, Any], wanted: Sequence[TimbreSpec]) -> None:
    """Writes what the folder holds, or checks that it holds just that."""
    path = folder / "render.json"
    try:
        if path.is_file():
            there = json.loads(path.read_text(encoding="utf-8"))
            differs = [name for name in facts if not isinstance(there, dict) or there.get(name) != facts[name]]
            if differs:
                reason = f"{str(folder)!r} holds audio made with another {' and '.join(differs)}; name another folder"
                raise RequestError("out", reason)
        (folder / "audio").mkdir(parents=True, exist_ok=True)
        write_rows(folder / "timbres.jsonl", [timbre.to_row() for timbre in wanted])
        path.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise RequestError("out", f"{str(folder)!r} cannot be written ({error.strerror})") from None
    except ValueError:
        raise RequestError("out", f"{str(path)!r} is damaged; name another folder") from None


def _licences(store: PieceStore) -> dict[str, list[str]]:
    found: dict[str, set[str]] = {}
    for info in store.index():
        found.setdefault(info.corpus, set()).add(info.licence)
    return {corpus: sorted(licences) for corpus, licences in sorted(found.items())}


def _here(recorder: TimbreRecorder, missing: Iterable[TimbreSpec], folder: Path) -> Iterator[Recorded]:
    for timbre in missing:
        arrays = recorder.record(timbre)
        write_arrays(audio_path(folder, timbre.id), arrays)
        table = arrays["note_table"]
        seconds = (int(table[:, 2].sum()) + arrays["passage_audio"].size) / SAMPLE_RATE
        yield Recorded(timbre.id, len(table), len(arrays["passage_scale"]), seconds)


def _in_processes(
    workers: int, missing: Sequence[TimbreSpec], folder: Path, data: Path, font: Path, config: AudioConfig
) -> Iterator[Recorded]:
    """The same on several processes, each with a SoundFont of its own; timbres are begun in their order."""
    context = multiprocessing.get_context("spawn")
    waiting, finished = context.Queue(), context.Queue()
    for timbre in [*missing, *[None] * workers]:
        waiting.put(timbre)
    arguments = (waiting, finished, folder, data, font, config)
    crew = [context.Process(target=_work, args=arguments, daemon=True) for _ in range(workers)]
    for process in crew:
        process.start()
    try:
        for _ in missing:
            yield _next(finished, crew)
    finally:
        for process in crew:
            process.terminate()
            process.join()


def _next(finished: Any, crew: Sequence[Any]) -> Recorded:
    while True:
        try:
            return finished.get(timeout=_PATIENCE_SECONDS)
        except queue.Empty:
            if not all(process.is_alive() or process.exitcode == 0 for process in crew):
                raise RuntimeError("a rendering process died; run the command again to go on") from None


def _work(waiting: Any, finished: Any, folder: Path, data: Path, font: Path, config: AudioConfig) -> None:
    recorder = TimbreRecorder(FluidRenderer.open(font), PieceStore(data), config)
    for result in _here(recorder, iter(waiting.get, None), folder):
        finished.put(result)

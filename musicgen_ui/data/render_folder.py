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
from musicgen_ui.data.recordings import pairs, read_recording
from musicgen_ui.data.render import AudioConfig, TimbreRecorder, note_arrays, passage_arrays
from musicgen_ui.data.render_passages import SPLITS, Passage
from musicgen_ui.data.render_presets import TimbreSpec, recorded_timbre, timbres
from musicgen_ui.data.songs import split_of
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
        "soundfont": {"name": font.resolve().name, "sha256": file_digest(font), "licence": soundfont_licence(font)},
        "pieces": file_digest(store.folder / "index.jsonl"),
        "corpora": _licences(store),
    }
    _start(folder, _basics(config) | facts, wanted)
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


def prepare_recordings(
    audio: str | Path,
    out: str | Path,
    config: AudioConfig,
    *,
    part: str | None = None,
    log: Callable[[str], None] = lambda line: None,
) -> list[tuple[str, str]]:
    """Adds a person's own recordings to a folder of training audio, each as a timbre that has passages but no notes.

    Args:
        audio: folder of ``x.wav`` or ``x.flac`` with ``x.mid``.
        out: folder to write, new or one that :func:`prepare_audio` wrote with the same configuration.
        config: its ``passage_seconds`` are the length of each passage.
        part: see :func:`musicgen_ui.data.recordings.read_recording`.
        log: told a line after each pair.

    Returns:
        (file name, reason) of what was refused.

    Raises:
        RequestError: there is nothing to read, or the folder holds audio of another configuration.
    """
    found, refused = pairs(Path(audio))
    folder = Path(out)
    _start(folder, _basics(config), [])
    rows = []
    for sound, midi in found:
        try:
            recording = read_recording(sound, midi, config.passage_samples, part)
        except RequestError as error:
            refused.append((sound.name, error.reason))
            continue
        split = SPLITS.index(split_of(recording.id))
        passages = [Passage(notes, split) for notes in recording.notes]
        arrays = note_arrays([], drums=recording.drums)
        arrays |= passage_arrays(passages, recording.sounds, config.passage_samples)
        write_arrays(audio_path(folder, recording.id), arrays)
        rows.append(recorded_timbre(recording.id, recording.program, recording.drums).to_row())
        log(f"{recording.name}: {len(passages)} passages, {recording.offset:+.3f} s after its MIDI")
    kept = {row["id"]: row for row in [*_rows(folder), *rows]}
    write_rows(folder / "timbres.jsonl", list(kept.values()))
    return refused


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


def _basics(config: AudioConfig) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "config": asdict(config),
        "sample_rate": SAMPLE_RATE,
        "analysis": analysis_digest(),
    }


def _start(folder: Path, facts: dict[str, Any], wanted: Sequence[TimbreSpec]) -> None:
    """Writes what the folder holds, or checks that it goes together with what it holds already."""
    path = folder / "render.json"
    try:
        there = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        differs = [name for name, value in facts.items() if there.get(name, value) != value]
        if differs:
            reason = f"{str(folder)!r} holds audio made with another {' and '.join(differs)}; name another folder"
            raise RequestError("out", reason)
        (folder / "audio").mkdir(parents=True, exist_ok=True)
        rendered = [timbre.to_row() for timbre in wanted]
        known = {row["id"] for row in rendered}
        write_rows(folder / "timbres.jsonl", rendered + [row for row in _rows(folder) if row["id"] not in known])
        path.write_text(json.dumps(there | facts, indent=1) + "\n", encoding="utf-8")
    except RequestError:
        raise
    except OSError as error:
        raise RequestError("out", f"{str(folder)!r} cannot be written ({error.strerror})") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise RequestError("out", f"{str(folder)!r} is damaged; name another folder") from None


def _rows(folder: Path) -> list[dict[str, Any]]:
    path = folder / "timbres.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []


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

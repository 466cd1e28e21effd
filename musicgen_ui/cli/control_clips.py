"""Makes the clips of ``evaluate control``: composed as batches where nothing is corrected, on several processes."""

from __future__ import annotations

import argparse
import multiprocessing
import queue
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from musicgen_ui.cli.arguments import load_studio
from musicgen_ui.training.control_design import ControlClip, batches
from musicgen_ui.training.evaluate_control import row_of

if TYPE_CHECKING:
    from musicgen_ui.engine.pipeline import Studio

Row = dict[str, Any]

_PATIENCE = 5.0
"""Seconds without a row after which it is looked whether the workers live."""


def make_rows(
    args: argparse.Namespace, clips: Sequence[ControlClip], keep: Callable[[Row], None], *, batch: int
) -> None:
    """Makes every clip and hands its row to ``keep``, which runs in this process only.

    Args:
        args: engine options, ``plain`` and ``workers``.
        clips: what to make, in any order of sliders, composers and synthesizers.
        keep: receives a row a clip, as soon as it is there.
        batch: clips that are composed at a time.
    """
    from tqdm import tqdm

    if not clips:
        return
    groups: dict[tuple[str, str], list[ControlClip]] = {}
    for clip in clips:
        groups.setdefault((clip.recipe.composer, clip.recipe.synth), []).append(clip)
    work = [part for group in groups.values() for part in batches(group, batch if not group[0].recipe.rounds else 1)]
    with tqdm(total=len(clips), unit="clip", disable=None, smoothing=0.05) as bar:
        for row in _on_processes(args, work) if args.workers > 1 else rows_of(ControlStudio(args), work):
            keep(row)
            bar.update()


class ControlStudio:
    """A Studio, and composers that write many clips as one batch."""

    def __init__(self, args: argparse.Namespace) -> None:
        from musicgen_ui.engine.loading import CHECKPOINTS
        from musicgen_ui.engine.response import Responses
        from musicgen_ui.scale import load_scales

        self.studio: Studio = load_studio(args)
        if args.plain:
            self.studio.responses = Responses()
        self._folder = Path(args.checkpoints or CHECKPOINTS)
        self._device = self.studio.device
        self._scales = load_scales(self._folder / "measures.json")["score"]
        self._composers: dict[str, Any] = {}

    def rows(self, clips: Sequence[ControlClip]) -> Iterator[Row]:
        """The rows of clips of one composer and synthesizer."""
        from musicgen_ui.engine.closed_loop import score_values

        for clip, result, seconds in self._corrected(clips) if clips[0].recipe.rounds else self._batch(clips):
            yield row_of(clip, result, score_values(result.score, self._scales), seconds)

    def _corrected(self, clips: Sequence[ControlClip]) -> Iterator[tuple[ControlClip, Any, float]]:
        for clip in clips:
            began = time.perf_counter()
            result = self.studio.generate(clip.recipe)
            yield clip, result, time.perf_counter() - began

    def _batch(self, clips: Sequence[ControlClip]) -> Iterator[tuple[ControlClip, Any, float]]:
        """The same clips as one by one, since each take has its own noise."""
        from musicgen_ui.engine.compose import compose_many
        from musicgen_ui.engine.misses import CORRECTED
        from musicgen_ui.engine.rooms import asked_values
        from musicgen_ui.recipe import RenderRecipe

        recipe = clips[0].recipe
        response = self.studio.responses.of(recipe.composer, recipe.synth)
        told = [response.first_told(clip.recipe.style, CORRECTED) for clip in clips]
        # Brightness and space are the player's and the mixer's: clips that differ in nothing else share their score.
        keys = [
            (clip.seed, style.with_values(brightness=0.5, space=0.5).to_dict())
            for clip, style in zip(clips, told, strict=True)
        ]
        first = [keys.index(key) for key in keys]
        unique = sorted(set(first))
        began = time.perf_counter()
        scores = compose_many(
            self._composer(recipe.composer),
            [told[i] for i in unique],
            [clips[i].recipe.seed for i in unique],
            bars=recipe.bars,
            takes=recipe.takes,
            scales=self._scales,
            shape=recipe.shape,
        )
        share = (time.perf_counter() - began) / len(clips)
        for clip, style, source in zip(clips, told, first, strict=True):
            began = time.perf_counter()
            score = scores[unique.index(source)]
            result = self.studio.render(score, RenderRecipe("0" * 64, style, clip.recipe.seed, recipe.synth))
            seconds = share + time.perf_counter() - began
            yield clip, replace(result, asked=asked_values(clip.recipe.style, score)), seconds

    def _composer(self, name: str) -> Any:
        from musicgen_ui.engine.loading import COMPOSER
        from musicgen_ui.models.composers import load_composer

        if name not in self._composers:
            self._composers[name] = load_composer(self._folder / COMPOSER.format(name), self._device)
        return self._composers[name]


def rows_of(studio: ControlStudio, work: Sequence[Sequence[ControlClip]]) -> Iterator[Row]:
    """Rows of all batches, one after another."""
    for clips in work:
        yield from studio.rows(clips)


def _on_processes(args: argparse.Namespace, work: list[list[ControlClip]]) -> Iterator[Row]:
    """Rows of all batches, in the order in which they are made."""
    context = multiprocessing.get_context("spawn")  # a process that has used torch must not be forked
    waiting, rows = context.Queue(), context.Queue()
    for clips in [*work, *[None] * args.workers]:
        waiting.put(clips)
    options = argparse.Namespace(**{**vars(args), "threads": args.threads or 1, "run": None})
    processes = [context.Process(target=_work, args=(options, waiting, rows), daemon=True) for _ in range(args.workers)]
    for process in processes:
        process.start()
    try:
        running = args.workers
        while running:
            try:
                row = rows.get(timeout=_PATIENCE)
            except queue.Empty:
                if any(process.exitcode for process in processes):
                    raise RuntimeError("a worker died; what it had finished is kept") from None
                continue
            if row is None:
                running -= 1
            elif isinstance(row, str):
                raise RuntimeError(f"a worker failed: {row}")
            else:
                yield row
    finally:
        for process in processes:
            process.terminate()


def _work(args: argparse.Namespace, waiting: Any, rows: Any) -> None:
    """A worker: batches from one queue, rows to the other; None says that it is done, a text why it failed."""
    try:
        studio = ControlStudio(args)
        while (clips := waiting.get()) is not None:
            for row in studio.rows(clips):
                rows.put(row)
        rows.put(None)
    except Exception as error:
        rows.put(f"{type(error).__name__}: {error}")
        raise

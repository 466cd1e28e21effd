"""A Studio that makes small real clips in a moment, so that the page can be tested without models."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from musicgen_ui.audio.waveform import Clip
from musicgen_ui.engine.match import Matched
from musicgen_ui.engine.pipeline import Result, Studio
from musicgen_ui.engine.preview import Piece
from musicgen_ui.engine.response import Curve, Response, Responses
from musicgen_ui.errors import RequestError
from musicgen_ui.music.instruments import CHOICES, program_number
from musicgen_ui.music.score import METRES, PARTS, Chord, Note, Score
from musicgen_ui.music.theory import KEYS, QUALITIES, key_is_minor, key_tonic
from musicgen_ui.recipe import COMPOSERS, Recipe
from musicgen_ui.server.opening import open_services
from musicgen_ui.server.services import Services
from musicgen_ui.style import AUTO, PartSetting, Style
from musicgen_ui.timbre import Z_SIZE, Timbre, TimbrePoint

SAMPLE_RATE = 44_100
DEGREES = {
    False: ((0, "maj"), (7, "maj"), (9, "min"), (5, "maj")),
    True: ((0, "min"), (8, "maj"), (3, "maj"), (10, "maj")),
}


class Calls:
    """Counts progress calls, so that a test can see whether the engine still runs."""

    def __init__(self, pause: float = 0.0) -> None:
        self.pause = pause
        self.ticks = 0
        self.running = 0
        self.most = 0
        self.last = 0.0
        self._lock = threading.Lock()

    def reset(self) -> None:
        """Back to a fast engine that was never used."""
        self.pause, self.ticks, self.most, self.last = 0.0, 0, 0, 0.0

    def enter(self, change: int) -> None:
        with self._lock:
            self.running += change
            self.most = max(self.most, self.running)

    def tick(self) -> None:
        if self.pause:
            time.sleep(self.pause)
        self.ticks += 1
        self.last = time.perf_counter()


def fake_compose(calls: Calls) -> Callable[..., Score]:
    def compose(
        style: Style,
        *,
        seed: int,
        bars: int,
        takes: int,
        shape: Any = None,
        hook: Callable[[str, int, int], None] | None,
    ) -> Score:
        rng = np.random.default_rng(seed)
        key = style.key if style.key != AUTO else KEYS[int(rng.integers(12)) + (0 if style.mood >= 0.5 else 12)]
        tonic, beats = key_tonic(key), METRES[style.metre]
        notes: dict[str, list[Note]] = {part: [] for part in PARTS}
        chords = []
        calls.enter(1)
        try:
            for bar in range(bars):
                calls.tick()
                if hook:
                    hook("compose", bar, bars)
                step, quality = DEGREES[key_is_minor(key)][bar % 4]
                root, start = (tonic + step) % 12, bar * beats
                chords.append(Chord(float(start), float(beats), root, quality))
                tones = [root + interval for interval in QUALITIES[quality]]
                for half in range(2 * beats):
                    if rng.random() < 0.35 + 0.6 * style.density:
                        notes["lead"].append(
                            Note(
                                start + half / 2, 72 + tones[int(rng.integers(3))] % 12, 0.5, int(rng.integers(60, 110))
                            )
                        )
                notes["chords"] += [Note(float(start), 55 + tone % 12, beats - 0.25, 70) for tone in tones]
                notes["bass"] += [Note(float(start + beat), 36 + root, 0.8, 90) for beat in range(beats)]
                for beat in range(beats):
                    notes["drums"] += [Note(float(start + beat), 36 if beat % 2 == 0 else 38, 0.2, 100)]
                    notes["drums"] += [Note(start + beat + offset, 42, 0.1, 60) for offset in (0.0, 0.5)]
        finally:
            calls.enter(-1)
        programs = {
            part: program_number(part, setting.instrument if setting.instrument != AUTO else CHOICES[part][0])
            for part, setting in style.parts.items()
        }
        parts = {part: tuple(sorted(notes[part])) for part in style.active_parts}
        return Score(style.tempo, style.metre, bars, parts, tuple(chords), key, programs)

    return compose


class FakeSynthesizer:
    def render(
        self, score: Score, programs: Mapping[str, int], *, style: Any, timbre: Timbre, seed: int, hook: Callable
    ) -> dict[str, np.ndarray]:
        stems = {}
        for number, part in enumerate(score.parts):
            hook("synthesize", number, len(score.parts))
            stem = np.zeros(score.samples(SAMPLE_RATE) + SAMPLE_RATE, np.float32)
            for note in score.notes(part):
                tone = _tone(part, note.pitch)
                start = int(note.onset * 60 / score.tempo * SAMPLE_RATE)
                stem[start : start + len(tone)] += tone * (note.velocity / 127)
            stems[part] = stem[: score.samples(SAMPLE_RATE)]
        return stems


class FakeNeural(FakeSynthesizer):
    """Hears the loudness of 32 stretches of a recording, and calls that its timbre."""

    def encode(self, samples: np.ndarray) -> TimbrePoint:
        levels = [float(np.sqrt(np.mean(np.square(stretch)))) for stretch in np.array_split(samples, Z_SIZE)]
        return TimbrePoint("recorded", z=tuple(min(8.0, 10 * level) for level in levels))


_TONES: dict[tuple[str, int], np.ndarray] = {}


def _tone(part: str, pitch: int) -> np.ndarray:
    if (part, pitch) not in _TONES:
        time_axis = np.arange(int(0.5 * SAMPLE_RATE)) / SAMPLE_RATE
        if part == "drums":
            burst = np.random.default_rng(pitch).normal(size=len(time_axis)) * np.exp(
                -time_axis * (120 if pitch == 42 else 30)
            )
            kick = np.sin(2 * np.pi * 60 * time_axis) * np.exp(-time_axis * 15)
            wave = kick if pitch == 36 else 0.3 * burst
        else:
            hertz = 440 * 2 ** ((pitch - 69) / 12)
            wave = sum(np.sin(2 * np.pi * hertz * k * time_axis) / k**1.5 for k in (1, 2, 3, 4)) * np.exp(
                -time_axis * 5
            )
        _TONES[part, pitch] = (0.2 * wave).astype(np.float32)
    return _TONES[part, pitch]


def fake_gain(stems: Mapping[str, np.ndarray]) -> float:
    return 0.5 / max(1e-6, float(np.abs(np.sum(list(stems.values()), axis=0)).max()))


def fake_mix(stems: Mapping[str, np.ndarray], style: Style, **how: Any) -> Clip:
    mono = np.sum(list(stems.values()), axis=0) * fake_gain(stems)
    return Clip(np.stack([mono, mono]).astype(np.float32), SAMPLE_RATE)


def fake_listen(samples: np.ndarray, sample_rate: int, *, hook: Any) -> dict[str, float | str | None]:
    return {
        "tempo": 110.4, "mood": 0.81, "energy": 0.58, "density": 0.66, "syncopation": 0.12, "complexity": None,
        "brightness": 0.49, "space": 0.31, "key": "A minor", "genre": "pop", "genres": {"pop": 0.7, "rock": 0.2},
    }  # fmt: skip


class FakeStudio(Studio):
    """Makes what is made from other music as if it were new, and remembers what it was asked for."""

    orders: list[tuple[Recipe, Score | None]]
    bases: list[Score | None]

    def generate(
        self,
        recipe: Recipe,
        hook: Any = None,
        given: Score | None = None,
        base: Score | None = None,
        preview: Callable[[Piece], None] | None = None,
    ) -> Result:
        self.bases.append(base)
        self.orders.append((recipe, given))
        result = super().generate(replace(recipe, source=None), hook)
        if preview is not None:
            preview(Piece(0, result.clip.samples, last=True))
        return replace(result, recipe=replace(result.recipe, source=recipe.source))

    def mixed_stems(self, stems: Mapping[str, np.ndarray], *_: Any) -> dict[str, np.ndarray]:
        return {part: np.stack([stem, stem]) * fake_gain(stems) for part, stem in stems.items()}


def fake_match(samples: np.ndarray, sample_rate: int) -> Matched:
    """Hears the same in everything, but in silence an error."""
    if float(np.abs(samples).max()) < 0.05:
        raise RequestError("recording", "is silent: there is no style to hear in it")
    band = {part: PartSetting(on=part != "drums") for part in PARTS}
    style = Style(tempo=93.0, energy=0.9, key="D minor", genre={"jazz": 0.75, "pop": 0.25}, metre="3/4", parts=band)
    return Matched(style, ("space",), {"jazz": 0.6, "pop": 0.2})


def fake_studio(calls: Calls) -> Studio:
    flat = Curve((0.3, 0.3, 0.3, *(i / 8 for i in range(3, 9))), (0.0,) * 9, (1.0,) * 9)
    studio = FakeStudio(
        composers=dict.fromkeys(COMPOSERS, fake_compose(calls)),
        synthesizers={"vaegan": FakeNeural(), "wavenet": FakeSynthesizer(), "soundfont": FakeSynthesizer()},
        mix=fake_mix,
        listen=fake_listen,
        match=fake_match,
        checkpoints={},
        responses=Responses({"wavenet": {"vaegan": Response({"mood": flat})}}),
    )
    studio.orders, studio.bases = [], []
    return studio


@pytest.fixture(scope="session")
def make_calls() -> tuple[Calls, Studio]:
    """A counter and its Studio for tests that share one server."""
    calls = Calls()
    return calls, fake_studio(calls)


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def studio(calls: Calls) -> Studio:
    return fake_studio(calls)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clip folder of the test's own."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setenv("MUSICGEN_DATA", str(tmp_path / "data"))
    return tmp_path


@pytest.fixture
def services(cache: Path, studio: Studio) -> Iterator[Services]:
    """Library and shelf of the test's own, over its Studio."""
    with opened(studio, cache / "data") as services:
        yield services


@contextmanager
def opened(studio: Studio, folder: Path) -> Iterator[Services]:
    """Services that are closed again."""
    services = open_services(studio, folder)
    yield services
    services.library.close()


@pytest.fixture
def serve(cache: Path) -> Iterator[Callable[[Studio], str]]:
    """``serve(studio)`` opens the page on a free port and gives its address."""
    from musicgen_ui.server.listen import Listening
    from musicgen_ui.ui.site import site

    with ExitStack() as stack:

        def start(studio: Studio) -> str:
            services = stack.enter_context(opened(studio, cache / "data"))
            server = Listening(site(services).app)
            stack.callback(server.close)
            return server.url

        yield start

"""What is kept comes back as the very same notes, what is new fills the rest, and what cannot be done is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from musicgen_ui.engine.compose import compose
from musicgen_ui.engine.rewrite import rewrite
from musicgen_ui.engine.splice import Region
from musicgen_ui.errors import Cancelled, RequestError
from musicgen_ui.models.composer import ComposerConfig
from musicgen_ui.models.composer_lstm import LSTMComposer
from musicgen_ui.models.composer_wavenet import WaveNetComposer, WaveNetComposerConfig
from musicgen_ui.music.measures import MEASURED
from musicgen_ui.music.score import PARTS, Note, Score
from musicgen_ui.recipe import Recipe
from musicgen_ui.scale import UnitScale
from musicgen_ui.source import MAX_BARS, Source
from musicgen_ui.style import Style

SCALES = {key: UnitScale.fit(np.linspace(-1, 4, 200)) for key in MEASURED}
SHARED = {"width": 16, "head_hidden": 16, "latent": 4, "heads": 2, "memory_bars": 3, "drum_masks": (0, 1, 2, 3, 16)}
FILE = {"midi_sha256": "0" * 64}


@pytest.fixture(scope="module")
def composer():
    with torch.random.fork_rng():
        torch.manual_seed(3)
        config = WaveNetComposerConfig(hidden=12, skip=24, dilations=(1, 2, 4), encoder_width=16, **SHARED)
        return WaveNetComposer(config).eval()


@pytest.fixture(scope="module", params=["wavenet", "lstm"])
def any_composer(request, composer):
    if request.param == "wavenet":
        return composer
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return LSTMComposer(ComposerConfig(hidden=24, pointer=True, last_notes=True, **SHARED)).eval()


@pytest.fixture(scope="module")
def clip(composer) -> Score:
    """Four bars in a key that is far from C, played a little off the grid and louder than any class."""
    score = compose(composer, Style(key="F# minor", tempo=93.0), seed=2, bars=4, scales=SCALES)
    parts = {p: tuple(replace(n, velocity=min(n.velocity + 1, 127)) for n in notes) for p, notes in score.parts.items()}
    return replace(score, parts=parts)


def asked(source, **values):
    return Recipe(**{"source": source, "seed": 4, "takes": 1, "bars": 2, **values})


def write(composer, score, source, **values):
    return rewrite(composer, asked(source, **values), score, scales=SCALES)


def same_frame(a: Score, b: Score) -> bool:
    return (a.tempo, a.metre, a.key) == (b.tempo, b.metre, b.key)


@pytest.mark.parametrize("kept", [("lead",), ("chords", "drums"), ("bass",)])
def test_kept_parts_are_the_same_notes_and_the_others_are_written(any_composer, clip, kept):
    score = write(any_composer, clip, Source("accompany", parts=kept, **FILE))
    assert {part: score.notes(part) for part in kept} == {part: clip.notes(part) for part in kept}
    assert set(score.parts) == set(PARTS)
    assert same_frame(score, clip)
    assert score.bars == clip.bars
    assert all(score.programs[part] == clip.programs[part] for part in kept)
    others = [part for part in PARTS if part not in kept]
    assert any(score.notes(part) for part in others)
    assert any(score.notes(part) != clip.notes(part) for part in others)


def test_only_the_parts_that_are_on_accompany(composer, clip):
    parts = {part: {"on": part in ("lead", "bass")} for part in PARTS}
    score = write(composer, clip, Source("accompany", parts=("lead",), **FILE), style=Style(parts=parts))
    assert set(score.parts) == {"lead", "bass"}


def test_harmony_stays_where_chords_or_bass_stay(composer, clip):
    assert write(composer, clip, Source("accompany", parts=("bass",), **FILE)).chords == clip.chords
    assert write(composer, clip, Source("accompany", parts=("lead",), **FILE)).chords != clip.chords


@pytest.mark.parametrize("ending", ["close", "open"])
def test_a_continuation_begins_after_the_end(composer, clip, ending):
    score = write(composer, clip, Source("continue", **FILE), ending=ending)
    assert score.bars == clip.bars + 2
    assert same_frame(score, clip)
    assert dict(score.programs) == dict(clip.programs)
    region = Region(tuple(clip.parts), clip.bars, score.bars)
    assert region.kept(score).parts == clip.parts
    assert any(region.holds(n, score) for part in score.parts for n in score.notes(part))
    assert [c for c in score.chords if c.onset + c.duration <= clip.beats - 4] == [
        c for c in clip.chords if c.onset + c.duration <= clip.beats - 4
    ]


def test_a_continuation_that_closes_ends_on_the_tonic(composer, clip):
    chord = write(composer, clip, Source("continue", **FILE)).chords[-1]
    assert (chord.root, chord.quality) == (6, "min")


@pytest.mark.parametrize("bars", [(0, 1), (2, 3), (3, 4)])
@pytest.mark.parametrize("parts", [(), ("chords", "bass")])
def test_outside_the_bars_and_parts_everything_stays(composer, clip, parts, bars):
    score = write(composer, clip, Source("regenerate", parts=parts, bars=bars, **FILE))
    region = Region(parts or tuple(clip.parts), *bars)
    assert region.kept(score).parts == region.kept(clip).parts
    assert score.bars == clip.bars
    assert same_frame(score, clip)
    assert dict(score.programs) == dict(clip.programs)
    assert score.parts != clip.parts


def test_the_seed_decides_and_equal_requests_are_equal(any_composer, clip):
    source = Source("regenerate", bars=(2, 3), **FILE)
    assert write(any_composer, clip, source) == write(any_composer, clip, source)
    assert write(any_composer, clip, source) != write(any_composer, clip, source, seed=5)


def test_three_four_time(composer):
    waltz = compose(composer, Style(metre="3/4"), seed=1, bars=2, scales=SCALES)
    score = write(composer, waltz, Source("continue", **FILE))
    assert (score.metre, score.bars) == ("3/4", 4)


def test_a_melody_off_the_grid_and_out_of_range_comes_back_as_it_is(composer):
    melody = (Note(0.1234, 31, 0.777, 3), Note(1 + 1 / 3, 108, 1 / 3, 127), Note(5.99, 60, 2.0, 64))
    score = Score(200.0, "4/4", 2, {"lead": melody})
    made = write(composer, score, Source("accompany", parts=("lead",), **FILE))
    assert made.notes("lead") == melody
    assert made.tempo == 200.0
    assert made.key is not None


def test_drums_alone_can_be_accompanied(composer):
    beat = tuple(Note(float(beat), 36, 0.25, 90) for beat in range(8))
    made = write(composer, Score(100.0, "4/4", 2, {"drums": beat}), Source("accompany", parts=("drums",), **FILE))
    assert made.notes("drums") == beat


def test_a_pickup_stays_before_its_bar(composer):
    melody = (Note(3.0, 67, 1.0, 80), *(Note(float(beat), 72, 1.0, 80) for beat in range(4, 12)))
    score = Score(100.0, "4/4", 3, {"lead": melody}, key="C major")
    assert write(composer, score, Source("accompany", parts=("lead",), **FILE)).notes("lead") == melody


@pytest.mark.parametrize(
    ("source", "score", "argument", "reason"),
    [
        (Source("accompany", parts=("lead",), **FILE), {"bass": (Note(0.0, 40, 1.0, 80),)}, "parts", "keep in lead"),
        (Source("regenerate", bars=(0, 9), **FILE), {"bass": (Note(0.0, 40, 1.0, 80),)}, "bars", "has 2 bars"),
        (Source("continue", **FILE), {"lead": ()}, "source", "no notes to begin with"),
    ],
)
def test_what_cannot_be_done_is_said(composer, source, score, argument, reason):
    with pytest.raises(RequestError, match=reason) as caught:
        write(composer, Score(100.0, "4/4", 2, score), source)
    assert caught.value.argument == argument


def test_nothing_to_write_and_too_much_to_write_are_refused(composer):
    melody = {"lead": (Note(0.0, 60, 1.0, 80),)}
    parts = {part: {"on": part == "lead"} for part in PARTS}
    with pytest.raises(RequestError, match="at least one part that is not kept"):
        write(
            composer,
            Score(100.0, "4/4", 2, melody),
            Source("accompany", parts=("lead",), **FILE),
            style=Style(parts=parts),
        )
    with pytest.raises(RequestError, match="too long"):
        write(composer, Score(180.0, "4/4", MAX_BARS - 1, melody), Source("continue", **FILE))
    with pytest.raises(RequestError, match="10 minutes"):
        write(composer, Score(40.0, "4/4", 99, melody), Source("continue", **FILE))


def test_it_can_be_stopped(composer, clip):
    def stop(stage, done, total):
        assert stage == "compose"
        raise Cancelled

    with pytest.raises(Cancelled):
        rewrite(composer, asked(Source("continue", **FILE)), clip, scales=SCALES, hook=stop)

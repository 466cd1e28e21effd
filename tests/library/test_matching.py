from dataclasses import replace

import numpy as np
import pytest

from musicgen_ui.audio.template import Template
from musicgen_ui.audio.template_match import stretched
from musicgen_ui.errors import RequestError
from musicgen_ui.library.clip import Clip, new_id
from musicgen_ui.library.matching import Matcher, passages
from musicgen_ui.library.people import key_of
from musicgen_ui.library.store import Library

ANN, BEN = key_of("a" * 32), key_of("b" * 32)


def tune(seed, notes=70):
    """A clip of notes of about 0.4 s with a chord under them."""
    rng = np.random.default_rng(seed)
    pitches = np.repeat(rng.integers(57, 76, notes), rng.integers(3, 6, notes))
    roots = np.repeat(rng.integers(0, 12, notes // 4 + 1), 18)[: len(pitches)]
    pitches = pitches[: len(roots)]
    harmony = np.zeros((12, len(pitches)), np.float32)
    columns = np.arange(len(pitches))
    for offset in (0, 4, 7):
        harmony[(roots + offset) % 12, columns] = 0.5
    harmony[pitches % 12, columns] = 1.0
    colour = rng.normal(0.0, 10.0, (12, len(pitches))).astype(np.float32)
    return Template(harmony, colour, rng.random(len(pitches)).astype(np.float32), pitches.astype(np.float32))


@pytest.fixture
def library(tmp_path):
    opened = Library(None, tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def matcher(library):
    return Matcher(library.fingerprints)


def add(library, matcher, person, seed):
    clip = new_id()
    row = Clip(clip, f"clip {seed}", 0, f"{seed:064d}", 30.0, 120.0, recipe={"seed": seed}, code="m1")
    library.clips.add(person, row)
    matcher.put(person, clip, tune(seed))
    return clip


def test_a_part_in_another_key_and_tempo_is_found_in_its_place(library, matcher):
    clips = [add(library, matcher, ANN, seed) for seed in range(12)]
    part = stretched(tune(5).part(8.0, 16.0), 1.07)
    part = replace(part, harmony=np.roll(part.harmony, 3, axis=0))
    best = matcher.find(ANN, part)[0]
    assert best.clip == clips[5]
    assert best.begin == pytest.approx(8.0, abs=0.4)
    assert best.semitones == -3
    assert best.tempo == pytest.approx(1.07, abs=0.05)
    assert best.score > 0.8
    assert clips[5] not in [match.clip for match in matcher.find(ANN, part, without=(clips[5],))]


def test_a_hummed_tune_is_found(library, matcher):
    clips = [add(library, matcher, ANN, seed) for seed in range(12)]
    part = tune(7).part(5.0, 14.0)
    part = part.with_melody(part.melody - 12 + 2.3)
    best = matcher.find(ANN, part, hummed=True)[0]
    assert (best.clip, best.semitones) == (clips[7], -2)
    assert best.begin == pytest.approx(5.0, abs=0.3)


def test_nobody_finds_another_persons_clips(library, matcher):
    add(library, matcher, ANN, 1)
    own = add(library, matcher, BEN, 2)
    part = tune(1).part(3.0, 11.0)
    assert [match.clip for match in matcher.find(BEN, part)] == [own]


def test_what_was_kept_is_found_after_a_restart(library, matcher):
    clips = [add(library, matcher, ANN, seed) for seed in range(6)]
    part = tune(4).part(3.0, 11.0)
    assert Matcher(library.fingerprints).find(ANN, part) == matcher.find(ANN, part)
    assert Matcher(library.fingerprints).ready(ANN) == len(clips)


def test_a_clip_that_comes_later_is_found_and_one_that_goes_is_not(library, matcher):
    part = tune(4).part(3.0, 11.0)
    add(library, matcher, ANN, 1)
    matcher.find(ANN, part)
    late = add(library, matcher, ANN, 4)
    assert matcher.find(ANN, part)[0].clip == late
    matcher.remove(ANN, late)
    assert late not in [match.clip for match in matcher.find(ANN, part)]
    library.clips.delete(ANN, [late])
    matcher.forget(ANN)
    assert late not in [match.clip for match in matcher.find(ANN, part)]


def test_clips_that_were_not_heard_are_named(library, matcher):
    heard = add(library, matcher, ANN, 1)
    silent = new_id()
    library.clips.add(ANN, Clip(silent, "new", 0, "0" * 64, 9.0, 120.0, recipe={}, code="m1"))
    assert matcher.missing(ANN) == [silent]
    assert matcher.template(silent) is None
    assert matcher.template(heard) is not None


def test_fragments_that_say_nothing_are_refused(library, matcher):
    add(library, matcher, ANN, 1)
    with pytest.raises(RequestError, match="too short"):
        matcher.find(ANN, tune(1).part(0.0, 1.0))
    silent = replace(tune(1), harmony=np.zeros_like(tune(1).harmony), melody=np.zeros_like(tune(1).melody))
    with pytest.raises(RequestError, match="notes"):
        matcher.find(ANN, silent)
    with pytest.raises(RequestError, match="tune"):
        matcher.find(ANN, silent, hummed=True)


def test_a_long_fragment_is_looked_for_in_passages():
    assert len(passages(tune(1).part(0.0, 12.0))) == 1
    parts = passages(tune(1))
    assert [round(part.seconds) for part in parts] == [12, 12, 12]

"""Everybody's taste over the library: learned from events, private, switched, reset, forgotten, taken along."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from musicgen_ui.library.clip import Clip
from musicgen_ui.library.shelf import Shelf
from musicgen_ui.library.store import Library
from musicgen_ui.library.taste import MEMORY, Taste, TasteState
from musicgen_ui.library.taste_features import SOUND_SIZE
from musicgen_ui.library.taste_radio import REMEMBERED
from musicgen_ui.library.taste_sound import AT_A_TIME, KIND, ClipSounds
from musicgen_ui.library.taste_styles import from_everywhere
from musicgen_ui.recipe import Recipe


@pytest.fixture
def taste(library: Library, clock) -> Taste:
    return Taste(library.events, library.people, clock)


@pytest.fixture
def judge(library: Library, clip: Callable[..., Clip]) -> Callable[..., None]:
    """``judge(person, count)``: somebody who likes what is slow judges clips from everywhere."""

    def run(person: str, count: int, seed: int = 0) -> None:
        generator = np.random.default_rng([seed, 440])
        for number in range(count):
            style = from_everywhere(generator)
            recipe = Recipe(style=style, seed=number).to_dict()
            known = library.clips.add(person, clip(number, recipe=recipe, asked={}, heard={}))
            library.clips.like(person, known.id, 1 if style.tempo < 110 else -1)

    return run


def test_of_somebody_new_nothing_is_said_and_the_tour_begins(taste, ann):
    told = taste.explain(ann)
    assert told["on"] is True
    assert told["counts"] == {"liked": 0, "disliked": 0, "played": 0}
    assert told["phrases"] == told["weights"] == told["proposed"] == []
    assert taste.propose(ann, seed=1).reason == "tour"


def test_what_is_liked_is_learned_said_and_proposed(taste, judge, ann):
    judge(ann, 30)
    told = taste.explain(ann)
    assert sum(told["counts"].values()) == 30
    assert "slower" in told["phrases"][0]["words"]
    assert "slower" in told["text"]
    assert told["weights"][0]["name"] == "tempo"
    assert told["weights"][0]["weight"] < 0 < told["weights"][0]["deviation"]
    assert told["weights"][0]["sure"] > 0.9
    tempi = [taste.propose(ann, seed=number).recipe.style.tempo for number in range(5)]
    assert np.mean(tempi) < 110
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_proposals_are_told_with_their_reasons_and_no_more_than_needed(taste, judge, ann):
    judge(ann, 8)
    made = [taste.propose(ann, seed=number) for number in range(REMEMBERED + 3)]
    told = taste.explain(ann)["proposed"]
    assert [entry["seed"] for entry in told] == [p.recipe.seed for p in made[3:]]
    assert told[-1]["title"] == made[-1].title
    assert told[-1]["why"] == made[-1].why.to_dict()
    assert "features" not in told[-1]
    assert len({p.recipe.to_json() for p in made}) == len(made)


def test_taste_is_each_persons_own(taste, judge, ann, ben):
    judge(ann, 12)
    taste.propose(ann, seed=1)
    assert taste.explain(ben)["counts"] == {"liked": 0, "disliked": 0, "played": 0}
    assert taste.propose(ben, seed=1).reason == "tour"
    taste.reset(ben)
    assert sum(taste.explain(ann)["counts"].values()) == 12


def test_a_reset_forgets_all_that_was_before_and_learns_on(taste, judge, library, ann):
    judge(ann, 12)
    taste.propose(ann, seed=1)
    taste.reset(ann)
    told = taste.explain(ann)
    assert told["counts"] == {"liked": 0, "disliked": 0, "played": 0}
    assert told["proposed"] == []
    assert library.people.counts(ann)["liked"] > 0
    judge(ann, 3, seed=1)
    assert sum(taste.explain(ann)["counts"].values()) == 3


def test_switched_off_it_neither_learns_nor_tells(taste, judge, ann):
    judge(ann, 12)
    taste.switch(ann, False)
    told = taste.explain(ann)
    assert told["on"] is False
    assert told["phrases"] == told["weights"] == []
    assert {taste.propose(ann, seed=number).reason for number in range(8)} == {"tour"}
    taste.switch(ann, True)
    assert sum(taste.explain(ann)["counts"].values()) == 12


def test_a_changed_mind_is_learned_at_once(taste, judge, library, ann):
    judge(ann, 10)
    known = taste.explain(ann)["counts"]
    liked = next(event for event in library.events.list(ann) if event.kind == "like")
    library.clips.like(ann, liked.clip, -1)
    told = taste.explain(ann)["counts"]
    assert told["liked"] == known["liked"] - 1
    assert told["disliked"] == known["disliked"] + 1


def test_the_newest_events_are_enough(library, judge, ann):
    judge(ann, 4)
    every = library.events.list(ann)
    assert library.events.list(ann, newest=3) == every[-3:]
    assert library.events.list(ann, newest=99) == every


def test_what_was_said_last_counts_in_whatever_order_events_come_in(library, clock, clip, ann):
    known = library.clips.add(ann, clip(1))
    for liked in (1, -1):
        library.clips.like(ann, known.id, liked)
    late, early = reversed(library.events.list(ann))
    mixed = SimpleNamespace(list=lambda person, newest: [late, early])
    told = Taste(mixed, library.people, clock).explain(ann)["counts"]
    assert told == {"liked": 0, "disliked": 1, "played": 0}


def test_it_is_forgotten_with_the_person(taste, judge, library, ann):
    judge(ann, 5)
    taste.propose(ann, seed=1)
    taste.switch(ann, False)
    library.people.forget(ann)
    assert library.people.read(ann, MEMORY) is None
    assert taste.explain(ann)["on"] is True
    assert taste.explain(ann)["counts"] == {"liked": 0, "disliked": 0, "played": 0}


def test_the_state_survives_a_restart(open_library, clock, judge, ann):
    judge(ann, 6)
    first, second = (Taste(lib.events, lib.people, clock) for lib in (open_library(), open_library()))
    first.propose(ann, seed=1)
    first.switch(ann, False)
    assert second.state(ann) == first.state(ann)
    assert second.explain(ann)["on"] is False


@pytest.mark.parametrize(
    "value",
    [None, 3, [], {"on": "no"}, {"since": -1}, {"since": True}, {"proposed": 7}, {"proposed": [{"number": "a"}]},
     {"proposed": [{"number": 1, "features": [1e9]}]}, {"proposed": [{"number": 1, "features": ["x"] * 32}]}],
)  # fmt: skip
def test_a_state_that_an_import_spoilt_is_the_default(value):
    assert TasteState.from_dict(value) == TasteState()


def test_states_are_plain_json():
    state = TasteState(False, 17)
    assert TasteState.from_dict(json.loads(json.dumps(state.to_dict()))) == state


def test_sounds_are_read_a_few_at_a_time_and_remembered(library, clip, ann, tmp_path, rng):
    shelf = Shelf(tmp_path / "shelf")
    ids = [library.clips.add(ann, clip(number)).id for number in range(AT_A_TIME + 2)]
    for name in ids[:-1]:
        shelf.folder(name).mkdir(parents=True)
        samples = 0.1 * rng.standard_normal((11_025, 2))
        soundfile.write(shelf.folder(name) / "clip.wav", samples, 22_050)
    (shelf.folder(ids[0]) / "clip.wav").write_bytes(b"no sound")
    sounds = ClipSounds(library.fingerprints, shelf)
    first = sounds(ids)
    assert set(first) == set(ids[1:-1])
    assert all(len(sound) == SOUND_SIZE for sound in first.values())
    for name in ids[1:]:
        (shelf.folder(name) / "clip.wav").unlink(missing_ok=True)
    again = sounds(ids)
    assert {name: np.round(sound, 3).tolist() for name, sound in again.items()} == first
    library.fingerprints.put(ids[1], KIND, b"1234")
    assert ids[1] not in sounds(ids)

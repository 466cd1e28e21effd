"""The loop's promises over a stand-in studio whose answers are known: it ends, keeps the best, and says what it did."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from musicgen_ui.audio.waveform import Clip
from musicgen_ui.engine.closed_loop import expected_gain, round_seed, run, score_values
from musicgen_ui.engine.misses import CORRECTED, MIXED, NOTES, TOLERANCE, misses, outside, rank
from musicgen_ui.engine.response import LEVELS, Belief, Curve, Response
from musicgen_ui.music.score import Note, Score
from musicgen_ui.scale import UnitScale
from musicgen_ui.style import SLIDERS, Style

BRIGHT = Style(density=0.3, energy=0.7, brightness=0.4)


class World:
    """Rooms in which every slider answers by a line with noise: the notes' with each take, the mixer's with its stems.

    Args:
        offset: of what is heard above what is told.
        noise: standard deviation of a new take.
        heard: replaces what is heard, whatever was told.
    """

    def __init__(self, style, offset=0.0, noise=0.0, heard=None, keys=(), seed=0):
        self.style, self.offset, self.noise, self.fixed, self.keys = style, offset, noise, heard, list(keys)
        self.rng = np.random.default_rng(seed)
        self.calls, self.told = [], []

    def compose(self, told, number):
        self.calls.append("compose")
        self.told.append(told)
        key = told.key if told.key != "auto" else "A minor"
        onset = Note(float(number), 60, 1.0, 80)
        return Score(told.tempo, "4/4", 8, {"lead": (onset,)}, key=key, programs={"lead": number})

    def play(self, score, told):
        self.calls.append("play")
        self.band = score.programs
        self.errors = {key: self.rng.normal(0, self.noise) if key in NOTES else 0.0 for key in CORRECTED}
        self.notes = {key: getattr(told, key) for key in NOTES}
        return {"lead": np.array([self.notes[key] + self.errors[key] for key in NOTES])}

    def mix(self, stems, told, score):
        self.calls.append("mix")
        values = dict(zip(NOTES, stems["lead"], strict=True)) | {key: getattr(told, key) for key in MIXED}
        self.heard = {key: float(np.clip(value + self.offset, 0, 1)) for key, value in values.items()}
        return Clip(np.zeros((2, 4), dtype=np.float32))

    def listen(self, clip):
        if self.fixed is not None:
            return self.fixed
        key = self.keys.pop(0) if self.keys else "A minor"
        return self.heard | {"tempo": self.style.tempo, "key": key, "genre": None}

    def asked(self, score):
        return {key: getattr(self.style, key) for key in SLIDERS} | {"key": score.key, "genre": None}

    def measure(self, score):
        return {}


def without_seconds(outcome):
    return [{k: v for k, v in entry.items() if k != "seconds"} for entry in outcome.rounds]


@pytest.mark.parametrize("rounds", range(5))
@pytest.mark.parametrize("offset", [-0.5, 0.0, 0.15, 0.9])
def test_it_ends_keeps_the_best_and_stays_in_range(rounds, offset):
    world = World(BRIGHT, offset, noise=0.1, seed=rounds)
    outcome = run(BRIGHT, world, rounds=rounds)
    assert 1 <= len(outcome.rounds) <= rounds + 1
    kept = max(number for number, entry in enumerate(outcome.rounds) if entry["kept"])
    assert outcome.gain["kept"] == kept
    assert outcome.rounds[kept]["heard"]["density"] == outcome.take.heard["density"]
    ranks = [rank(outcome.take.asked, entry["heard"]) for entry in outcome.rounds]
    assert ranks[kept] == min(ranks) == rank(outcome.take.asked, outcome.take.heard)
    for told in world.told:
        for key in CORRECTED:
            assert SLIDERS[key].low <= getattr(told, key) <= SLIDERS[key].high
    assert outcome.gain["error"][1] <= outcome.gain["error"][0] or outcome.gain["inside"][1] > outcome.gain["inside"][0]


def test_no_rounds_are_one_pass_that_tells_the_models_what_was_asked():
    world = World(BRIGHT, offset=0.3, noise=0.1)
    outcome = run(BRIGHT, world, rounds=0)
    assert world.calls == ["compose", "play", "mix"]
    assert world.told == [BRIGHT]
    assert outcome.gain["stopped"] == "switched off"
    assert outcome.gain["error"][0] == outcome.gain["error"][1]
    assert outcome.gain["seconds"] == 0


def test_the_same_world_gives_the_same_outcome():
    one, two = (run(BRIGHT, World(BRIGHT, 0.2, noise=0.1, seed=3), rounds=4) for _ in range(2))
    assert without_seconds(one) == without_seconds(two)
    assert one.take.told == two.take.told


def test_what_lies_within_tolerance_is_left_alone():
    outcome = run(BRIGHT, World(BRIGHT, offset=0.9 * TOLERANCE["density"]), rounds=4)
    assert len(outcome.rounds) == 1
    assert outcome.gain["stopped"] == "inside tolerance"
    assert outcome.gain["inside"] == [9, 9]


def test_an_offset_of_the_clip_is_corrected_and_reported():
    world = World(BRIGHT, offset=0.15)
    line = np.linspace(0, 1, LEVELS)
    sure = Curve(tuple(line), tuple(line - 0.03), tuple(line + 0.03))
    outcome = run(BRIGHT, world, rounds=4, response=Response(dict.fromkeys(CORRECTED, sure)))
    assert outcome.gain["error"][0] == pytest.approx(0.15)
    assert outcome.gain["error"][1] < 0.08
    assert outcome.gain["inside"][1] == outcome.gain["of"] == 9
    second = outcome.rounds[1]
    assert (second["kind"], second["against"], second["kept"]) == ("notes", 0, True)
    before, after = second["changed"]["density"]
    assert before == 0.3
    assert after < 0.25, "it was heard too busy, so less is told"
    assert world.style.density == outcome.take.asked["density"] == 0.3, "what was asked does not move"


def test_what_only_the_mixer_moves_costs_no_new_notes():
    class Dull(World):
        def mix(self, stems, told, score):
            clip = super().mix(stems, told, score)
            self.heard["brightness"] = max(0.0, told.brightness - 0.2)
            return clip

    world = Dull(BRIGHT)
    outcome = run(BRIGHT, world, rounds=3)
    assert world.calls.count("compose") == world.calls.count("play") == 1
    assert {entry["kind"] for entry in outcome.rounds[1:]} == {"mix"}
    assert outcome.take.heard["brightness"] == pytest.approx(0.4, abs=0.08)
    assert outcome.take.told.density == 0.3


def test_a_dead_end_is_given_up():
    class Deaf(World):
        def mix(self, stems, told, score):
            clip = super().mix(stems, told, score)
            self.heard["brightness"] = 0.9
            return clip

    flat = tuple([0.9] * LEVELS)
    world = Deaf(BRIGHT)
    outcome = run(BRIGHT, world, rounds=4, response=Response({"brightness": Curve(flat, flat, flat)}))
    assert len(outcome.rounds) < 5
    assert outcome.gain["stopped"] == "little to gain"


def test_two_of_three_rounds_may_play_other_notes():
    for rounds, plays in {1: 1, 2: 2, 3: 2, 4: 3}.items():
        world = World(BRIGHT, offset=0.3, noise=0.3)
        run(BRIGHT, world, rounds=rounds)
        assert world.calls.count("play") <= 1 + plays


def test_a_key_that_is_heard_wrong_is_tried_again_and_ranks_above_a_small_miss():
    world = World(BRIGHT, noise=0.02, keys=["C major", "A minor"])
    outcome = run(BRIGHT, world, rounds=2)
    assert outcome.rounds[0]["outside"] == ["key"]
    assert outcome.gain["kept"] == 1
    assert outcome.take.heard["key"] == outcome.take.asked["key"]


def test_corrections_keep_the_key_and_the_band():
    class Wandering(World):
        def compose(self, told, number):
            score = super().compose(told, number)
            return replace(score, key="D major" if told.key == "auto" else told.key)

    world = Wandering(BRIGHT, offset=0.3)
    outcome = run(BRIGHT, world, rounds=3)
    assert [told.key for told in world.told] == ["auto", *["D major"] * (len(world.told) - 1)]
    assert len(world.told) > 1
    assert outcome.take.score.programs == world.band == {"lead": 0}


def test_a_take_in_which_less_is_heard_does_not_win_by_silence():
    class Fading(World):
        def listen(self, clip):
            heard = super().listen(clip)
            silent = ("mood", "energy", "density", "syncopation") if len(self.told) > 1 else ()
            return heard | dict.fromkeys(silent)

    outcome = run(BRIGHT, Fading(BRIGHT, offset=0.2), rounds=1)
    assert outcome.rounds[1]["error"] < outcome.rounds[0]["error"]
    assert outcome.gain["kept"] == 0


def test_a_clip_that_cannot_be_measured_ends_the_loop():
    outcome = run(BRIGHT, World(BRIGHT, heard={"tempo": None, "key": None}), rounds=4)
    assert len(outcome.rounds) == 1
    assert outcome.rounds[0]["error"] is None
    assert outcome.gain["stopped"] == "nothing was heard"


def test_the_curve_is_used_from_the_first_take_on():
    line = np.linspace(0, 1, LEVELS)
    heard = np.clip(line + 0.2, 0, 1)
    curve = Curve(tuple(heard), tuple(heard - 0.05), tuple(heard + 0.05))
    world = World(BRIGHT, offset=0.2)
    outcome = run(BRIGHT, world, rounds=3, response=Response(dict.fromkeys(("energy", "density"), curve)))
    assert world.told[0].energy == pytest.approx(0.5)
    assert outcome.rounds[0]["heard"]["energy"] == pytest.approx(0.7)
    assert world.told[0].mood == BRIGHT.mood


def test_the_loop_pays_over_many_clips():
    """With as much noise as bias, three rounds must lower the mean miss by a third and cost at most three clips."""
    first, kept, plays = [], [], 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        style = Style(**{key: float(v) for key, v in zip(CORRECTED, rng.uniform(0, 1, 7), strict=True)})
        world = World(style, offset=float(rng.normal(0, 0.1)), noise=0.08, seed=seed)
        gain = run(style, world, rounds=3).gain
        first.append(gain["error"][0])
        kept.append(gain["error"][1])
        plays += world.calls.count("play")
    assert np.mean(kept) < 0.67 * np.mean(first)
    assert plays <= 3 * 60


def test_expected_gain_is_never_negative_and_grows_with_the_miss():
    def gain_of(miss):
        world = World(BRIGHT, offset=miss)
        take = run(BRIGHT, world, rounds=0).take
        return expected_gain(take, {key: Belief(Curve.unknown(), getattr(BRIGHT, key)) for key in CORRECTED})

    gains = [gain_of(miss) for miss in (0.0, 0.05, 0.1, 0.2, 0.3)]
    assert gains == sorted(gains)
    assert gains[0] >= 0


def test_misses_and_tolerances():
    asked = {"density": 0.5, "mood": None, "tempo": 100.0, "key": "C major", "energy": 0.2}
    heard = {"density": 0.3, "mood": 0.1, "tempo": 200.0, "key": "A minor", "energy": 0.25}
    assert misses(asked, heard) == {"density": pytest.approx(0.2), "energy": pytest.approx(-0.05)}
    assert outside(asked, heard) == ("tempo", "density", "key")
    assert outside(asked, heard | {"tempo": 103.9, "key": None, "density": None}) == ()
    assert (
        rank(asked, heard)
        > rank(asked, heard | {"tempo": 100.0})
        > rank(asked, heard | {"tempo": 100, "key": "C major"})
    )
    assert rank(asked, heard | {"tempo": None}) == rank(asked, heard)


def test_a_score_says_its_values_in_the_units_of_the_sliders():
    scales = {key: UnitScale(tuple(np.linspace(-3, 4, 101))) for key in NOTES}
    score = Score(100, "4/4", 1, {"lead": tuple(Note(float(b), 60 + b, 1.0, 100) for b in range(4))}, key="C major")
    values = score_values(score, scales)
    assert values["density"] == pytest.approx(4 / 7, abs=0.01), "one onset a beat"
    assert score_values(Score(100, "4/4", 1, {"lead": ()}, key="C major"), scales).keys() == {"density"}


def test_round_seeds_are_valid_and_distinct():
    seeds = [round_seed(seed, number) for seed in (0, 1, 2**32 - 1) for number in range(5)]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**32 for seed in seeds)
    assert round_seed(7, 0) == 7

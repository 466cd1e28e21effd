"""The Studio's order, clock, closed loop and promises, over small fakes; no model is loaded here."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from musicgen_ui import __version__
from musicgen_ui.audio.waveform import Clip
from musicgen_ui.engine.misses import CORRECTED
from musicgen_ui.engine.pipeline import STAGES, Studio
from musicgen_ui.engine.rooms import asked_values
from musicgen_ui.errors import Cancelled, RequestError
from musicgen_ui.music.score import Note, Score
from musicgen_ui.recipe import Recipe, RenderRecipe
from musicgen_ui.style import SLIDERS, Style
from musicgen_ui.timbre import Z_SIZE, Timbre, TimbrePoint

DIGESTS = {"composer_lstm.safetensors": "ab" * 32}


class Band:
    """Fakes for every room. What is heard answers the condition with a fixed bias and slope, as a model would."""

    def __init__(self, slope=1.0, bias=0.0, heard=None):
        self.slope, self.bias, self.fixed = slope, bias, heard
        self.calls = []

    def compose(self, style, *, seed, bars, takes, shape, hook, early=None):
        self.calls.append((style, seed, bars, takes))
        for bar in range(bars):
            hook("compose", bar + 1, bars)
        score = self.written(style, seed, bars)
        if early is not None and bars > 2:
            early(score.section(0, 2))
        return score

    def written(self, style, seed, bars):
        rng = np.random.default_rng(seed)
        notes = tuple(Note(float(beat), int(rng.integers(60, 72)), 1.0, 90) for beat in range(bars * 4))
        return Score(style.tempo, style.metre, bars, dict.fromkeys(style.active_parts, notes), key="A minor")

    def render(self, score, programs, *, style, timbre, seed, hook):
        self.rendered = (style, timbre, seed)
        return {part: np.array([n.pitch / 127 for n in notes], dtype=np.float32) for part, notes in score.parts.items()}

    def mix(self, stems, style, *, seed, tempo, ending, energy, hook):
        assert (
            style.with_values(**{key: getattr(self.asked_style, key) for key in CORRECTED}, key="auto")
            == self.asked_style
        )
        return Clip(np.stack([sum(stems.values())] * 2).astype(np.float32))

    def listen(self, samples, sample_rate, *, hook):
        if self.fixed is not None:
            return self.fixed
        condition = self.calls[-1][0]
        learned = [key for key, slider in SLIDERS.items() if slider.learned]
        return {key: min(max(getattr(condition, key) * self.slope + self.bias, 0), 1) for key in learned} | {
            "tempo": condition.tempo,
            "key": "A minor",
        }

    def studio(self, style):
        self.asked_style = style
        return Studio(
            composers={"wavenet": self.compose},
            synthesizers={"vaegan": self, "soundfont": self},
            mix=self.mix,
            listen=self.listen,
            checkpoints=DIGESTS,
            device="cpu",
        )


def generate(band, recipe, hook=None):
    return band.studio(recipe.style).generate(recipe, hook)


def test_a_result_says_what_was_asked_heard_and_who_made_it():
    recipe = Recipe(style=Style(tempo=96, genre={"pop": 0.7, "folk": 0.3}), seed=7, bars=2)
    result = generate(Band(), recipe)
    assert result.recipe == replace(recipe, checkpoints=DIGESTS, version=__version__)
    assert result.checkpoints == DIGESTS
    assert set(result.seconds) == set(STAGES)
    assert all(value >= 0 for value in result.seconds.values())
    assert set(result.asked) == set(result.heard) == {*SLIDERS, "key", "genre"}
    assert result.asked["tempo"] == 96
    assert result.asked["key"] == "A minor"
    assert result.asked["genre"] == "pop"
    assert result.heard["brightness"] is None, "nobody measured it, so nobody may guess it"
    assert list(result.stems) == ["lead", "chords", "bass", "drums"]


def test_the_same_recipe_gives_the_same_clip_and_another_seed_another():
    one, two, other = (generate(Band(), Recipe(seed=seed, bars=2)) for seed in (7, 7, 8))
    assert one.score == two.score
    np.testing.assert_array_equal(one.clip.samples, two.clip.samples)
    assert one.score != other.score


def test_only_the_active_parts_have_stems():
    style = Style().with_values(parts={"chords": {"on": False}, "drums": {"on": False}})
    assert list(generate(Band(), Recipe(style=style, bars=1)).stems) == ["lead", "bass"]


def test_corrections_keep_the_key_and_the_band():
    class Wandering(Band):
        def compose(self, style, *, seed, **options):
            number = len(self.calls)
            score = super().compose(style, seed=seed, **options)
            key = style.key if style.key != "auto" else ("D major", "E minor")[number % 2]
            return replace(score, key=key, programs={"lead": seed % 100})

    band = Wandering(bias=0.3)
    result = generate(band, Recipe(seed=5, bars=1, rounds=3))
    assert result.score.key == result.asked["key"] == "D major"
    assert result.score.programs == {"lead": 5}
    assert [call[0].key for call in band.calls] == ["auto", *["D major"] * (len(band.calls) - 1)]


@pytest.mark.parametrize("rounds", [0, 2, 4])
def test_progress_never_runs_backwards_and_ends_at_the_end(rounds):
    seen = {}
    for bias in (0.3, 0.0):

        def hook(stage, done, total):
            assert 0 <= done <= total
            assert done / total >= seen.get(stage, 0)
            seen[stage] = done / total

        seen.clear()
        generate(Band(bias=bias), Recipe(bars=3, rounds=rounds), hook)
        assert seen == dict.fromkeys(STAGES, 1.0)


@pytest.mark.parametrize("stop_at", STAGES)
def test_a_hook_stops_the_work_at_once(stop_at):
    band = Band()

    def hook(stage, done, total):
        if stage == stop_at:
            raise Cancelled

    with pytest.raises(Cancelled):
        generate(band, Recipe(bars=2), hook)
    assert len(band.calls) == (0 if stop_at == "compose" else 1)


@pytest.mark.parametrize("recipe", [Recipe(composer="lstm"), Recipe(synth="wavenet")])
def test_an_engine_that_is_not_loaded_is_refused_before_any_work(recipe):
    band = Band()
    with pytest.raises(RequestError, match="is not loaded; available: "):
        generate(band, recipe)
    assert not band.calls


@pytest.mark.parametrize(
    ("speed", "tempo", "key"),
    [(1.0, 100, "C major"), (2.0, 200, "C major"), (0.5, 50, "C major"), (1.06, 106, "Db major"), (1.03, 103, None)],
)
def test_tape_speed_moves_tempo_and_key_together(speed, tempo, key):
    asked = asked_values(Style(tempo=100, speed=speed), Score(100, "4/4", 1, {}, key="C major"))
    assert asked["tempo"] == pytest.approx(tempo)
    assert asked["key"] == key
    assert asked["genre"] is None


def test_a_rendered_file_asks_only_for_what_the_score_and_the_mixer_decide():
    style = Style(brightness=0.8, tempo=60)
    score = Score(133.0, "3/4", 2, {"lead": (Note(0.0, 60, 1.0, 80),)}, key="D minor")
    result = Band(heard={"tempo": 133.2, "density": 0.4}).studio(style).render(score, RenderRecipe("0" * 64, style))
    assert result.asked["tempo"] == 133.0, "the file's own tempo counts, not the slider's"
    assert result.asked["key"] == "D minor"
    assert result.asked["density"] is None
    assert result.heard["density"] == 0.4
    assert list(result.stems) == ["lead"]


def test_a_file_of_an_hour_is_refused():
    score = Score(60.0, "4/4", 900, {"lead": (Note(0.0, 60, 1.0, 80),)})
    with pytest.raises(RequestError, match="lasts 60 minutes; at most 10"):
        Band().studio(Style()).render(score, RenderRecipe("0" * 64))


class Player:
    """A synthesizer whose stems say which one it is."""

    def __init__(self, level):
        self.level = level

    def render(self, score, programs, *, style, timbre, seed, hook):
        self.asked = (style, timbre, seed)
        hook("synthesize", 1, 1)
        return {part: np.full(score.samples(), self.level, dtype=np.float32) for part in score.parts}


class Encoder(Player):
    """One that also hears timbres: the peak and the length of what it was given."""

    def encode(self, samples):
        return TimbrePoint("recorded", z=(float(samples.max()), len(samples) / 1e5, *[0.0] * (Z_SIZE - 2)))


def band_of(synthesizers, style=None):
    band = Band()
    band.asked_style = style or Style()
    rest = {"mix": band.mix, "listen": band.listen, "checkpoints": {}}
    return Studio(composers={"wavenet": band.compose}, synthesizers=synthesizers, **rest)


@pytest.mark.parametrize("bars", [2, 9])
def test_what_is_made_does_not_depend_on_whether_it_is_heard_meanwhile(bars):
    recipe = Recipe(seed=3, bars=bars)
    plain = band_of({"vaegan": Player(0.1)}).generate(recipe)
    pieces = []
    heard = band_of({"vaegan": Player(0.1)}).generate(recipe, preview=pieces.append)
    np.testing.assert_array_equal(plain.clip.samples, heard.clip.samples)
    assert plain.score == heard.score
    assert pieces[-1].last
    assert pieces[0].samples.shape[1] < plain.clip.samples.shape[1]
    np.testing.assert_allclose(np.concatenate([p.samples for p in pieces], axis=1), plain.clip.samples, atol=1e-6)


def test_what_may_be_corrected_is_not_heard_early():
    pieces = []
    band_of({"vaegan": Player(0.1)}).generate(Recipe(bars=2, rounds=1), preview=pieces.append)
    assert not pieces


@pytest.mark.parametrize("stop_at", STAGES)
def test_the_preview_stops_with_the_clip(stop_at):
    def hook(stage, done, total):
        if stage == stop_at:
            raise Cancelled

    pieces = []
    with pytest.raises(Cancelled):
        band_of({"vaegan": Player(0.1)}).generate(Recipe(bars=9), hook, preview=pieces.append)
    assert "preview" not in {thread.name for thread in threading.enumerate()}
    assert any(piece.last for piece in pieces) == (stop_at == "listen")


def test_the_recipe_picks_the_synthesizer_and_hands_it_style_timbre_and_seed():
    style, timbre = Style(brightness=0.9), Timbre(TimbrePoint("random", 5), morph=0.25)
    players = {"vaegan": Player(0.5), "soundfont": Player(0.25)}
    studio = band_of(players, style)
    assert studio.synths == ("vaegan", "soundfont")
    result = studio.generate(Recipe(style=style, seed=11, bars=1, synth="vaegan", timbre=timbre))
    assert result.stems["bass"].max() == 0.5
    assert players["vaegan"].asked == (style, timbre, 11)
    assert result.recipe.timbre == timbre
    result = studio.render(result.score, RenderRecipe("0" * 64, style, 3, "soundfont"))
    assert result.stems["bass"].max() == 0.25
    assert players["soundfont"].asked == (style, Timbre(), 3)
    with pytest.raises(RequestError, match="synth: soundfont is not loaded; available: vaegan"):
        band_of({"vaegan": Player(0.5)}).generate(Recipe(synth="soundfont"))


def test_a_recording_lends_its_timbre_as_mono_at_the_rate_of_the_synthesizer():
    studio = band_of({"soundfont": Player(0.1), "vaegan": Encoder(0.1)})
    stereo = np.outer([0.5, 0.1], np.sin(np.arange(48_000) * 0.1)).astype(np.float32)
    point = studio.borrow(stereo, 48_000)
    assert point.z[:2] == (0.3, 0.44)
    with pytest.raises(RequestError, match="soundfont cannot take the timbre of a recording"):
        band_of({"soundfont": Player(0.1)}).borrow(stereo, 48_000)


def test_a_chosen_key_decides_the_mode_and_the_mood_moves_within_it():
    def asked(key, mood):
        style = Style(key=key, mood=mood)
        return asked_values(style, Score(100, "4/4", 1, {}, key="A minor" if key == "auto" else key))["mood"]

    assert asked("auto", 0.9) == 0.9
    assert asked("A minor", 0.2) == pytest.approx(0.2)
    assert 0.3 < asked("A minor", 0.6) < asked("A minor", 0.9) < 0.5
    assert asked("A major", 0.2) > 0.5

"""Forms as they are written: sections of one label alike, takes independent, endings closed, lengths exact."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from musicgen_ui.engine.compose import compose
from musicgen_ui.engine.form import Layout, framed, lifted, subject, write_layout
from musicgen_ui.errors import RequestError
from musicgen_ui.models.composer import ComposerConfig
from musicgen_ui.models.composer_lstm import LSTMComposer
from musicgen_ui.models.condition import CONDITION_SLIDERS, condition_of, stack
from musicgen_ui.models.pick import SamplingConfig
from musicgen_ui.models.sampling import Plan, draw_noise, write_tables
from musicgen_ui.music.form import ENDINGS, FORMS, Section, Shape
from musicgen_ui.music.measures import MEASURED
from musicgen_ui.music.score import TICKS_PER_BEAT, from_ticks, to_ticks
from musicgen_ui.music.table import COLUMN
from musicgen_ui.music.theory import key_tonic
from musicgen_ui.music.tokens import chord_class
from musicgen_ui.scale import UnitScale
from musicgen_ui.style import Style

SCALES = {key: UnitScale.fit(np.linspace(-1, 4, 200)) for key in MEASURED}


@pytest.fixture(scope="module")
def composer() -> LSTMComposer:
    config = ComposerConfig(
        width=16, hidden=24, head_hidden=16, latent=8, heads=2, memory_bars=3, pointer=True, drum_masks=(0, 1, 2, 3, 16)
    )
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return LSTMComposer(config).eval()


def write(composer, layout, seeds=(1,), metre="3/4", hook=lambda stage, done, total: None):
    one = condition_of(Style(key="C major", mood=0.8, metre=metre), minor=False)
    other = condition_of(Style(key="A minor", mood=0.2, metre=metre), minor=True)
    condition = stack([(one, other)[i % 2] for i in range(len(seeds))])
    steps = layout.body_bars * (16 if metre == "4/4" else 12)
    latents, noise = draw_noise(list(seeds), steps, composer.config.latent)
    return write_layout(composer, condition, latents, noise, layout, config=SamplingConfig(), hook=hook)


def test_a_free_form_that_stops_is_the_composers_own(composer):
    condition = condition_of(Style(key="C major", mood=0.8), minor=False)
    latents, noise = draw_noise([5], 32, composer.config.latent)
    own = write_tables(
        composer,
        condition,
        composer.prior(condition, latents),
        noise,
        steps_per_bar=16,
        config=SamplingConfig(),
        hook=lambda stage, done, total: None,
        plan=Plan(),
    )
    layout = Layout.of(2, Shape(ending="open"))
    assert torch.equal(write(composer, layout, [5], "4/4"), own)


def test_labels_come_back_and_the_contrast_differs(composer):
    table = write(composer, Layout.of(8, Shape("AABA", ending="open")))[0]
    a, again, b, last = table.reshape(4, 24, -1).unbind()
    half = 24 - 4  # the last beat of three is free
    notes = [COLUMN[name] for name in ("chord", "bass_pitch", "lead_pitch", "chords_note0", "drums")]
    assert torch.equal(again[:half, notes], a[:half, notes])
    assert torch.equal(last[:half, notes], a[:half, notes])
    assert not torch.equal(b[:half, notes], a[:half, notes])


def test_a_take_does_not_depend_on_the_others(composer):
    layout = Layout.of(4, Shape("ABAB"))
    together = write(composer, layout, [7, 8])
    assert torch.equal(write(composer, layout, [7])[0], together[0])


def test_the_dominant_leads_to_the_end_in_either_mode(composer):
    table = write(composer, Layout.of(3, Shape(ending="close")), [1, 2], metre="4/4")
    before = table[:, 24:32, COLUMN["chord"]]
    assert (before[0] == chord_class(7, "7")).all()
    assert (before[1] == chord_class(4, "7")).all()


def test_the_hook_counts_the_body(composer):
    seen = []
    write(composer, Layout.of(4, Shape("AABA", intro=True)), hook=lambda stage, done, total: seen.append((done, total)))
    assert seen[-1] == (36, 36)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("ending", ENDINGS)
def test_every_shape_gives_exactly_its_bars_and_closes_where_it_should(composer, form, ending):
    bars = {"close": 5, "open": 3, "loop": 2}[ending]
    shape = Shape(form, intro=bars > 2, ending=ending)
    style = Style(key="Eb major", mood=0.9, metre="3/4")
    score = compose(composer, style, seed=3, bars=bars, scales=SCALES, shape=shape)
    assert (score.bars, score.key) == (bars, "Eb major")
    assert all(n.onset >= 0 and n.onset + n.duration <= score.beats for p in score.parts.values() for n in p)
    if ending == "close":
        assert score.chords[-1].root == key_tonic("Eb major")
        assert max(n.onset for p in score.parts.values() for n in p) == score.beats - 3


def test_what_has_no_room_is_refused(composer):
    with pytest.raises(RequestError, match=r"^intro: "):
        compose(composer, Style(), seed=1, bars=2, scales=SCALES, shape=Shape(intro=True))


def test_a_layout_counts_its_body_from_the_introductions_end():
    layout = Layout.of(20, Shape("AABA", intro=True))
    assert (layout.intro_bars, layout.body_bars) == (4, 16)
    assert [(s.first, s.repeats) for s in layout.body] == [(0, None), (4, 0), (8, None), (12, 0)]


def test_a_lift_moves_its_sliders_and_stays_inside():
    condition = condition_of(Style(energy=0.95, density=0.3), minor=False)
    moved = lifted(condition, Section("chorus", 0, 4, lift={"energy": 0.1, "density": 0.1}))
    change = dict(zip(CONDITION_SLIDERS, (moved.sliders - condition.sliders)[0].tolist(), strict=True))
    assert change == pytest.approx({**dict.fromkeys(CONDITION_SLIDERS, 0.0), "energy": 0.05, "density": 0.1}, abs=1e-6)
    assert lifted(condition, Section("A", 0, 4)) is condition


def test_subjects_differ_and_are_as_large(rng):
    latents = torch.from_numpy(rng.standard_normal((3, 8)))
    subjects = [subject(latents, number) for number in range(6)]
    assert torch.equal(subjects[0], latents)
    assert torch.equal(subjects[1], -latents)
    for i, a in enumerate(subjects):
        torch.testing.assert_close(a.norm(dim=-1), latents.norm(dim=-1))
        assert all(not torch.equal(a, b) for b in subjects[:i])


def test_a_frame_is_put_around_what_was_written(composer):
    layout = Layout.of(8, Shape("AABA", intro=True, ending="open"))
    style = Style(key="C major", mood=0.8, metre="3/4")
    body = compose(composer, style, seed=3, bars=6, scales=SCALES, shape=Shape(ending="open"))
    whole = framed(body, layout)
    assert whole.bars == 8
    for part, notes in body.parts.items():
        assert [n for n in whole.notes(part) if n.onset >= 6] == [
            replace(n, onset=from_ticks(to_ticks(n.onset) + 6 * TICKS_PER_BEAT)) for n in notes
        ]

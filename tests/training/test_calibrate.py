"""Audio scales make heard values the same quantity as asked ones."""

import numpy as np
import pytest

from musicgen_ui.music.measures import MEASURED
from musicgen_ui.scale import UnitScale
from musicgen_ui.training.calibrate import UNIT_SLIDERS, Calibrated, audio_scales


def sections(rng, count=400):
    """Audio hears three times the score's value plus seven, whatever the sections' own spread."""
    rows = []
    for _ in range(count):
        score = {key: float(rng.beta(2, 5)) for key in MEASURED}
        audio = {key: 3 * value + 7 for key, value in score.items()}
        rows.append(Calibrated(score, audio | {"brightness": float(rng.uniform()), "space": float(rng.uniform())}))
    return rows


def test_a_score_and_its_sound_get_the_same_value(rng):
    score = {key: UnitScale.fit(rng.random(2000)) for key in MEASURED}
    rows = sections(rng)
    scales = audio_scales(rows, score)
    assert set(scales) == set(UNIT_SLIDERS)
    for row in rows[:50]:
        for key in MEASURED:
            asked, heard = score[key].to_unit(row.score[key]), scales[key].to_unit(row.audio[key])
            assert heard == pytest.approx(asked, abs=0.03)


def test_sliders_without_a_score_side_are_plain_quantiles(rng):
    scales = audio_scales(sections(rng), {key: UnitScale.fit(rng.random(200)) for key in MEASURED})
    assert scales["space"].to_unit(0.25) == pytest.approx(0.25, abs=0.06)


def test_what_was_not_heard_is_left_out_and_never_heard_is_an_error(rng):
    score = {key: UnitScale.fit(rng.random(200)) for key in MEASURED}
    rows = sections(rng, 50)
    deaf = [Calibrated(r.score, {**r.audio, "mood": None}) for r in rows]
    audio_scales([*rows, *deaf], score)
    with pytest.raises(ValueError, match="mood was heard in no clip"):
        audio_scales(deaf, score)


def test_scales_do_not_fall(rng):
    score = {key: UnitScale.fit(rng.random(200)) for key in MEASURED}
    for scale in audio_scales(sections(rng, 30), score).values():
        assert (np.diff(scale.knots) >= 0).all()

import numpy as np
import pytest

from musicgen_ui.models.vae_gan.condition import (
    LABEL_RANGES,
    TILT_DB_PER_OCTAVE,
    TILT_LIMIT_DB,
    TILT_PIVOT_HZ,
    TimbreLabels,
    tilt_gain,
)
from musicgen_ui.models.vae_gan.config import LABELS


def test_neutral_is_zero():
    assert len(LABEL_RANGES) == LABELS
    vector = TimbreLabels().vector()
    assert vector.dtype == np.float32
    assert np.array_equal(vector, np.zeros(LABELS))


@pytest.mark.parametrize("name", LABEL_RANGES)
def test_each_label_has_its_place_and_its_range(name):
    low, high, neutral = LABEL_RANGES[name]
    assert low <= neutral <= high
    place = list(LABEL_RANGES).index(name)
    for value in (low, high):
        vector = TimbreLabels(**{name: value}).vector()
        assert vector[place] == pytest.approx(value - neutral)
        assert not np.delete(vector, place).any()
    for value in (low - 0.01, high + 0.01, float("nan")):
        with pytest.raises(ValueError, match=name):
            TimbreLabels(**{name: value})


def test_a_neutral_curve_plays_what_is_written():
    assert [TimbreLabels().played_velocity(v) for v in range(1, 128)] == list(range(1, 128))


@pytest.mark.parametrize("curve", [-1.0, -0.3, 0.4, 1.0])
def test_the_velocity_curve_bends_between_fixed_ends(curve):
    played = [TimbreLabels(velocity_curve=curve).played_velocity(v) for v in range(1, 128)]
    assert played == sorted(played)
    assert played[0] >= 1
    assert played[-1] == 127
    # Positive is softer in the middle.
    assert (played[63] < 64) == (curve > 0)


def test_the_tilt_is_so_many_decibels_an_octave():
    def decibels(octaves, brightness):
        return 20 * np.log10(tilt_gain(np.array([TILT_PIVOT_HZ * 2.0**octaves]), brightness)[0])

    assert decibels(0, 1.0) == pytest.approx(0.0)
    assert decibels(2, 1.0) == pytest.approx(2 * TILT_DB_PER_OCTAVE)
    assert decibels(-2, 0.5) == pytest.approx(-TILT_DB_PER_OCTAVE)
    assert decibels(1, -1.0) == pytest.approx(-TILT_DB_PER_OCTAVE)
    assert decibels(20, 1.0) == pytest.approx(TILT_LIMIT_DB)
    assert np.array_equal(tilt_gain(np.array([0.0, 100.0, 20_000.0]), 0.0), np.ones(3))

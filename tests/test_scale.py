"""Scales turn measures into quantiles and back."""

import numpy as np
import pytest

from musicgen_ui.errors import RequestError
from musicgen_ui.scale import KNOTS, UnitScale, load_scales, load_score_scales, save_scales


def test_median_is_one_half(rng):
    values = rng.normal(3.0, 2.0, 2001)
    scale = UnitScale.fit(values)
    assert scale.to_unit(float(np.median(values))) == pytest.approx(0.5)
    assert scale.to_unit(-1e9) == 0.0
    assert scale.to_unit(1e9) == 1.0


@pytest.mark.parametrize("unit", [0.0, 0.013, 0.3, 0.77, 1.0])
def test_to_unit_inverts_from_unit(rng, unit):
    scale = UnitScale.fit(rng.gamma(2.0, 1.0, 500))
    assert scale.to_unit(scale.from_unit(unit)) == pytest.approx(unit, abs=1e-9)


def test_to_unit_never_falls(rng):
    scale = UnitScale.fit(np.round(rng.normal(size=300), 1))
    units = [scale.to_unit(x) for x in np.linspace(-4, 4, 400)]
    assert (np.diff(units) >= 0).all()


def test_ties_take_the_middle():
    scale = UnitScale.fit([1.0] * 50 + [2.0] * 51)
    assert scale.to_unit(2.0) == pytest.approx(0.75, abs=0.02)


def test_a_balanced_scale_has_zero_in_the_middle(rng):
    scale = UnitScale.fit_balanced(np.concatenate([-rng.random(20), rng.random(500)]))
    assert scale.to_unit(0.0) == 0.5
    assert scale.from_unit(0.2) < 0 < scale.from_unit(0.8)
    one_sided = UnitScale.fit_balanced([1.0, 2.0])
    assert one_sided.to_unit(-1.5) == pytest.approx(1 - one_sided.to_unit(1.5))


@pytest.mark.parametrize("knots", [(0.0,) * 5, (*range(KNOTS - 1), float("nan")), tuple(range(KNOTS, 0, -1))])
def test_bad_knots_are_refused(knots):
    with pytest.raises(ValueError, match="knots"):
        UnitScale(tuple(knots))


def test_files_round_trip_with_stable_bytes(tmp_path, rng):
    scales = {"score": {"mood": UnitScale.fit(rng.random(50))}, "audio": {"energy": UnitScale.fit(rng.random(50))}}
    save_scales(tmp_path / "a.json", scales)
    again = load_scales(tmp_path / "a.json")
    np.testing.assert_allclose(again["score"]["mood"].knots, scales["score"]["mood"].knots, rtol=1e-5)
    save_scales(tmp_path / "b.json", again)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert set(load_score_scales(tmp_path / "a.json")) == {"mood"}


@pytest.mark.parametrize("text", [None, "", "{}", '{"score": {}, "audio": {"x": [1]}}', '{"score": 3, "audio": 4}'])
def test_a_damaged_file_is_one_sentence(tmp_path, text):
    if text is not None:
        (tmp_path / "measures.json").write_text(text)
    with pytest.raises(RequestError, match=r"measures.json: the slider scales cannot be read"):
        load_scales(tmp_path / "measures.json")

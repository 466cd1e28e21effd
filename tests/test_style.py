"""A Style can only hold what may be asked for."""

import math

import pytest

from musicgen_ui.errors import RequestError
from musicgen_ui.music.instruments import CHOICES
from musicgen_ui.style import EFFECTS, GENRES, SLIDERS, PartSetting, Style


@pytest.mark.parametrize("name", [*SLIDERS, *EFFECTS])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, True, "fast", None, [1], 10**400, -1, 1e9])
def test_every_number_is_checked(name, value):
    with pytest.raises(RequestError, match=rf"^{name}: must be .*from .* to .*, not") as caught:
        Style().with_values(**{name: value})
    assert caught.value.argument == name
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [*SLIDERS, *EFFECTS])
def test_the_ends_of_every_range_are_allowed(name):
    slider = (SLIDERS | EFFECTS)[name]
    for value in (slider.low, slider.high):
        assert getattr(Style().with_values(**{name: value}), name) == value


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("A minor", "A minor"),
        ("c# min", "Db minor"),
        ("Gb major", "F# major"),
        ("Em", "E minor"),
        ("Auto", "auto"),
        ("B", "B major"),
    ],
)
def test_keys_have_one_spelling(text, key):
    assert Style(key=text).key == key


@pytest.mark.parametrize("key", ["H minor", "", "A dorian", 3, None])
def test_an_unknown_key_is_refused(key):
    with pytest.raises(RequestError, match=r"^key: "):
        Style(key=key)


def test_genre_weights_are_normalised_in_a_fixed_order():
    one, other = Style(genre={"folk": 1, "pop": 3}), Style(genre={"pop": 0.75, "folk": 0.25, "jazz": 0.0})
    assert one == other
    assert list(one.genre.items()) == [("pop", 0.75), ("folk", 0.25)]


@pytest.mark.parametrize("genre", [{"techno": 1.0}, {"pop": -1}, {"pop": math.nan}, {"pop": 0.0}, "pop", None])
def test_a_bad_genre_is_refused(genre):
    with pytest.raises(RequestError, match=r"^genre"):
        Style(genre=genre)


def test_at_least_one_part_plays():
    with pytest.raises(RequestError, match="switch on at least one part"):
        Style(parts={name: PartSetting(on=False) for name in ("lead", "chords", "bass", "drums")})


@pytest.mark.parametrize(
    "parts",
    [
        {"vocals": PartSetting()},
        {"lead": {"instrument": "kazoo"}},
        {"lead": {"instrument": ["flute"]}},
        {"lead": {"on": 1}},
        {"lead": {"level": 100}},
        {"lead": {"loudness": 1}},
        {"lead": "flute"},
        "lead",
    ],
)
def test_bad_parts_are_refused(parts):
    with pytest.raises(RequestError, match=r"parts|lead"):
        Style(parts=parts)


def test_unknown_fields_are_refused():
    with pytest.raises(RequestError, match="no such slider"):
        Style().with_values(loudness=1)
    with pytest.raises(RequestError, match="no such slider"):
        Style.from_dict({"mod": 0.3})


def test_dict_round_trip():
    style = Style(
        tempo=96,
        key="A minor",
        genre={"jazz": 1},
        parts={"lead": {"on": False, "level": -3, "instrument": CHOICES["lead"][3]}},
    )
    assert Style.from_dict(style.to_dict()) == style
    assert set(GENRES) >= set(style.to_dict()["genre"])

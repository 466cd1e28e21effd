"""Layouts: every form at every length, without gaps, with sections that come back where a person expects them."""

import pytest

from musicgen_ui.errors import RequestError
from musicgen_ui.music.form import ENDINGS, FORMS, FREE, Section, plan_form

LENGTHS = (*range(1, 41), 48, 63, 64, 100, 127, 128)


def labels(form, bars, intro=False):
    return " ".join(f"{s.label}{s.bars}" for s in plan_form(form, bars, intro))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("intro", [False, True])
def test_sections_fill_the_clip_and_repeat_what_was_there(form, intro):
    for bars in LENGTHS[2:] if intro else LENGTHS:
        sections = plan_form(form, bars, intro)
        assert [s.first for s in sections] == [0, *(s.end for s in sections[:-1])]
        assert sections[-1].end == bars
        assert all(s.bars >= 1 for s in sections)
        assert (sections[0].label == "intro") == intro
        if intro:
            assert sections[0].repeats == sections[0].end
        firsts: dict[str, Section] = {}
        for section in sections[int(intro) :]:
            origin = section.label.rstrip("'")
            if section.repeats is None:
                assert origin not in firsts
            else:
                assert section.repeats == firsts[origin].first
            assert (section.variation > 0) == (section.label != origin)
            firsts.setdefault(origin, section)


@pytest.mark.parametrize("form", FORMS[1:])
def test_sections_have_whole_phrases_from_twenty_bars_on(form):
    for bars in range(20, 129):
        sizes = [s.bars for s in plan_form(form, bars)]
        assert set(sizes[:-1]) <= {2, 4, 8}
        assert sizes[-1] < 2 * max(sizes[0], 2)


@pytest.mark.parametrize(
    ("form", "bars", "expected"),
    [
        ("AABA", 32, "A8 A8 B8 A8"),
        ("AABA", 16, "A4 A4 B4 A4"),
        ("AABA", 3, "A1 B1 A1"),
        ("ABAB", 16, "A4 B4 A4 B4"),
        ("ABAB", 10, "A2 B2 A2 B2 B2"),
        ("verse-chorus", 24, "verse4 chorus4 verse4 chorus4 bridge4 chorus4"),
        ("rondo", 20, "A4 B4 A4 C4 A4"),
        ("theme and variations", 16, "A4 A'4 A''4 A'''4"),
        ("through-composed", 17, "A4 B4 C4 D5"),
        (FREE, 7, "A7"),
    ],
)
def test_the_forms_are_what_their_names_say(form, bars, expected):
    assert labels(form, bars) == expected


def test_an_introduction_leaves_room_for_the_form():
    assert labels("AABA", 20, intro=True) == "intro4 A4 A4 B4 A4"
    assert labels("AABA", 9, intro=True) == "intro1 A2 A2 B2 A2"
    assert labels(FREE, 3, intro=True) == "intro1 A2"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("bars", [1, 2])
def test_an_introduction_needs_room(form, bars):
    with pytest.raises(RequestError, match=r"^intro: "):
        plan_form(form, bars, intro=True)


def test_what_is_not_there_is_refused():
    with pytest.raises(RequestError, match=r"^form: "):
        plan_form("sonata", 8)
    with pytest.raises(RequestError, match=r"^ending: "):
        plan_form(FREE, 8, ending="bang")
    assert len(ENDINGS) == 3


def test_a_chorus_is_louder_than_its_verse():
    sections = {s.label: s for s in plan_form("verse-chorus", 24)}
    assert sections["chorus"].lift["energy"] > sections["verse"].lift["energy"]
    assert sections["bridge"].lift != sections["chorus"].lift

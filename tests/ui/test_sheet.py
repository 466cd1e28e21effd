"""Engraved pages: nothing but drawing, ids of their own, and times that follow the music."""

from __future__ import annotations

import re
import threading
from xml.etree import ElementTree

import pytest

from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import Chord, Note, Score
from musicgen_ui.ui.sheet import engrave
from musicgen_ui.ui.sheet_svg import clean_svg

LEAD = tuple(Note(float(beat), 60 + beat % 12, 1.0, 90) for beat in range(32))
DRUMS = tuple(Note(float(beat), 36, 0.25, 90) for beat in range(0, 32, 2))
SCORE = Score(120.0, "4/4", 8, {"lead": LEAD, "drums": DRUMS}, (Chord(0.0, 4.0, 6, "min7"),), "F# major")
TITLE = "</text><script>alert(1)</script><img src=x onerror=alert(1)> 烟雾"


@pytest.fixture(scope="module")
def sheet():
    return engrave(SCORE, TITLE, 700, prefix="a-")


def elements(pages):
    return [element for page in pages for element in ElementTree.fromstring(page).iter()]


def test_pages_are_nothing_but_drawing(sheet):
    found = elements(sheet.pages)
    names = {element.tag.rpartition("}")[2] for element in found}
    assert names <= {"svg", "g", "defs", "use", "path", "polygon", "polyline", "ellipse", "rect", "text", "tspan"}
    for element in found:
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            assert "url(" not in value
            assert name != "href" or value.startswith("#a-")
    assert "<script" not in "".join(sheet.pages)
    assert TITLE in "".join(element.text or "" for element in found)


def test_the_page_s_own_colour_is_used(sheet):
    assert all('fill="currentColor"' in page for page in sheet.pages)
    assert not re.search(r'(fill|stroke|color)="(?!currentColor)', "".join(sheet.pages))


def test_ids_are_prefixed_unique_and_found(sheet):
    ids = [element.get("id") for element in elements(sheet.pages) if element.get("id")]
    assert len(ids) == len(set(ids))
    assert all(name.startswith("a-") for name in ids)
    links = {element.get("href")[1:] for element in elements(sheet.pages) if element.get("href")}
    named = {name for moment in sheet.timemap for name in (*moment["on"], *moment["off"])}
    assert links | named <= set(ids)


def test_signs_in_text_need_no_font_of_verovio_s(sheet):
    text = "".join(element.text or "" for element in elements(sheet.pages))
    assert "♩" in text
    assert "♯" in text
    assert not re.search(r"[\ue000-\uf8ff]", text)
    assert "font-face" not in "".join(sheet.pages)


def test_times_follow_the_music_and_the_tape(sheet):
    starts = [moment for moment in sheet.timemap if moment["on"]]
    assert [moment["at"] for moment in starts] == [beat / 2 for beat in range(32)]
    assert [moment["bar"] for moment in starts] == [1 + beat // 4 for beat in range(32)]
    assert sum(len(moment["on"]) for moment in sheet.timemap) == len(LEAD) + len(DRUMS)
    for moment in starts:
        page = sheet.pages[moment["page"]]
        assert all(f'id="{name}"' in page for name in moment["on"])
    faster = engrave(SCORE, "x", 700, speed=2.0).timemap
    assert faster[4]["at"] == sheet.timemap[4]["at"] / 2


def test_swung_notes_are_timed_as_they_sound():
    lead = tuple(Note(beat + late, 60, 0.3, 90) for beat in range(8) for late in (0.0, 2 / 3))
    times = [m["at"] for m in engrave(Score(60.0, "4/4", 2, {"lead": lead}), "x", 700).timemap if m["on"]]
    assert times == pytest.approx([beat + late for beat in range(8) for late in (0.0, 2 / 3)], abs=1e-3)


def test_a_narrow_page_has_more_of_them_and_equal_input_gives_equal_pages(sheet):
    assert engrave(SCORE, TITLE, 700, prefix="a-").pages == sheet.pages
    heights = [
        sum(float(ElementTree.fromstring(page).get("viewBox").split()[3]) for page in engrave(SCORE, "x", width).pages)
        for width in (1200, 300)
    ]
    assert heights[0] < heights[1]


def test_threads_engrave_side_by_side(sheet):
    made = []
    threads = [threading.Thread(target=lambda: made.append(engrave(SCORE, TITLE, 700, prefix="a-"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [sheet] * 3


@pytest.mark.parametrize(("width", "how"), [(10, {}), (10**6, {}), (700, {"zoom": 9}), (700, {"parts": ["bass"]})])
def test_bad_requests_are_one_sentence(width, how):
    with pytest.raises(RequestError):
        engrave(SCORE, "x", width, **how)


def test_what_is_no_drawing_goes():
    page = (
        '<svg xmlns="http://www.w3.org/2000/svg" onload="x()" viewBox="0 0 9 9"><script>x()</script><style>*{}</style>'
        '<g id="n" class="note evil" style="x" onclick="x()"><a href="javascript:x()"><path d="M0 0"/></a>'
        '<use href="https://example.org/#a"/><path d="M1 1"/></g><foreignObject/></svg>'
    )
    cleaned = clean_svg(page, {"n": "b-n0"}, "b-", "Smoky")
    root = ElementTree.fromstring(cleaned)
    assert [element.tag.rpartition("}")[2] for element in root.iter()] == ["svg", "g", "use", "path"]
    assert root.get("aria-label") == "Smoky"
    assert root[0].attrib == {"class": "note", "id": "b-n0"}
    assert root[0][0].attrib == {}

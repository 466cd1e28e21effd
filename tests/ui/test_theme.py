"""Contrast of the colour roles by the formula of WCAG 2, and that the look names no other machine."""

from __future__ import annotations

import re

import pytest

from musicgen_ui.ui.theme import DARK, LIGHT, PARTS_DARK, PARTS_LIGHT, STATIC, mount_options


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("table", [LIGHT, DARK], ids=["light", "dark"])
def test_text_is_readable(table) -> None:
    for ground in ("page", "panel", "well"):
        for text in ("ink", "soft"):
            assert contrast(table[text], table[ground]) >= 4.5, (text, ground)
    for hover in ("accent", "accent-hover"):
        assert contrast(table["on-accent"], table[hover]) >= 4.5
    assert contrast(table["panel"], table["ink"]) >= 4.5


@pytest.mark.parametrize("table", [LIGHT, DARK], ids=["light", "dark"])
def test_edges_and_marks_stand_out(table) -> None:
    for mark in ("edge", "accent"):
        for ground in ("page", "panel", "well"):
            assert contrast(table[mark], table[ground]) >= 3.0, (mark, ground)


@pytest.mark.parametrize(("parts", "table"), [(PARTS_LIGHT, LIGHT), (PARTS_DARK, DARK)], ids=["light", "dark"])
def test_parts_are_readable_as_text(parts, table) -> None:
    for part, colour in parts.items():
        assert contrast(colour, table["panel"]) >= 4.5, part
        assert contrast(colour, table["well"]) >= 3.0, part


def test_no_file_of_the_page_names_another_machine() -> None:
    for path in STATIC.iterdir():
        text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        addresses = re.findall(r"(?:https?:)?//[a-z][\w.-]+\.[a-z]{2,}", text)
        assert not addresses, (path.name, addresses)


def test_the_page_keeps_everything_on_this_machine() -> None:
    options = mount_options()
    for switched_off in ("run_history", "ssr_mode", "show_error", "pwa", "enable_monitoring"):
        assert options[switched_off] is False

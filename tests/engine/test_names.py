"""Names of files: they say what is inside, in every script, and no file system or header stumbles over them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicgen_ui.engine.names import MAX_TITLE_BYTES, clip_name, content_disposition, title_slug


def test_a_name_says_what_is_inside():
    assert clip_name("Smoky jazz club", 124.0, "F minor", 274688) == "smoky-jazz-club_124bpm_Fminor_seed274688"
    assert clip_name("Smoky jazz club", 96.4, None, 7) == "smoky-jazz-club_96bpm_seed7"
    assert clip_name("a", 96, "F# major", 0) == "a_96bpm_Fsharpmajor_seed0"


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("烟雾弥漫的爵士俱乐部", "烟雾弥漫的爵士俱乐部"),
        ("  Ça va?  Été / Ωμέγα ", "ça-va-été-ωμέγα"),
        ("C\u0327a", "ça"),
        ("../../etc/passwd", "etc-passwd"),
        ('a\\b:c*d?e"f<g>h|i\0j\nk', "a-b-c-d-e-f-g-h-i-j-k"),
        ("🎷🎷", "clip"),
        ("", "clip"),
    ],
)
def test_titles_of_every_script(title, slug):
    assert title_slug(title) == slug


@given(st.text(max_size=200))
def test_a_slug_is_short_and_safe(title):
    slug = title_slug(title)
    assert 0 < len(slug.encode()) <= MAX_TITLE_BYTES
    assert not set(slug) & set('/\\:*?"<>|. \n\t\0')
    assert not slug.startswith("-")
    assert title_slug(slug) == slug


def test_the_header_holds_both_spellings():
    assert content_disposition("a_7.wav") == 'attachment; filename="a_7.wav"'
    header = content_disposition("烟雾_124bpm.wav")
    assert header == "attachment; filename=\"124bpm.wav\"; filename*=UTF-8''%E7%83%9F%E9%9B%BE_124bpm.wav"


@given(st.text(max_size=100))
def test_no_name_breaks_out_of_the_header(name):
    header = content_disposition(name)
    assert header.isascii()
    assert header.isprintable()
    plain = header.split('filename="', 1)[1].split('"', 1)[0]
    assert plain
    assert not set(plain) & set("\\/")

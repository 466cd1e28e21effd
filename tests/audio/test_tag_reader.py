"""Texts are found in files of ours, in files that other programs have saved anew, and in no time in damaged ones."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, ID3
from mutagen.oggvorbis import OggVorbis

from musicgen_ui.audio.encode import encode
from musicgen_ui.audio.tag_reader import MAX_TEXT, texts
from musicgen_ui.audio.tags import FIELD

RECIPE = '{"style":{},"name":"烟雾 é"}'
FORMATS = ("wav16", "wav24", "flac", "mp3", "ogg")


def make(format, recipe=RECIPE):
    rng = np.random.default_rng(7)
    return encode(rng.uniform(-0.3, 0.3, (2, 3000)).astype(np.float32), 44_100, format, {"recipe": recipe})


@pytest.fixture(scope="module")
def files():
    return {format: make(format) for format in FORMATS}


def found(data):
    return list(texts(io.BytesIO(data)))


@pytest.mark.parametrize("format", FORMATS)
def test_our_own_files_say_it(files, format):
    assert found(files[format])[0] == RECIPE


@pytest.mark.parametrize("format", FORMATS)
def test_a_long_text_is_whole_up_to_the_limit(format):
    text = '{"a":"' + "x" * 60_000 + '"}'
    assert found(make(format, text))[0] == text
    assert all(len(t) <= MAX_TEXT for t in found(make(format, "y" * 3 * MAX_TEXT)))


@pytest.mark.parametrize("version", [3, 4])
def test_an_mp3_that_another_program_saved_with_a_picture_still_says_it(files, version):
    file = io.BytesIO(files["mp3"])
    id3 = ID3(file)
    id3.add(APIC(encoding=0, mime="image/png", type=3, desc="cover", data=bytes(200_000)))
    for frame in (id3[f"TXXX:{FIELD}"], id3["COMM::eng"]):
        frame.encoding = 1
    file.seek(0)
    id3.save(file, v2_version=version)
    assert found(file.getvalue())[0] == RECIPE


def test_a_field_with_another_text_comes_before_comments(files):
    file = io.BytesIO(files["ogg"])
    sound = OggVorbis(file)
    sound["COMMENT"] = "my favourite"
    file.seek(0)
    sound.save(file)
    assert found(file.getvalue()) == [RECIPE, "my favourite"]


def test_a_flac_file_with_a_picture_in_front_still_says_it(files):
    file = io.BytesIO(files["flac"])
    sound = FLAC(file)
    picture = Picture()
    picture.data = bytes(300_000)
    sound.add_picture(picture)
    file.seek(0)
    sound.save(file)
    assert found(file.getvalue())[0] == RECIPE


def test_a_packed_frame_is_not_unpacked(files):
    # 2.4 frame with the compression flag: what it would unpack to is nobody's business.
    frame = b"TXXX" + struct.pack(">I", 20) + b"\x00\x08" + b"\x03" + FIELD.encode() + b"\0abc"
    tag = b"ID3\x04\x00\x00" + bytes((0, 0, 0, len(frame))) + frame
    assert found(tag + b"\xff\xfb\x90\x00") == []


@pytest.mark.parametrize(
    "data",
    [b"", b"RIFF", b"OggS", b"fLaC", b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f", b"OggS" + b"\xff" * 5000, b"fLaC" * 4000,
     b"RIFF\xff\xff\xff\xffWAVE" + b"LIST\xff\xff\xff\xffINFOICMT\xff\xff\xff\xff", bytes(100_000)],
)  # fmt: skip
def test_hollow_files_say_nothing(data):
    assert "".join(found(data)) == ""


@settings(max_examples=120, deadline=None)
@given(
    format=st.sampled_from(FORMATS),
    edits=st.lists(st.tuples(st.integers(-300, 700), st.binary(min_size=1, max_size=8)), max_size=6),
    cut=st.integers(0, 3000),
)
def test_damage_never_raises(format, edits, cut):
    data = bytearray(_CACHE.setdefault(format, make(format)))
    for at, new in edits:
        data[at : at + len(new)] = new
    for text in found(bytes(data[: len(data) - cut])):
        assert len(text) <= MAX_TEXT


_CACHE: dict[str, bytes] = {}

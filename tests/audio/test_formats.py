"""What a file is, by its bytes."""

import io
import struct

import numpy as np
import pytest
import soundfile

from musicgen_ui.audio.formats import FORMATS, audio_format, chunks, is_common_coding

ACCEPTED = [
    ("WAV", "PCM_16", "WAV"),
    ("WAV", "FLOAT", "WAV"),
    ("WAVEX", "PCM_24", "WAV"),
    ("RF64", "PCM_16", "WAV"),
    ("AIFF", "PCM_16", "AIFF"),
    ("AIFF", "FLOAT", "AIFF"),
    ("AIFF", "ULAW", "AIFF"),
    ("FLAC", "PCM_16", "FLAC"),
    ("OGG", "VORBIS", "OGG"),
    ("OGG", "OPUS", "OGG"),
    ("MP3", "MPEG_LAYER_III", "MP3"),
]
HEAVY = {"SD2"}  # has to be written to a named file: its header is a second one


def encoded(kind: str, subtype: str | None = None, rate: int = 8000) -> bytes:
    buffer = io.BytesIO()
    samples = (0.5 * np.sin(0.3 * np.arange(4000))).astype(np.float32)
    soundfile.write(buffer, samples, rate, format=kind, subtype=subtype)
    return buffer.getvalue()


def tagged(data: bytes, size: int = 300, times: int = 1) -> bytes:
    tag = b"ID3\x04\0\0" + bytes([0, 0, size >> 7, size & 127]) + bytes(size)
    return tag * times + data


@pytest.mark.parametrize(("kind", "subtype", "expected"), ACCEPTED)
def test_accepted_formats(kind, subtype, expected):
    data = encoded(kind, subtype)
    assert audio_format(data) == expected
    assert expected in FORMATS
    assert is_common_coding(data, expected)


def test_no_other_format_of_the_decoder_passes():
    """All that libsndfile can write; a format that it learns later is refused as well."""
    passing = {kind for kind, _, _ in ACCEPTED}
    others = set(soundfile.available_formats()) - passing - HEAVY
    assert len(others) >= 15
    seen = 0
    for kind in sorted(others):
        if soundfile.default_subtype(kind) is None and kind != "RAW":
            continue
        data = encoded(kind, soundfile.default_subtype(kind) or "PCM_16")
        assert audio_format(data) is None, kind
        seen += 1
    assert seen >= 12


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [
        ("WAV", "IMA_ADPCM"),
        ("WAV", "MS_ADPCM"),
        ("WAV", "GSM610"),
        ("WAV", "G721_32"),
        ("AIFF", "IMA_ADPCM"),
        ("AIFF", "GSM610"),
    ],
)
def test_rare_codings(kind, subtype):
    data = encoded(kind, subtype)
    assert audio_format(data) == kind
    assert not is_common_coding(data, kind)


def test_a_second_description_hides_nothing():
    data, rare = encoded("WAV", "PCM_16"), encoded("WAV", "IMA_ADPCM")
    size = 8 + int.from_bytes(rare[16:20], "little")
    assert not is_common_coding(data[:36] + rare[12 : 12 + size] + data[36:], "WAV")


def test_without_a_description():
    assert not is_common_coding(b"RIFF\4\0\0\0WAVE", "WAV")
    assert not is_common_coding(encoded("WAV", "PCM_16")[:30], "WAV")
    assert not is_common_coding(b"FORM\0\0\0\4AIFC", "AIFF")


@pytest.mark.parametrize("times", [1, 2])
def test_tags_before_mp3_and_flac_are_skipped(times):
    assert audio_format(tagged(encoded("MP3"), times=times)) == "MP3"
    assert audio_format(tagged(encoded("FLAC"), times=times)) == "FLAC"


def test_nothing_else_hides_behind_a_tag():
    for kind in ("WAV", "AU", "CAF"):
        assert audio_format(tagged(encoded(kind))) is None
    assert audio_format(tagged(b"\xff\xfb\x90", size=0, times=9)) is None
    assert audio_format(b"ID3\x04") is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"\xff\xfe\x00\x00",
        b"RIFF\0\0\0\0AVI ",
        b"OggS",
        b"OggS" + bytes(60),
        b"OggS" + bytes(22) + b"\1\x1e\x80theora" + bytes(60),
        b"<html><audio src=x.wav>",
    ],
)
def test_none_of_them(data):
    assert audio_format(data) is None


def test_first_frame_of_an_mp3():
    assert audio_format(b"\xff\xfb\x90\x00") == "MP3"


def test_chunks_end_where_one_claims_too_much():
    body = b"aaaa" + struct.pack("<I", 3) + b"xyz\0" + b"bbbb" + struct.pack("<I", 99) + b"short"
    assert list(chunks(body, 0)) == [(b"aaaa", b"xyz")]

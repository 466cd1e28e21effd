"""What each format gives back: the same samples or nearly so, the exact length, the tags, and always the same bytes."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from mutagen.flac import FLAC
from mutagen.id3 import ID3
from mutagen.oggvorbis import OggVorbis

from musicgen_ui.audio.encode import SOUND_FORMATS, encode
from musicgen_ui.audio.formats import audio_format
from musicgen_ui.audio.tags import FIELD
from musicgen_ui.audio.waveform import read_audio, wav_bytes, wav_comment

RATE = 44_100
RECIPE = '{"bars":16,"title":"烟雾"}'
TAGS = {
    "title": "烟雾爵士 Smoky",
    "recipe": RECIPE,
    "date": "2026-11-23",
    "software": "MusicGen UI",
    "tempo": "124",
    "key": "Fm",
}


@pytest.fixture(scope="module")
def samples():
    time = np.arange(RATE + 77) / RATE
    rng = np.random.default_rng(440)
    tone = np.stack([np.sin(2 * np.pi * 330 * time), np.sin(2 * np.pi * 495 * time)])
    return (0.5 * tone + 0.02 * rng.standard_normal(tone.shape)).astype(np.float32)


@pytest.fixture(scope="module")
def files(samples):
    return {format: encode(samples, RATE, format, TAGS) for format in SOUND_FORMATS}


@pytest.mark.parametrize("format", SOUND_FORMATS)
def test_the_same_input_gives_the_same_bytes(samples, files, format):
    assert encode(samples, RATE, format, TAGS) == files[format]


@pytest.mark.parametrize("format", SOUND_FORMATS)
def test_a_file_has_exactly_the_clip_s_length_and_is_what_it_says(samples, files, format):
    decoded, rate = read_audio(files[format])
    assert (rate, decoded.shape) == (RATE, samples.shape)
    assert audio_format(files[format]) == {"wav16": "WAV", "wav24": "WAV"}.get(format, format.upper())


def test_wav16_is_the_clip_s_own_file(samples, files):
    assert files["wav16"] == wav_bytes(samples, RATE, 16, comment=RECIPE)


def test_lossless_files_hold_the_samples_rounded_alike(samples, files):
    flac = soundfile.read(io.BytesIO(files["flac"]), dtype="int32")[0]
    wav = soundfile.read(io.BytesIO(files["wav24"]), dtype="int32")[0]
    np.testing.assert_array_equal(flac, wav)
    np.testing.assert_allclose(flac.T / 2.0**31, samples, atol=2.0**-24)


@pytest.mark.parametrize(("format", "decibels"), [("mp3", 25.0), ("ogg", 20.0)])
def test_lossy_files_are_near_the_samples_and_in_time(samples, files, format, decibels):
    decoded, _ = read_audio(files[format])
    noise = np.sum(np.square(decoded - samples))
    assert 10 * np.log10(np.sum(np.square(samples)) / noise) > decibels
    assert np.abs(decoded).max() < 1.1 * np.abs(samples).max()


def test_full_scale_does_not_wrap_around():
    loud = np.full((2, 4000), 1.0, np.float32)
    loud[1] = -1.0
    for format in ("wav24", "flac"):
        decoded, _ = read_audio(encode(loud, RATE, format, {}))
        np.testing.assert_allclose(decoded, loud, atol=2.0**-23)


def test_another_reader_finds_the_tags(files):
    for sound in (FLAC(io.BytesIO(files["flac"])), OggVorbis(io.BytesIO(files["ogg"]))):
        assert sound[FIELD] == sound["COMMENT"] == [RECIPE]
        assert (sound["TITLE"], sound["BPM"], sound["INITIALKEY"]) == ([TAGS["title"]], ["124"], ["Fm"])
    id3 = ID3(io.BytesIO(files["mp3"]))
    assert id3[f"TXXX:{FIELD}"].text == id3["COMM::eng"].text == [RECIPE]
    assert (id3["TIT2"].text, id3["TBPM"].text, id3["TKEY"].text) == ([TAGS["title"]], ["124"], ["Fm"])
    assert wav_comment(files["wav24"]) == RECIPE
    assert TAGS["title"].encode() in files["wav24"]


@pytest.mark.parametrize("format", SOUND_FORMATS)
def test_a_file_without_tags_is_a_good_file(samples, format):
    assert read_audio(encode(samples[:, :5000], RATE, format, {}))[0].shape == (2, 5000)


def test_bad_input_is_refused(samples):
    with pytest.raises(ValueError, match="'aac' is not one of"):
        encode(samples, RATE, "aac", {})
    with pytest.raises(ValueError, match="finite"):
        encode(np.full((2, 10), np.nan, np.float32), RATE, "flac", {})
    with pytest.raises(ValueError, match="artist: not one of the tags"):
        encode(samples[:, :100], RATE, "flac", {"artist": "nobody"})

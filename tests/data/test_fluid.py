"""FluidSynth plays the same samples every time, and each label does what it says: measured on the sound."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.signal import fftconvolve

from musicgen_ui.audio.soundfont import PlayedNote, embedded_path
from musicgen_ui.data.fluid import BLOCK, FluidRenderer, soundfont_licence, soundfont_path, tilted, whole_blocks
from musicgen_ui.errors import RequestError
from musicgen_ui.models.vae_gan.condition import TimbreLabels, tilt_gain

RATE = 44_100
ORGAN, SQUARE, PIANO = 16, 80, 0
HOLD = 1400 * BLOCK


def play(renderer, program=SQUARE, pitch=69, velocity=100, hold=HOLD, tail=400 * BLOCK, **labels):
    note = PlayedNote(0, hold, pitch, velocity)
    return renderer.render([note], program, hold + tail, labels=TimbreLabels(**labels)).astype(np.float64)


def level(sound, frame=441):
    """Root mean square in frames of 10 ms."""
    whole = len(sound) // frame * frame
    return np.sqrt((sound[:whole].reshape(-1, frame) ** 2).mean(axis=1))


def pitch_curve(sound, frequency):
    """Cents above a frequency, every 2 ms: the turning of the sound's fundamental, heard through a 40 ms window."""
    time = np.arange(len(sound)) / RATE
    window = np.hanning(1764)
    turned = sound * np.exp(-2j * np.pi * frequency * time)
    shifted = fftconvolve(turned, window / window.sum(), mode="valid")[::88]
    hertz = np.diff(np.unwrap(np.angle(shifted))) / (2 * np.pi) * RATE / 88
    return 1200 * np.log2(1 + hertz / frequency)


def tone(rng, count=40):
    """Random notes, many at once."""
    starts, holds = rng.integers(0, 100_000, count), rng.integers(500, 40_000, count)
    pitches, velocities = rng.integers(40, 90, count), rng.integers(20, 127, count)
    columns = (starts.tolist(), (starts + holds).tolist(), pitches.tolist(), velocities.tolist())
    return [PlayedNote(*row) for row in zip(*columns, strict=True)]


def test_the_same_notes_give_the_same_samples_whatever_was_played_before(renderer, rng):
    cases = [(p, tone(rng)) for p in (PIANO, 48, SQUARE, 89)]
    before = [renderer.render(notes, p, 150_000) for p, notes in cases]
    renderer.render(tone(rng), 0, 50_000, drums=True)
    renderer.render(tone(rng), 88, 50_000, labels=TimbreLabels(1.0, 1.0, 1.0, 1.0, 7.0, 1.0, 1.0))
    fresh = FluidRenderer.open(renderer.path)
    for (program, notes), expected in reversed(list(zip(cases, before, strict=True))):
        assert np.abs(expected).max() > 0.05
        assert_array_equal(renderer.render(notes, program, 150_000), expected)
        assert_array_equal(fresh.render(notes, program, 150_000), expected)


def test_silence_follows_a_call(renderer):
    play(renderer, 89, release=1.0)
    assert not renderer.render([], PIANO, 10_000).any()


def test_notes_begin_and_end_between_blocks(renderer):
    at = 50 * BLOCK
    sound = renderer.render([PlayedNote(at + 20, at + 30 * BLOCK, 69, 100)], SQUARE, 20_000)
    assert sound.dtype == np.float32
    assert not sound[:at].any()
    assert np.abs(sound[at : at + 2 * BLOCK]).max() > 0.01
    exact = renderer.render([PlayedNote(at, at + 30 * BLOCK, 69, 100)], SQUARE, 20_000)
    assert_array_equal(sound, exact)
    assert [whole_blocks(n) for n in (31, 32, 95, 96.0)] == [0, 64, 64, 128]


def test_a_key_that_is_struck_again_is_let_go_first(renderer):
    again = 300 * BLOCK
    notes = [PlayedNote(0, 900 * BLOCK, 60, 100), PlayedNote(again, 600 * BLOCK, 60, 60)]
    cut = [PlayedNote(0, again, 60, 100), notes[1]]
    assert_array_equal(renderer.render(notes, ORGAN, 60_000), renderer.render(cut, ORGAN, 60_000))


def test_drums_ring_out_whatever_their_end(renderer):
    short, long = ([PlayedNote(0, end, 49, 100)] for end in (BLOCK, 60_000))
    sound = renderer.render(short, 0, 66_150, drums=True)
    assert_array_equal(sound, renderer.render(long, 0, 66_150, drums=True))
    assert level(sound)[100] > 1e-3


def test_detune_moves_the_pitch_by_30_cents(renderer):
    middle = np.median(pitch_curve(play(renderer), 440.0))
    for detune in (-1.0, 0.5, 1.0):
        moved = np.median(pitch_curve(play(renderer, detune=detune), 440.0)) - middle
        assert moved == pytest.approx(30.0 * detune, abs=1.0)


@pytest.mark.parametrize("rate", [4.0, 5.5, 7.0])
@pytest.mark.parametrize("program", [73, 56])
def test_vibrato_has_the_rate_and_depth_that_it_says(renderer, program, rate):
    hold = 3 * RATE // BLOCK * BLOCK
    full, half = (
        pitch_curve(play(renderer, program, 76, hold=hold, vibrato=depth, vibrato_rate=rate), 659.255)[250:1250]
        - pitch_curve(play(renderer, program, 76, hold=hold), 659.255)[250:1250]
        for depth in (1.0, 0.5)
    )
    spectrum = np.abs(np.fft.rfft((full - full.mean()) * np.hanning(len(full)), 65_536))
    hertz = np.fft.rfftfreq(65_536, 88 / RATE)
    wanted = (hertz > 2) & (hertz < 12)
    assert hertz[np.argmax(spectrum * wanted)] == pytest.approx(rate, abs=0.2)
    # FluidSynth's vibrato is a triangle, which the 40 ms window rounds off.
    depth = (np.percentile(full, 97) - np.percentile(full, 3)) / 2
    assert 26 < depth < 42
    assert (np.percentile(half, 97) - np.percentile(half, 3)) / 2 == pytest.approx(depth / 2, rel=0.2)


def test_attack_slows_the_onset(renderer):
    def rise(attack, program=ORGAN):
        loud = level(play(renderer, program, attack=attack), 64)
        return 64 / RATE * int(np.argmax(loud > 0.7 * loud[:600].max()))

    times = [rise(attack) for attack in (0.0, 0.5, 1.0)]
    assert times[0] < 0.006
    # From 10 ms, times 2 ** (4000 / 1200) at 1; its rise is linear.
    assert times[1] == pytest.approx(0.7 * 0.010 * 2 ** (2000 / 1200), rel=0.4)
    assert times[2] == pytest.approx(0.7 * 0.010 * 2 ** (4000 / 1200), rel=0.25)
    # A pad attacks slowly of itself, so it can do so more quickly.
    assert rise(-1.0, 89) < 0.7 * rise(0.0, 89)


def test_release_is_four_times_longer_or_shorter(renderer):
    def fall(release):
        loud = level(play(renderer, ORGAN, release=release)[HOLD:], 64)
        return int(np.argmax(loud < 0.1 * loud[0])) * 64 / RATE

    short, own, long = (fall(release) for release in (-1.0, 0.0, 1.0))
    assert long / own == pytest.approx(4.0, rel=0.15)
    assert own / short == pytest.approx(4.0, rel=0.5)


@pytest.mark.parametrize("brightness", [-1.0, 0.6])
def test_brightness_tilts_the_partials_and_keeps_their_phases(renderer, brightness):
    frequency, window = 440.0, np.hanning(32_768)
    time = np.arange(32_768) / RATE
    plain, bright = (play(renderer, brightness=b)[8_192 : 8_192 + 32_768] * window for b in (0.0, brightness))
    for partial in (1, 3, 5, 9):
        wave = np.exp(-2j * np.pi * frequency * partial * time)
        ratio = np.sum(bright * wave) / np.sum(plain * wave)
        wanted = tilt_gain(np.array([frequency * partial]), brightness)[0]
        assert 20 * np.log10(abs(ratio)) == pytest.approx(20 * np.log10(wanted), abs=0.3)
        assert abs(np.angle(ratio)) < 0.03


def test_a_tilt_does_not_wrap_around():
    sound = np.zeros(40_000, dtype=np.float32)
    sound[-2_000:] = np.sin(np.arange(2_000))
    assert np.abs(tilted(sound, -1.0)[:20_000]).max() < 1e-4


def test_the_velocity_curve_is_applied_to_what_is_written(renderer):
    labels = TimbreLabels(velocity_curve=0.5)
    written, played = (
        play(renderer, velocity=80, velocity_curve=0.5),
        play(renderer, velocity=labels.played_velocity(80)),
    )
    assert labels.played_velocity(80) < 80
    assert_array_equal(written, played)


def test_a_missing_instrument_is_refused(renderer):
    with pytest.raises(RequestError, match="no drum kit of number 99"):
        renderer.render([], 99, 100, drums=True)


def test_what_is_missing_is_said_in_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "fluidsynth", None)
    with pytest.raises(RequestError, match=r"requirements-train\.txt"):
        FluidRenderer.open(embedded_path())
    monkeypatch.setenv("MUSICGEN_TRAINING_SOUNDFONT", str(tmp_path / "none.sf2"))
    with pytest.raises(RequestError, match="there is no file"):
        soundfont_path()
    monkeypatch.delenv("MUSICGEN_TRAINING_SOUNDFONT")
    monkeypatch.setattr("musicgen_ui.data.fluid.USUAL_PLACES", ())
    with pytest.raises(RequestError, match="musescore-general-soundfont"):
        soundfont_path()


def test_a_damaged_soundfont_is_refused(tmp_path, renderer):
    (tmp_path / "bad.sf2").write_bytes(b"RIFF" + bytes(400))
    with pytest.raises(RequestError, match="damaged"):
        FluidRenderer.open(tmp_path / "bad.sf2")


def test_the_licence_of_a_soundfont_is_read_from_it(tmp_path):
    text = b"Free as in birds\0\0"
    data = b"RIFF" + bytes(4) + b"sfbkLIST" + bytes(4) + b"INFOICMT\x04\0\0\0hi\0\0"
    (tmp_path / "a.sf2").write_bytes(data + b"ICOP" + len(text).to_bytes(4, "little") + text)
    assert soundfont_licence(tmp_path / "a.sf2") == "Free as in birds"
    (tmp_path / "a.sf2").write_bytes(data)
    assert soundfont_licence(tmp_path / "a.sf2") == "hi"

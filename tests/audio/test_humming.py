import numpy as np

from musicgen_ui.audio.humming import hummed_melody
from musicgen_ui.audio.tonality import FRAME_RATE

RATE = 22_050


def test_a_trembling_voice_is_heard_at_its_pitch():
    time = np.arange(3 * RATE) / RATE
    pitch = np.where(time < 1.5, 57.0, 64.0) + 0.35 * np.sin(2 * np.pi * 5.5 * time)
    phase = 2 * np.pi * np.cumsum(440.0 * 2.0 ** ((pitch - 69.0) / 12.0)) / RATE
    voice = sum(np.sin(k * phase) / k for k in range(1, 6)) + 0.02 * np.random.default_rng(0).standard_normal(len(time))
    voice[round(1.4 * RATE) : round(1.6 * RATE)] = 0.0
    heard = hummed_melody(0.2 * voice, RATE)
    first, second = heard[3 : int(1.2 * FRAME_RATE)], heard[int(1.8 * FRAME_RATE) : -4]
    assert (first > 0).mean() > 0.9
    assert (second > 0).mean() > 0.9
    assert abs(np.median(first) - 57.0) < 0.2
    assert abs(np.median(second) - 64.0) < 0.2


def test_noise_holds_no_tune():
    noise = np.random.default_rng(1).standard_normal(2 * RATE)
    assert (hummed_melody(0.1 * noise, RATE) > 0).mean() < 0.3

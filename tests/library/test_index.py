import numpy as np
import pytest

from musicgen_ui.library.index import OVERHANG, CoarseIndex, slower

SCALES = {0.93: 1.0, 1.0: 1.0, 1.07: 1.0, 0.5: 0.8, 2.0: 0.8}


def unit(frames):
    centred = frames - frames.mean(axis=1, keepdims=True)
    return (centred / np.linalg.norm(centred, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    # Neighbouring frames are alike, as in music.
    return {f"c{i}": unit(np.repeat(rng.random((15 + i % 9, 12)) ** 3, 2, axis=0)) for i in range(60)}


@pytest.fixture
def index(clips):
    made = CoarseIndex(10)
    made.extend(clips.items())
    return made


@pytest.mark.parametrize("shift", [0, 5, 11])
def test_a_part_is_found_in_any_key(clips, index, shift):
    found = index.search(np.roll(clips["c7"][6:16], -shift, axis=1), SCALES, 3)[0]
    assert (found.id, found.frame, found.shift, found.scale) == ("c7", 6, shift, 1.0)
    assert found.score == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("scale", [0.93, 1.07, 2.0])
def test_a_part_is_found_at_another_tempo(clips, index, scale):
    fragment = slower(clips["c12"][4:16].T, 1 / scale).T
    found = index.search(fragment, SCALES, 3)[0]
    assert (found.id, found.scale) == ("c12", scale)
    assert abs(found.frame - 4) <= 1


def test_the_best_of_all_places_is_found_by_trying_them_all(clips, index):
    fragment = unit(np.random.default_rng(5).random((10, 12)))

    def correlation(window, shift):
        size = np.sqrt(10 * max(np.square(window).sum(), 5.0))
        return float((np.roll(fragment, shift, axis=1) * window).sum() / size)

    padded = [np.pad(clip, ((0, OVERHANG), (0, 0))) for clip in clips.values()]
    best = max(
        correlation(clip[place : place + 10], shift)
        for clip in padded
        for place in range(len(clip) - 9)
        for shift in range(12)
    )
    assert index.search(fragment, {1.0: 1.0}, 1)[0].score == pytest.approx(best, abs=1e-5)


def test_adding_one_by_one_is_adding_all(clips, index):
    slowly = CoarseIndex(10)
    for clip, frames in clips.items():
        slowly.add(clip, frames)
    fragment = clips["c3"][2:12]
    assert slowly.search(fragment, SCALES, 5) == index.search(fragment, SCALES, 5)


def test_what_is_removed_is_not_found_and_the_rest_is(clips, index):
    index.remove("c7")
    index.remove("never there")
    assert "c7" not in index
    assert "c7" not in [found.id for found in index.search(clips["c7"][6:16], SCALES, 60)]
    assert index.search(clips["c8"][6:16], SCALES, 1)[0].id == "c8"


def test_gaps_are_swept_up(clips):
    index = CoarseIndex(10)
    for turn in range(8):
        index.extend((f"{clip}-{turn}", frames) for clip, frames in clips.items())
        for clip in clips if turn < 7 else ():
            index.remove(f"{clip}-{turn}")
    assert len(index) == len(clips)
    assert index.search(clips["c9"][3:13], SCALES, 1)[0].id == "c9-7"


def test_a_clip_is_replaced_by_one_of_the_same_name(clips, index):
    index.add("c1", clips["c2"])
    assert {found.id for found in index.search(clips["c2"][3:13], SCALES, 2)} == {"c1", "c2"}


def test_nothing_is_found_in_nothing(clips):
    assert CoarseIndex(10).search(clips["c1"], SCALES, 5) == []


def test_a_window_of_a_longer_fragment_is_told(clips, index):
    strange = unit(np.random.default_rng(9).random((20, 12)))
    fragment = np.concatenate([strange, clips["c20"][5:15]])
    found = index.search(fragment, {1.0: 1.0}, 1, windows=30)[0]
    assert (found.id, found.frame + found.window) == ("c20", 5 + found.window - 20)

"""Passages fit their instrument, and presets are split and varied as promised."""

from __future__ import annotations

import numpy as np
import pytest

from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.data.fluid import BLOCK
from musicgen_ui.data.pieces import PieceStore
from musicgen_ui.data.render_passages import PassageChooser, into_range, without_restrikes
from musicgen_ui.data.render_presets import UNSEEN_PROGRAMS, timbres
from musicgen_ui.models.vae_gan.condition import TimbreLabels
from musicgen_ui.music.arrange import RANGES
from musicgen_ui.music.instruments import CHOICES, KITS, program_number

LENGTH = 5000 * BLOCK


@pytest.fixture(scope="module")
def chooser(pieces):
    return PassageChooser(PieceStore(pieces))


@pytest.mark.parametrize("part", ["lead", "bass", "drums"])
def test_a_passage_is_whole_blocks_in_range_without_restrikes(chooser, part):
    for seed in range(5):
        passage = chooser.choose(np.random.default_rng(seed), "test", [part], (36, 50), LENGTH)
        assert passage.split == 2
        assert len(passage.notes) >= 8
        ends = {}
        for note in passage.notes:
            assert note.start % BLOCK == 0
            assert note.end % BLOCK == 0
            assert 0 <= note.start < note.end <= LENGTH
            assert 36 <= note.pitch <= 50
            assert ends.get(note.pitch, 0) <= note.start
            ends[note.pitch] = note.end


def test_equal_draws_give_equal_passages(chooser):
    first, again, other = (
        chooser.choose(np.random.default_rng(seed), "train", ["chords"], (40, 80), LENGTH) for seed in (1, 1, 2)
    )
    assert first == again != other


def test_a_store_without_the_part_gives_none(chooser):
    assert chooser.choose(np.random.default_rng(0), "train", ["lead"], (36, 60), 10**8) is None


def test_notes_move_together_by_octaves():
    notes = [PlayedNote(0, 64, pitch, 80) for pitch in (72, 76, 79, 96)]
    assert [n.pitch for n in into_range(notes, (40, 64))] == [48, 52, 55, 60]
    assert into_range([], (40, 64)) == []


def test_a_restrike_ends_a_note_and_the_longer_of_two_stays():
    notes = [PlayedNote(0, 640, 60, 80), PlayedNote(128, 256, 60, 90), PlayedNote(128, 512, 60, 70)]
    assert without_restrikes(notes) == [PlayedNote(0, 128, 60, 80), PlayedNote(128, 512, 60, 70)]


def test_all_that_the_studio_offers_is_learned_in_its_range():
    learned = {(t.program, t.drums): t for t in timbres(0, 0, range(128), range(128)) if t.split == "train"}
    for part in ("lead", "chords", "bass"):
        for name in CHOICES[part]:
            low, high = learned[program_number(part, name), False].pitches
            assert low <= RANGES[part][0]
            assert high >= RANGES[part][1]
    assert all((kit, True) in learned for kit in KITS.values())


def test_unseen_presets_are_never_learned_and_neutral_comes_first():
    found = timbres(0, 3, range(128), range(128))
    assert len({t.id for t in found}) == len(found)
    unseen = {t.program for t in found if t.split == "unseen" and not t.drums}
    assert unseen
    assert unseen <= set(UNSEEN_PROGRAMS)
    assert not unseen & {t.program for t in found if t.split == "train" and not t.drums}
    assert len({t.family for t in found if t.split == "unseen"}) >= 11
    assert [t.variant for t in found] == sorted(t.variant for t in found)
    assert all((t.labels == TimbreLabels()) == (t.variant == 0) or t.variant for t in found)
    assert timbres(0, 1, {0, 13}, {8})[2].id == "p013v0"


def test_labels_are_neutral_half_of_the_time_and_depend_on_the_seed():
    varied = [t for t in timbres(0, 5, range(128), range(128)) if t.variant]
    for name in ("brightness", "attack", "detune", "velocity_curve"):
        neutral = np.mean([getattr(t.labels, name) == 0.0 for t in varied])
        assert 0.42 < neutral < 0.58
    assert all(t.labels.vibrato or t.labels.vibrato_rate == 5.5 for t in varied)
    assert all(t.labels.vibrato == t.labels.release == 0.0 for t in varied if t.drums)
    assert varied[0] == next(t for t in timbres(0, 2, range(128), range(128)) if t.variant)
    assert varied[0].labels != next(t for t in timbres(1, 5, range(128), range(128)) if t.variant).labels

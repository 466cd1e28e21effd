"""The condition of a style: what a composer is told of genres."""

import torch

from musicgen_ui.models.condition import condition_of
from musicgen_ui.style import GENRES, Style


def told(genre):
    return condition_of(Style(genre=genre), minor=False).genre


def test_a_genre_is_told_with_emphasis_and_the_weights_still_sum_to_one():
    jazz = told({"jazz": 1})
    assert jazz.argmax() == GENRES.index("jazz")
    assert jazz.max() > 1
    torch.testing.assert_close(jazz.sum(), torch.tensor(1.0))


def test_any_genre_stays_any():
    assert not told({}).any()


def test_a_blend_lies_between_its_genres():
    torch.testing.assert_close(told({"jazz": 0.25, "pop": 0.75}), 0.25 * told({"jazz": 1}) + 0.75 * told({"pop": 1}))

"""Overlap, quartiles and novelty of corpora whose relation is known by construction."""

from __future__ import annotations

import numpy as np
import pytest

from musicgen_ui.music.score import Note, Score
from musicgen_ui.music.table import COLUMN, FIELDS
from musicgen_ui.training.composer_metrics import (
    distance_overlap,
    intervals,
    novelty_rows,
    overlap_area,
    overlap_rows,
    pitch_classes,
    statistic_rows,
)
from musicgen_ui.training.held_out import Corpus


def scores_of(rng, pitches, count=12, bars=4) -> tuple[Score, ...]:
    """Melodies of a random choice of pitches, one a beat."""
    return tuple(
        Score(
            120.0,
            "4/4",
            bars,
            {"lead": tuple(Note(float(b), int(p), 1.0, 90) for b, p in enumerate(rng.choice(pitches, bars * 4)))},
            key="C major",
        )
        for _ in range(count)
    )


def corpus_of(scores) -> Corpus:
    return Corpus((), tuple(scores), tuple(f"song {i}" for i in range(len(scores))))


def test_histograms_by_hand():
    lead = tuple(Note(float(b), p, 1.0, 90) for b, p in enumerate((60, 64, 64, 24)))
    score = Score(120.0, "4/4", 1, {"lead": lead, "drums": (Note(0.0, 37, 1.0, 90),)})
    assert pitch_classes(score).tolist() == [2, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]
    counts = intervals(score, "lead")
    assert counts[24 + 4] == counts[24] == counts[0] == 1, "up a third, a repeat, and a fall of more than two octaves"
    assert counts.sum() == 3
    assert intervals(score, "bass").sum() == 0


def test_a_corpus_overlaps_wholly_with_itself_and_not_with_its_opposite(rng):
    white, black = scores_of(rng, (60, 62, 64, 65)), scores_of(rng, (61, 63, 66, 68))
    rows = overlap_rows({"same": corpus_of(white), "other": corpus_of(black)}, corpus_of(white))
    assert rows["same"]["pitch classes"]["histogram"] == pytest.approx(1.0)
    assert rows["other"]["pitch classes"]["histogram"] == 0.0
    assert rows["same"]["pitch classes"]["distances"] > 0.8
    assert rows["other"]["pitch classes"]["distances"] < 0.2
    assert "intervals, bass" not in rows["same"], "nobody plays the bass"


def test_more_of_the_same_kind_overlaps_more_than_another_kind(rng):
    kinds = {name: scores_of(rng, pitches) for name, pitches in (("near", (60, 62, 64)), ("far", (60, 61, 72)))}
    rows = overlap_rows({n: corpus_of(s) for n, s in kinds.items()}, corpus_of(scores_of(rng, (60, 62, 64))))
    for feature in ("pitch classes", "intervals, lead"):
        for kind in ("histogram", "distances"):
            assert rows["near"][feature][kind] > rows["far"][feature][kind]


def test_clips_that_are_all_alike_are_seen_by_their_distances(rng):
    """Their mean histogram is right, and yet no song is like another as they are."""
    theirs = rng.dirichlet(np.full(12, 0.5), 60)
    alike = np.tile(theirs.mean(axis=0), (60, 1))
    songs = np.arange(60).astype(str)
    assert overlap_area(alike.mean(axis=0), theirs.mean(axis=0)) == pytest.approx(1.0)
    varied = distance_overlap(rng.dirichlet(np.full(12, 0.5), 60), theirs, songs)
    assert distance_overlap(alike, theirs, songs) < 0.5 < varied


def test_sections_of_one_song_are_no_pair():
    theirs = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    # Among different songs all distances are the square root of 2; ours lie at that distance from a third of them.
    songs = np.array(["a", "a", "b"])
    assert distance_overlap(np.array([[1.0, 0.0]]), theirs, songs) == pytest.approx(1 / 3)
    assert np.isnan(distance_overlap(theirs, theirs, np.array(["a", "a", "a"])))


def test_the_median_of_real_songs_is_inside_their_quartiles(rng):
    real = corpus_of(scores_of(rng, (60, 62, 64, 66), count=40))
    wrong = corpus_of(scores_of(rng, (61, 63), count=8))
    rows = {r["statistic"]: r for r in statistic_rows({"same": real, "wrong": wrong}, real)}
    row = rows["in-key rate"]
    assert row["p25"] <= row["p50"] <= row["p75"]
    assert row["corpora"]["same"]["inside"]
    assert row["corpora"]["same"]["median"] == row["p50"]
    assert row["corpora"]["same"]["share inside"] >= 0.5
    assert row["corpora"]["wrong"] == {"median": 0.0, "mean": 0.0, "inside": False, "share inside": 0.0}
    assert "chord-tone rate on strong beats" not in rows, "no song has chords"


def melody(rng) -> np.ndarray:
    table = np.zeros((64, len(FIELDS)), dtype=np.int16)
    table[::2, COLUMN["lead_pitch"]] = rng.integers(10, 25, 32)
    return table


def tables_of(tables, songs=None) -> Corpus:
    return Corpus(tuple(tables), (), tuple(songs or (str(i) for i in range(len(tables)))))


def test_copies_are_counted_clip_by_clip_beside_the_human_band(rng):
    training = [melody(rng) for _ in range(10)]
    human = [melody(rng) for _ in range(38)] + [training[0], training[1]]
    clips = {"new": [melody(rng) for _ in range(10)], "copied": [*training[:5], *(melody(rng) for _ in range(5))]}
    rows = novelty_rows({n: tables_of(t) for n, t in clips.items()}, {"songs": tables_of(human)}, training)
    lead = next(row for row in rows if row["part"] == "lead")
    songs, new, copied = lead["humans"]["songs"], lead["corpora"]["new"], lead["corpora"]["copied"]
    assert songs["clips with a copy"] == pytest.approx(2 / 40)
    assert songs["phrases copied"] == pytest.approx(2 / 40)
    assert songs["low"] <= 2 / 40 <= songs["high"] < 0.2
    assert (new["clips with a copy"], new["inside"]) == (0.0, True)
    assert (copied["clips with a copy"], copied["inside"]) == (0.5, False)
    assert copied["phrases"] == 10 * 17


def test_songs_without_the_part_do_not_dilute_its_share(rng):
    training = [melody(rng)]
    silent = np.zeros_like(training[0])
    [lead, *_] = novelty_rows({}, {"songs": tables_of([training[0], silent, silent])}, training)
    assert lead["humans"]["songs"]["clips"] == 1
    assert lead["humans"]["songs"]["clips with a copy"] == 1.0


def test_the_band_counts_songs_and_not_their_sections(rng):
    """Ten sections of one song that copies are one witness: the band is as wide as that of few songs."""
    training = [melody(rng)]
    tables = [training[0]] * 10 + [melody(rng) for _ in range(10)]
    apart = novelty_rows({}, {"songs": tables_of(tables)}, training)[0]["humans"]["songs"]
    one_song = novelty_rows({}, {"songs": tables_of(tables, ["a"] * 10 + list("bcdefghijk"))}, training)[0]["humans"]
    assert one_song["songs"]["high"] - one_song["songs"]["low"] > apart["high"] - apart["low"]

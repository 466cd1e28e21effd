from __future__ import annotations

import json

import numpy as np
import pytest

from musicgen_ui.audio.waveform import wav_bytes
from musicgen_ui.library import novelty
from musicgen_ui.library.novelty_pieces import TrainingPiece
from musicgen_ui.library.people import key_of
from musicgen_ui.music.score import Note, Score
from musicgen_ui.music.score_json import score_to_dict
from musicgen_ui.music.sketch import sketch
from musicgen_ui.server.matching import hearing
from musicgen_ui.server.services import Services

ANN = key_of("a" * 32)
RATE = 22_050


def melody(seed: int) -> Score:
    rng = np.random.default_rng(seed)
    notes = tuple(Note(0.5 * i, int(p), 0.5, 90) for i, p in enumerate(rng.integers(57, 76, 32)))
    return Score(120.0, "4/4", 4, {"lead": notes}, (), "A minor")


def sound(score: Score, semitones: int = 0) -> np.ndarray:
    time = np.arange(RATE // 4) / RATE
    hertz = [440.0 * 2.0 ** ((note.pitch + semitones - 69) / 12) for note in score.notes("lead")]
    notes = [sum(np.sin(2 * np.pi * f * k * time) / k for k in range(1, 5)) * np.exp(-4 * time) for f in hertz]
    return (0.2 * np.concatenate(notes)).astype(np.float32)[None, :]


@pytest.fixture
def ears(services: Services):
    made = hearing(services)
    yield made
    made.close()


@pytest.fixture
def clips(services, ears, make):
    """Three clips of Ann's that were heard when they were made."""
    made = [make(1 + 2 * seed) for seed in range(3)]
    for seed, clip in enumerate(made):
        ears.index_clip(ANN, clip.id, sound(melody(seed)), RATE, melody(seed)).result()
    return made


def test_a_sound_in_another_key_is_found(ann, clips):
    wav = wav_bytes(sound(melody(1), 2), RATE)
    told = ann.post("/studio/similar/sound?hummed=false", content=wav).json()
    best = told["matches"][0]
    assert best["clip"]["id"] == clips[1].id
    assert best["semitones"] == -2
    assert best["score"] > 0.6
    assert {"begin", "end", "why", "likeness", "tempo"} <= set(best)
    assert told["unheard"] == 0


def test_a_hummed_sound_is_found_whether_it_is_said_or_not(ann, clips):
    wav = wav_bytes(sound(melody(2), -12), RATE)
    for query in ("?hummed=true", ""):
        told = ann.post(f"/studio/similar/sound{query}", content=wav).json()
        assert told["matches"][0]["clip"]["id"] == clips[2].id


def test_a_clip_is_not_like_itself(ann, services, ears, make, clips):
    twin = make(9)
    ears.index_clip(ANN, twin.id, sound(melody(1)), RATE, melody(1)).result()
    told = ann.post("/studio/similar/clip", json={"clip": twin.id, "begin": 0.5, "end": 6.0}).json()
    assert told["matches"][0]["clip"]["id"] == clips[1].id
    assert told["matches"][0]["begin"] == pytest.approx(0.5, abs=0.3)
    assert twin.id not in [match["clip"]["id"] for match in told["matches"]]


def test_clips_that_lie_on_the_shelf_are_heard_when_somebody_searches(ann, services, ears, make):
    clip, gone = make(0), make(1)
    told = ann.post("/studio/similar/sound?hummed=false", content=wav_bytes(sound(melody(1)), RATE)).json()
    assert told["unheard"] == 1
    assert ears.matcher.missing(ANN) == [gone.id]
    assert ears.matcher.template(clip.id) is not None


def test_nobody_finds_or_asks_with_others_clips(ben, nobody, ears, clips):
    wav = wav_bytes(sound(melody(1)), RATE)
    assert ben.post("/studio/similar/sound?hummed=false", content=wav).json()["matches"] == []
    assert ben.post("/studio/similar/clip", json={"clip": clips[0].id}).status_code == 404
    assert ben.post("/studio/similar/novelty", json={"clip": clips[0].id}).status_code == 404
    assert nobody.post("/studio/similar/sound", content=wav).status_code == 401


@pytest.mark.parametrize("body", [b"", b"no sound at all", wav_bytes(np.zeros((1, 44_100)), RATE)])
def test_what_is_no_sound_is_refused_in_a_sentence(ann, ears, clips, body):
    answer = ann.post("/studio/similar/sound", content=body)
    assert answer.status_code == 400
    assert answer.json()["argument"] == "recording"


def test_too_long_a_body_is_refused(ann, ears):
    assert ann.post("/studio/similar/sound", content=bytes(16 * 2**20)).status_code == 413


def test_the_nearest_training_pieces_are_told(ann, services, ears, make, monkeypatch):
    pieces = [TrainingPiece(f"song {i}", "pop909_mit", "MIT", i, sketch(melody(i))) for i in range(6)]
    index = novelty.TrainingIndex(pieces)
    monkeypatch.setattr(novelty, "shipped_index", lambda: index)
    clip = make(0)
    path = services.shelf.folder(clip.id) / "score.json"
    path.write_text(json.dumps(score_to_dict(melody(4).transposed(3))))
    told = ann.post("/studio/similar/novelty", json={"clip": clip.id}).json()
    assert told["nearest"][0]["name"] == "song 4"
    assert told["nearest"][0]["licence"] == "MIT"
    assert told["nearest"][0]["score"] > 0.9
    assert told["verdict"] == novelty.VERDICTS[0][2]

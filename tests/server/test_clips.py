"""Files of a clip: in ranges, in any format, made again where they are gone."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

import numpy as np
import pytest
import soundfile

from musicgen_ui.library.clip import new_id
from musicgen_ui.library.rebuilding import Busy
from musicgen_ui.server.gate import Gate
from musicgen_ui.server.takeaway import KINDS


def test_a_clips_files_need_no_person(nobody, make):
    clip = make()
    sound = nobody.get(f"/studio/clips/{clip.id}/clip.wav")
    assert sound.status_code == 200
    assert hashlib.sha256(sound.content).hexdigest() == clip.hash
    assert sound.headers["content-type"] == "audio/wav"
    assert sound.headers["x-content-type-options"] == "nosniff"
    assert nobody.get(f"/studio/clips/{clip.id}/clip.mid").content[:4] == b"MThd"
    assert nobody.get(f"/studio/clips/{clip.id}/clip.json").json()["recipe"] == dict(clip.recipe)
    assert nobody.get(f"/studio/clips/{clip.id}/score.json").json()["tempo"] == 120


def test_ranges_are_answered(nobody, make):
    address = f"/studio/clips/{make().id}/clip.wav"
    whole = nobody.get(address).content
    part = nobody.get(address, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(whole)}"
    assert nobody.get(address, headers={"Range": "bytes=-10"}).content == whole[-10:]
    assert nobody.get(address, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416
    tag = nobody.get(address).headers["etag"]
    assert tag


def test_what_is_gone_is_made_again(nobody, ann, services, studio, make):
    clip = make(4)
    services.shelf.remove([clip.id])
    sound = nobody.get(f"/studio/clips/{clip.id}/clip.wav")
    assert hashlib.sha256(sound.content).hexdigest() == clip.hash
    nobody.get(f"/studio/clips/{clip.id}/clip.mid")
    assert studio.made == [4]
    assert ann.get(f"/studio/library/clips/{clip.id}").json()["rebuilt_differs"] is False


def test_what_cannot_be_made_again_is_told(nobody, make):
    answer = nobody.get(f"/studio/clips/{make(1).id}/clip.wav")
    assert answer.status_code == 400
    assert answer.json() == {"error": "synth: is not loaded", "argument": "synth"}


PATHS = (
    f"{'A' * 22}/clip.wav",
    "../../etc/passwd",
    "%2e%2e/%2e%2e/library.db",
    "..%2flibrary.db/clip.wav",
    f"{'A' * 22}/clip.exe",
    f"{'A' * 22}/stems/horn.wav",
    f"{'A' * 22}/stems/..%2f..%2fclip.wav",
    f"{'A' * 22}/download/exe",
    f"{'A' * 22}/download/mp3",
    f"{'A' * 23}/clip.wav",
)


def test_no_way_to_other_files(nobody, make):
    make()
    assert {path: nobody.get(f"/studio/clips/{path}").status_code for path in PATHS} == dict.fromkeys(PATHS, 404)


def test_stems_add_up(nobody, make):
    clip = make()
    whole = soundfile.read(io.BytesIO(nobody.get(f"/studio/clips/{clip.id}/clip.wav").content))[0]
    stems = [nobody.get(f"/studio/clips/{clip.id}/stems/{part}.wav") for part in ("lead", "bass")]
    added = sum(soundfile.read(io.BytesIO(stem.content))[0] for stem in stems)
    assert np.abs(added - whole).max() < 2 / 2**15
    silent = nobody.get(f"/studio/clips/{clip.id}/stems/drums.wav")
    assert (silent.status_code, silent.json()["argument"]) == (404, "part")


HEADS = {
    "wav16": b"RIFF", "wav24": b"RIFF", "flac": b"fLaC", "mp3": b"ID3", "ogg": b"OggS", "midi": b"MThd",
    "musicxml": b"<?xml", "stems": b"PK", "json": b"{",
}  # fmt: skip


def test_every_format_can_be_taken_away(nobody, ann, make):
    clip = make(title="Smoky jazz: 夜")
    ann.post(f"/studio/library/clips/{clip.id}/title", json={"title": "Smoky blues: 夜"})
    assert HEADS.keys() == set(KINDS)
    for kind, head in HEADS.items():
        answer = nobody.get(f"/studio/clips/{clip.id}/download/{kind}")
        assert answer.status_code == 200, kind
        assert answer.content.startswith(head), kind
        name = unquote(answer.headers["content-disposition"].split("UTF-8''")[1])
        assert name.startswith("smoky-blues-夜_120bpm_Aminor_seed0"), kind
        assert answer.headers["x-content-type-options"] == "nosniff"
        if kind == "flac":
            assert soundfile.info(io.BytesIO(answer.content)).samplerate == 44_100
            assert "Smoky blues: 夜".encode() in answer.content
        if kind == "stems":
            names = set(zipfile.ZipFile(io.BytesIO(answer.content)).namelist())
            assert {"dry/lead.wav", "mixed/bass.wav"} <= names
        if kind == "json":
            assert json.loads(answer.content)["hash"] == clip.hash


def test_a_clip_of_nobody_can_be_taken_away(nobody, services, studio):
    from musicgen_ui.engine.shelve import shelve
    from musicgen_ui.recipe import Recipe

    name = new_id()
    shelve(studio.generate(Recipe(seed=2)), services.shelf.folder(name), "Nobody's")
    answer = nobody.get(f"/studio/clips/{name}/download/mp3")
    assert answer.status_code == 200
    assert "nobody-s_120bpm" in answer.headers["content-disposition"]


def test_a_crowd_at_the_gate_is_sent_away():
    gate, begun, finish = Gate(waiting=2), threading.Event(), threading.Event()
    inside = []

    def enter():
        with gate.through():
            inside.append(1)
            begun.set()
            finish.wait(10)
            inside.pop()
            return len(inside)

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(enter)
        begun.wait(10)
        rest = [pool.submit(enter) for _ in range(2)]
        while gate._places.acquire(blocking=False):
            gate._places.release()
        with pytest.raises(Busy):
            enter()
        finish.set()
        assert [task.result() for task in (first, *rest)] == [0, 0, 0]
    with gate.through():
        pass

"""The library over HTTP: what a page asks for, and what nobody may have."""

from __future__ import annotations

import io
import zipfile

from musicgen_ui.library.clip import new_id
from musicgen_ui.server import upload
from musicgen_ui.server.answers import MAX_BODY

CLIPS = "/studio/library/clips"


def test_nobody_gets_nothing_without_a_token(app, nobody):
    from fastapi.testclient import TestClient

    for headers in ({}, {"X-Person": "short"}, {"X-Person": "x" * 31 + "!"}, {"X-Person": "é" * 32}):
        browser = TestClient(app, headers={name: value.encode() for name, value in headers.items()})
        for path in ("library/clips", "library/facets", "playlists", f"library/clips/{new_id()}"):
            answer = browser.get(f"/studio/{path}")
            assert answer.status_code == 401
            assert answer.json()["argument"] == "X-Person"


def test_marks_are_there_the_next_time(ann, ben, make):
    clip = make(1)
    marks = {
        "keep": {"kept": True}, "like": {"liked": 1}, "title": {"title": "New"}, "tags": {"tags": ["b", "a"]},
        "played": {"at": 3.5}, "skipped": {"at": 0},
    }  # fmt: skip
    for name, body in marks.items():
        assert ben.post(f"{CLIPS}/{clip.id}/{name}", json=body).status_code == 404
        assert ann.post(f"{CLIPS}/{clip.id}/{name}", json=body).status_code == 200
    found = ann.get(f"{CLIPS}/{clip.id}").json()
    told = {name: found[name] for name in ("kept", "liked", "title", "tags", "plays", "skips")}
    assert told == {"kept": True, "liked": 1, "title": "New", "tags": ["a", "b"], "plays": 1, "skips": 1}
    assert found["code"] == clip.code
    assert ben.get(f"{CLIPS}/{clip.id}").status_code == 404
    assert ann.get("/studio/library/counts").json() == {
        "kept": 1, "history": 0, "liked": 1, "playlists": 0, "events": 4
    }  # fmt: skip


def test_lists_take_every_filter(ann, make):
    clip = make(1, title="Night", tags=("late",), tempo=100.0, genre="jazz", kept=True, liked=1, loop=True)
    make(3, title="Day")
    query = (
        "?text=nig&kept=true&liked=1&genre=jazz&key=A%20minor&tag=late&origin=made&loop=true&tempo=90..110"
        "&mood=0.3..0.5&since=2020-01-01T00:00:00Z&until=2099-01-01T00:00:00Z&sort=best%20obeyed&page=0&size=5"
    )
    answer = ann.get(CLIPS + query).json()
    assert [found["id"] for found in answer["clips"]] == [clip.id]
    assert answer["total"] == 1
    assert ann.get(f"{CLIPS}?tempo=..90&energy=&key=").json()["total"] == 0
    assert ann.get("/studio/library/facets").json()["tags"] == ["late"]
    for bad in ("tempo=90", "tempo=a..b", "kept=1", "page=-1", "size=0", "size=1e9", "sort=x", "since=now", "liked=5"):
        answer = ann.get(f"{CLIPS}?{bad}")
        assert (answer.status_code, answer.json()["argument"]) == (400, bad.split("=")[0])


def test_delete_undo_and_purge(ann, services, make):
    clips = [make(n) for n in (0, 2)]
    ids = [clip.id for clip in clips]
    assert ann.post(f"{CLIPS}/delete", json={"clips": ids}).json() == {"deleted": 2}
    assert ann.get(CLIPS).json()["total"] == 0
    assert ann.get(f"{CLIPS}?deleted=true").json()["total"] == 2
    assert ann.post(f"{CLIPS}/restore", json={"clips": ids[:1]}).json() == {"restored": 1}
    assert ann.post("/studio/library/purge").json() == {"purged": 1}
    assert [services.shelf.has(clip) for clip in ids] == [True, False]
    assert ann.post("/studio/library/empty-history").json() == {"clips": ids[:1]}


def test_out_and_in_by_a_secret_address(ann, ben, nobody, make):
    make(0, kept=True), make(1)
    address = ann.post("/studio/library/export", json={}).json()["url"]
    data = nobody.get(f"/{address}")
    assert data.headers["content-type"] == "application/zip"
    assert "music-library.zip" in data.headers["content-disposition"]
    assert len(zipfile.ZipFile(io.BytesIO(data.content)).namelist()) == 4
    told = ben.post("/studio/library/import", content=data.content).json()
    assert (told["clips"], told["files"]) == (2, 1)
    assert ben.get(CLIPS).json()["total"] == 2
    quiet = ann.post("/studio/library/export", json={"sound": False}).json()["url"]
    assert zipfile.ZipFile(io.BytesIO(nobody.get(f"/{quiet}").content)).namelist() == ["library.json"]
    for bad in ("A" * 22, "../library", "A"):
        assert nobody.get(f"/studio/downloads/{bad}").status_code == 404


def test_too_much_is_refused(ann, monkeypatch, services):
    answer = ann.post("/studio/playlists", content=b"x" * (MAX_BODY + 1), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["argument"]) == (413, "body")
    monkeypatch.setattr(upload, "MAX_UPLOAD", 1000)
    answer = ann.post("/studio/library/import", content=iter([b"x" * 600] * 2))
    assert (answer.status_code, answer.json()["argument"]) == (413, "file")
    assert not list(services.shelf.root.iterdir())


def test_one_import_at_a_time(ann):
    with upload._ONE:
        answer = ann.post("/studio/library/import", content=b"x")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert ann.post("/studio/library/import", content=b"x").status_code == 400


def test_forgetting_takes_the_files_too(ann, ben, services, make):
    clip = make(0)
    assert ann.post("/studio/library/forget", json={}).status_code == 400
    assert ann.post("/studio/library/forget", json={"sure": True}).json() == {"forgotten": 1}
    assert not services.shelf.folder(clip.id).exists()
    assert ann.get(CLIPS).json()["total"] == 0


def test_playlists(ann, ben, nobody, make):
    a, b = (make(n, title=f"Clip, {n}/") for n in (0, 2))
    made = ann.post("/studio/playlists", json={"name": "Evening / 1", "clips": [a.id]}).json()
    path = f"/studio/playlists/{made['id']}"
    assert ben.get(path).status_code == 404
    ann.post(f"{path}/add", json={"clips": [b.id, a.id], "at": 0})
    ann.post(f"{path}/remove", json={"position": 2, "clip": a.id})
    whole = ann.post(f"{path}/order", json={"clips": [a.id, b.id]}).json()
    assert [clip["id"] for clip in whole["clips"]] == [a.id, b.id]
    assert ann.post(f"{path}/name", json={"name": "Late"}).json()["name"] == "Late"
    copy = ann.post(f"{path}/duplicate", json={"name": "Copy"}).json()
    assert copy["count"] == 2
    ann.post(f"{path}/delete", json={})
    assert [one["name"] for one in ann.get("/studio/playlists").json()["playlists"]] == ["Copy"]
    assert [one["name"] for one in ann.get("/studio/playlists?deleted=true").json()["playlists"]] == ["Late"]
    assert ann.post(f"{path}/restore", json={}).json()["count"] == 2
    token = ann.get(f"{path}/share").json()["token"]
    there = ben.post("/studio/playlists/open", json={"token": token}).json()
    assert [clip["hash"] for clip in there["clips"]] == [a.hash, b.hash]


def test_playlists_are_taken_away(ann, ben, nobody, services, make):
    a, gone = make(0, title="A"), make(1, title="Gone")
    again = make(2, title="Again")
    services.shelf.remove([again.id])
    made = ann.post("/studio/playlists", json={"name": "Évening", "clips": [a.id, gone.id, again.id]}).json()
    path = f"/studio/playlists/{made['id']}/download"
    got = {kind: nobody.get("/" + ann.post(path, json={"kind": kind}).json()["url"]) for kind in ("m3u", "zip", "json")}
    assert "#EXTINF:0,Gone" in got["m3u"].text or "#EXTINF:1,Gone" in got["m3u"].text
    packed = zipfile.ZipFile(io.BytesIO(got["zip"].content))
    assert packed.namelist() == ["001-a.wav", "003-again.wav", "évening.m3u8"]
    listed = packed.read("évening.m3u8").decode()
    assert [line for line in listed.splitlines() if not line.startswith("#")] == ["001-a.wav", "003-again.wav"]
    there = ben.post("/studio/playlists/open", json={"playlist": got["json"].json()}).json()
    assert there["count"] == 3
    assert ann.post(path, json={"kind": "exe"}).status_code == 400


def test_routes_are_described(app):
    paths = app.openapi()["paths"]
    ours = {path: operation for path, methods in paths.items() for operation in methods.values()}
    assert len(ours) > 20
    assert [path for path, operation in ours.items() if not operation.get("description")] == []

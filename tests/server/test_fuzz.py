"""Whatever comes in, the answer is one sentence and nothing breaks."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
FIELDS = (
    "clips",
    "liked",
    "kept",
    "title",
    "tags",
    "at",
    "name",
    "position",
    "clip",
    "token",
    "playlist",
    "kind",
    "sure",
)
PATHS = (
    "library/clips/{id}/keep", "library/clips/{id}/like", "library/clips/{id}/title", "library/clips/{id}/tags",
    "library/clips/{id}/played", "library/clips/{id}/skipped", "library/clips/delete", "library/clips/restore",
    "library/export", "playlists", "playlists/open", "playlists/{list}/add", "playlists/{list}/remove",
    "playlists/{list}/order", "playlists/{list}/duplicate", "playlists/{list}/name", "playlists/{list}/download",
)  # fmt: skip
QUIET = settings(
    max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def sane(answer):
    """A refusal is one sentence; nothing is the server's fault."""
    assert answer.status_code in (200, 400, 401, 404, 405, 413, 422), (answer.status_code, answer.text)
    if answer.status_code in (400, 401, 413):
        told = answer.json()
        assert told.keys() == {"error", "argument"}
        assert "\n" not in told["error"]
        assert len(told["error"]) < 400


@QUIET
@given(data=st.data())
def test_bodies(ann, make, data):
    known = test_bodies.__dict__.setdefault("known", {})
    if known.get("app") is not ann.app:
        made = make(1)
        playlist = ann.post("/studio/playlists", json={"name": "x", "clips": [made.id]}).json()["id"]
        known.update(app=ann.app, id=made.id, list=playlist)
    path = data.draw(st.sampled_from(PATHS)).format(**known)
    likely = VALUES | st.sampled_from([known["id"], [known["id"]], [known["id"]] * 3, "p1.eNo", 1, True, 0])
    body = data.draw(st.dictionaries(st.sampled_from(FIELDS), likely, max_size=4) | VALUES)
    import json

    text = json.dumps(body)
    sane(ann.post(f"/studio/{path}", content=text, headers={"Content-Type": "application/json"}))


@QUIET
@given(raw=st.binary(max_size=200))
def test_bytes(ann, raw):
    sane(ann.post("/studio/playlists", content=raw, headers={"Content-Type": "application/json"}))
    sane(ann.post("/studio/library/import", content=raw))


PARAMETERS = ("text", "kept", "liked", "genre", "tag", "tempo", "mood", "since", "deleted", "sort", "page", "size")


@QUIET
@given(query=st.dictionaries(st.sampled_from(PARAMETERS), st.text(max_size=30), max_size=4), name=st.text(max_size=30))
def test_addresses(ann, query, name):
    sane(ann.get("/studio/library/clips", params={key: text.encode("utf-8", "replace") for key, text in query.items()}))
    from urllib.parse import quote

    part = quote(name.encode("utf-8", "replace"), safe="")
    for path in (f"clips/{part}/clip.wav", f"library/clips/{part}", f"playlists/{part}", f"downloads/{part}"):
        sane(ann.get(f"/studio/{path}"))


def test_deep_json_is_refused(ann):
    for text in (b"[" * 100_000, b'{"a":' * 50_000, b'{"liked": NaN}', b'{"name": 1e999}', b"\xff", b"\xef\xbb\xbf{}"):
        answer = ann.post("/studio/playlists", content=text, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 413)
        sane(answer)

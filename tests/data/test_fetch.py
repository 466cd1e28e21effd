"""``--fetch``: what the web server gives is believed only when its hash is right."""

from __future__ import annotations

import io
import json
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from musicgen_ui.data import fetch as module
from musicgen_ui.data.archives import content_sha256, file_sha256, members, write_archive
from musicgen_ui.data.corpora import corpus_named, sources
from musicgen_ui.data.fetch import fetch, load_registry
from musicgen_ui.errors import RequestError

COMMIT = "0123456789abcdef0123456789abcdef01234567"
INFO = "drummer,session,id,style,bpm,time_signature,midi_filename\nd1,d1/s1,d1/s1/1,funk/groove1,98,4-4,d1/s1/a.mid\n"
REPOSITORY = {"groove/d1/s1/a.mid": b"MThd...", "groove/info.csv": INFO.encode(), "other/huge.bin": b"x" * 5000}


@pytest.fixture
def server(tmp_path):
    """A web server over a folder; gives (address, folder, list of paths that were asked for)."""
    folder, asked = tmp_path / "web", []
    folder.mkdir()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            path = folder / self.path.strip("/").replace("/", "_")
            self.send_response(200 if path.is_file() else 404)
            self.end_headers()
            if path.is_file():
                self.wfile.write(path.read_bytes())

        def log_message(self, *args):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_address[1]}", folder, asked
    running.shutdown()
    running.server_close()


def registry(folder: Path, **entry) -> Path:
    path = folder / "registry.json"
    path.write_text(json.dumps({"tunes": {"commit": COMMIT, "licence": "CC0", **entry}}))
    return path


def repository(path: Path, files: dict[str, bytes] = REPOSITORY, *, level: int = 9) -> Path:
    with tarfile.open(path, "w:gz", compresslevel=level) as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(f"project-{COMMIT}/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def wanted(files: dict[str, bytes] = REPOSITORY) -> str:
    return content_sha256({n.removeprefix("groove/"): c for n, c in files.items() if n.startswith("groove/")})


def test_a_ready_archive_is_saved_as_it_is(server, tmp_path):
    address, web, asked = server
    write_archive(web / f"{COMMIT}_tunes.tar.zst", {"labels.jsonl": b"", "a.mid": b"MThd"})
    sha = file_sha256(web / f"{COMMIT}_tunes.tar.zst")
    known = registry(tmp_path, url=f"{address}/{{commit}}/tunes.tar.zst", sha256=sha)
    target = fetch("tunes", tmp_path / "corpora", registry=known)
    assert target == tmp_path / "corpora" / "tunes.tar.zst"
    assert file_sha256(target) == sha
    assert asked == [f"/{COMMIT}/tunes.tar.zst"]
    assert fetch("tunes", tmp_path / "corpora", registry=known) == target
    assert len(asked) == 1


@pytest.mark.parametrize("level", [1, 9])
def test_a_repository_is_checked_by_its_files_and_labelled(server, tmp_path, level):
    address, web, _ = server
    repository(web / "project", level=level)
    entry = {"include": ["groove/*.mid", "groove/info.csv"], "strip": "groove/", "labels": "groove", "content": True}
    known = registry(tmp_path, url=f"{address}/project", sha256=wanted(), **entry)
    files = dict(members(fetch("tunes", tmp_path / "corpora", registry=known)))
    assert set(files) == {"d1/s1/a.mid", "info.csv", "labels.jsonl", "SOURCE.txt"}
    assert COMMIT in files["SOURCE.txt"].decode()
    (source,) = sources(corpus_named("groove_midi_ccby"), files)
    assert (source.genre, source.licence, source.group) == ({"funk": 1.0}, "CC0", "groove_midi_ccby:d1/s1")
    assert source.electronic_kit


def test_labels_from_file_names(server, tmp_path):
    address, web, _ = server
    repository(web / "project")
    entry = {"include": ["*.mid"], "labels": "files", "sha256": file_sha256(web / "project")}
    known = registry(tmp_path, url=f"{address}/project", **entry)
    files = dict(members(fetch("tunes", tmp_path / "corpora", registry=known)))
    (source,) = sources(corpus_named("tunes"), files)
    assert (source.id, source.title, source.licence) == ("tunes/groove/d1/s1/a", "a", "CC0")


@pytest.mark.parametrize("content", [False, True])
def test_another_hash_is_refused_and_leaves_nothing(server, tmp_path, content):
    address, web, _ = server
    repository(web / "project")
    known = registry(tmp_path, url=f"{address}/project", sha256="0" * 64, content=content)
    with pytest.raises(
        RequestError, match=r"--fetch: tunes is not the expected file: its SHA-256 is .*, not 000000000000"
    ):
        fetch("tunes", tmp_path / "corpora", registry=known)
    assert list((tmp_path / "corpora").iterdir()) == []


def test_one_changed_byte_in_one_file_is_noticed(server, tmp_path):
    address, web, _ = server
    repository(web / "project", {**REPOSITORY, "groove/d1/s1/a.mid": b"MThd..!"})
    entry = {"include": ["groove/*"], "strip": "groove/", "content": True}
    known = registry(tmp_path, url=f"{address}/project", sha256=wanted(), **entry)
    with pytest.raises(RequestError, match="is not the expected file"):
        fetch("tunes", tmp_path / "corpora", registry=known)


def test_an_endless_download_is_given_up(server, tmp_path):
    address, web, _ = server
    (web / "project").write_bytes(b"x" * 3_000_000)
    known = registry(tmp_path, url=f"{address}/project", sha256="0" * 64, max_bytes=1_000_000)
    with pytest.raises(RequestError, match="is larger than 1,000,000 bytes"):
        fetch("tunes", tmp_path / "corpora", registry=known)
    assert list((tmp_path / "corpora").iterdir()) == []


def test_what_is_not_there(server, tmp_path):
    address, _, _ = server
    known = registry(tmp_path, url=f"{address}/nothing", sha256="0" * 64)
    with pytest.raises(RequestError, match=r"could not be downloaded .*Not Found"):
        fetch("tunes", tmp_path / "corpora", registry=known)
    with pytest.raises(RequestError, match="there is no corpus 'songs'; known: tunes"):
        fetch("songs", tmp_path / "corpora", registry=known)


def test_no_server_at_all(tmp_path):
    known = registry(tmp_path, url="http://127.0.0.1:9/nothing", sha256="0" * 64)
    with pytest.raises(RequestError, match="could not be downloaded"):
        fetch("tunes", tmp_path / "corpora", registry=known)


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    known = registry(tmp_path, url="http://127.0.0.1:9/nothing", sha256="0" * 64)
    with pytest.raises(RequestError, match="could not be saved"):
        fetch("tunes", tmp_path / "file", registry=known)


def test_only_the_web_is_asked(tmp_path):
    known = registry(tmp_path, url="file:///etc/passwd", sha256="0" * 64)
    with pytest.raises(RequestError, match="not on the web"):
        fetch("tunes", tmp_path / "corpora", registry=known)


ENTRY = {"url": "x", "commit": "c", "licence": "l", "sha256": "0" * 64}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{", id="no-json"),
        pytest.param("[1]", id="a-list"),
        pytest.param('{"a": {"url": "x"}}', id="fields-missing"),
        pytest.param(json.dumps({"a": {**ENTRY, "sha256": "abc"}}), id="short-hash"),
        pytest.param(json.dumps({"../a": ENTRY}), id="climbing"),
        pytest.param(json.dumps({"a": {**ENTRY, "labels": "?"}}), id="unknown-labels"),
    ],
)
def test_a_registry_that_is_none(tmp_path, text):
    (tmp_path / "registry.json").write_text(text)
    with pytest.raises(RequestError, match=r"--registry: registry\.json is not a registry of corpora"):
        load_registry(tmp_path / "registry.json")


def test_the_registry_that_ships_is_pinned_and_hashed():
    entries = load_registry()
    assert entries
    for entry in entries.values():
        assert entry.url.startswith("https://")
        assert "{commit}" in entry.url
        assert len(entry.commit) == 40
        assert entry.max_bytes <= module.MAX_BYTES

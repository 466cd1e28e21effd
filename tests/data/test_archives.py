"""Archives are read in memory, safely, and written the same way each time."""

from __future__ import annotations

import io
import tarfile

import pytest
import zstandard

from musicgen_ui.data import archives
from musicgen_ui.data.archives import content_sha256, file_sha256, members, write_archive
from musicgen_ui.errors import RequestError

FILES = {"labels.jsonl": b"{}\n", "midi/a.mid": b"MThd", "empty": b""}


def packed(path, *entries: tarfile.TarInfo, suffix: str = "zst"):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for entry in entries:
            tar.addfile(entry, io.BytesIO(b"x" * entry.size))
    path.write_bytes(zstandard.compress(buffer.getvalue()))
    return path


def entry(name: str, kind: bytes = tarfile.REGTYPE, size: int = 1, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size if kind == tarfile.REGTYPE else 0, link
    return info


def test_what_is_written_is_read_again(tmp_path):
    write_archive(tmp_path / "a.tar.zst", FILES)
    assert dict(members(tmp_path / "a.tar.zst")) == FILES
    assert [p.name for p in tmp_path.iterdir()] == ["a.tar.zst"]


def test_equal_files_give_equal_bytes(tmp_path):
    (tmp_path / "b").mkdir()
    write_archive(tmp_path / "a.tar.zst", FILES)
    write_archive(tmp_path / "b" / "a.tar.zst", dict(reversed(FILES.items())))
    assert file_sha256(tmp_path / "a.tar.zst") == file_sha256(tmp_path / "b" / "a.tar.zst")


def test_gzip_too(tmp_path):
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        for name, content in FILES.items():
            info = tarfile.TarInfo(f"repository-commit/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    assert dict(members(tmp_path / "a.tar.gz")) == FILES


def test_links_devices_and_climbing_names_are_passed_over(tmp_path):
    path = packed(
        tmp_path / "a.tar.zst",
        entry("top/good"),
        entry("top/../../evil"),
        entry("/etc/evil"),
        entry("top/link", tarfile.SYMTYPE, link="/etc/passwd"),
        entry("top/hard", tarfile.LNKTYPE, link="top/good"),
        entry("top/pipe", tarfile.FIFOTYPE),
        entry("top/folder", tarfile.DIRTYPE),
    )
    assert dict(members(path)) == {"good": b"x"}


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: b"", id="empty"),
        pytest.param(lambda data: b"no archive at all", id="text"),
        pytest.param(lambda data: data[: len(data) // 2], id="half"),
        pytest.param(lambda data: zstandard.compress(b"no tar" * 500), id="no-tar"),
    ],
)
@pytest.mark.parametrize("name", ["a.tar.zst", "a.tar.gz"])
def test_a_damaged_archive_is_named(tmp_path, damage, name):
    write_archive(tmp_path / "a.tar.zst", {"x": bytes(range(256)) * 100})
    (tmp_path / name).write_bytes(damage((tmp_path / "a.tar.zst").read_bytes()))
    with pytest.raises(RequestError, match=f"{name}: is a damaged archive"):
        dict(members(tmp_path / name))


@pytest.mark.parametrize(("limit", "value"), [("MAX_MEMBERS", 2), ("MAX_MEMBER_BYTES", 500), ("MAX_TOTAL_BYTES", 900)])
def test_sizes_are_bounded(tmp_path, monkeypatch, limit, value):
    path = packed(tmp_path / "bomb.tar.zst", entry("a", size=400), entry("b", size=400), entry("c", size=600))
    monkeypatch.setattr(archives, limit, value)
    with pytest.raises(RequestError, match="is larger than any music archive should be"):
        list(members(path))


def test_the_hash_of_contents_does_not_depend_on_order_but_on_every_byte_and_name():
    first = content_sha256(FILES)
    assert first == content_sha256(dict(reversed(FILES.items())))
    assert first != content_sha256({**FILES, "empty": b"\0"})
    assert first != content_sha256({"other" if k == "empty" else k: v for k, v in FILES.items()})

"""Reading and writing tar archives in memory: nothing is unpacked to disk, and every size is bounded."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import zstandard

from musicgen_ui.errors import RequestError

SUFFIX = ".tar.zst"
MAX_MEMBER_BYTES = 64_000_000
MAX_MEMBERS = 100_000
MAX_TOTAL_BYTES = 1_000_000_000


def members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Regular files of a ``.tar.zst`` or ``.tar.gz``: (name without the top folder, content), in the archive's order.

    Links, devices and names that climb out of the archive are passed over.

    Raises:
        RequestError: the archive is damaged or unreasonably large.
    """
    total = 0
    try:
        with _decompressed(path) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
            for count, member in enumerate(tar):
                total += member.size
                if count >= MAX_MEMBERS or member.size > MAX_MEMBER_BYTES or total > MAX_TOTAL_BYTES:
                    raise RequestError(path.name, "is larger than any music archive should be")
                name = Path(member.name)
                if not member.isfile() or name.is_absolute() or ".." in name.parts:
                    continue
                content = tar.extractfile(member)
                if content is not None:
                    inner = name.parts[1:] if len(name.parts) > 1 else name.parts
                    yield "/".join(inner), content.read()
    except (tarfile.TarError, zstandard.ZstdError, zlib.error, EOFError, OSError) as error:
        raise RequestError(path.name, f"is a damaged archive ({error})") from error


@contextmanager
def _decompressed(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as raw:
        if path.suffix in (".gz", ".tgz"):
            with gzip.GzipFile(fileobj=raw) as stream:
                yield stream
        else:
            with zstandard.ZstdDecompressor().stream_reader(raw) as stream:
                yield stream


def write_archive(path: Path, files: Mapping[str, bytes]) -> None:
    """Writes files as a ``.tar.zst`` under one top folder; equal files give equal bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted(files):
            header = tarfile.TarInfo(f"{path.name.removesuffix(SUFFIX)}/{name}")
            header.size = len(files[name])
            tar.addfile(header, io.BytesIO(files[name]))
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(zstandard.ZstdCompressor(level=10).compress(buffer.getvalue()))
    temporary.replace(path)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def content_sha256(files: Mapping[str, bytes]) -> str:
    """SHA-256 of a set of files: of the lines that ``sha256sum`` would print for them, sorted by name.

    Unlike the hash of an archive it does not depend on who compressed it, when, or how hard.
    """
    lines = [f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)]
    return hashlib.sha256("".join(lines).encode("utf-8")).hexdigest()

"""Reading ``.tar.zst`` archives in memory: nothing is unpacked to disk, and every size is bounded."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator
from pathlib import Path

import zstandard

from musicgen_ui.errors import RequestError

MAX_MEMBER_BYTES = 64_000_000
MAX_MEMBERS = 100_000
MAX_TOTAL_BYTES = 1_000_000_000


def members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Regular files of an archive: (name without the archive's top folder, content), in the archive's order.

    Links, devices and names that climb out of the archive are passed over.

    Raises:
        RequestError: the archive is damaged or unreasonably large.
    """
    total = 0
    try:
        with path.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as stream:
            with tarfile.open(fileobj=stream, mode="r|") as tar:
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
    except (tarfile.TarError, zstandard.ZstdError, EOFError, OSError) as error:
        raise RequestError(path.name, f"is a damaged archive ({error})") from error


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()

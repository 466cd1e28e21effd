"""Which processor the models run on, and how many threads they may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from musicgen_ui.errors import RequestError

DEVICES = ("auto", "cpu", "cuda")

MAX_THREADS = 256

USEFUL_THREADS = 4
"""More would spend their time waiting for one another: a composer's steps are small."""

_usual: list[int] = []
"""What :func:`set_threads` was told last."""


def resolve_device(name: str) -> str:
    """``auto`` as ``cuda`` where there is one, else ``cpu``; the others as they are.

    Raises:
        RequestError: an unknown name, or ``cuda`` where there is none.
    """
    if name not in DEVICES:
        raise RequestError("device", f"{name!r:.40} is not one of {', '.join(DEVICES)}")
    if name == "cpu":
        return name
    found = torch.cuda.is_available()
    if name == "cuda" and not found:
        raise RequestError("device", "no CUDA device was found on this machine; use cpu or auto")
    return "cuda" if found else "cpu"


def thread_count(requested: int | None = None) -> int:
    """Threads to use: what was requested, else MUSICGEN_THREADS, else the cores this process may run on, at most 4.

    Raises:
        RequestError: MUSICGEN_THREADS is no whole number from 1 to 256.
    """
    if requested is not None:
        return requested
    text = os.environ.get("MUSICGEN_THREADS", "").strip()
    if text:
        if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MAX_THREADS:
            raise RequestError("MUSICGEN_THREADS", f"must be a whole number from 1 to {MAX_THREADS}, not {text!r:.40}")
        return int(text)
    # In a container the machine has more cores than the process may use; asking for them all makes it slower.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, USEFUL_THREADS)


def set_threads(count: int) -> None:
    """Fixes torch's threads for the life of the process: sums in another order would change the last bit."""
    _usual.clear()
    _usual.append(count)
    torch.set_num_threads(count)


@contextmanager
def usual_threads() -> Iterator[None]:
    """Inside, torch computes on as many threads as :func:`set_threads` said, or as are set, and so it does afterwards.

    Torch keeps the number for each thread, and one that is new to it takes what another thread set last: beside
    somebody's composing that would be one.
    """
    with _threads(_usual[0] if _usual else torch.get_num_threads()):
        yield


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside, torch computes on the calling thread alone.

    Composing is thousands of small products, and handing each to a second thread takes longer than computing it.
    """
    with _threads(1):
        yield


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)

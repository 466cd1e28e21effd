"""Devices and threads are what was asked for, or the person is told."""

from __future__ import annotations

import threading

import pytest
import torch

from musicgen_ui.cli.arguments import DEVICES as CLI_DEVICES
from musicgen_ui.engine.device import DEVICES, one_thread, resolve_device, set_threads, thread_count, usual_threads
from musicgen_ui.errors import RequestError


@pytest.mark.parametrize(
    ("name", "present", "device"),
    [("auto", True, "cuda"), ("auto", False, "cpu"), ("cpu", True, "cpu"), ("cuda", True, "cuda")],
)
def test_auto_takes_what_is_there(name, present, device, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: present)
    assert resolve_device(name) == device


def test_an_absent_device_is_told(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RequestError, match="device: no CUDA device was found"):
        resolve_device("cuda")
    with pytest.raises(RequestError, match="device: 'tpu' is not one of auto, cpu, cuda"):
        resolve_device("tpu")


def test_the_command_line_offers_the_same_devices():
    assert CLI_DEVICES == DEVICES


def test_threads_come_from_the_person_then_the_environment_then_the_machine(monkeypatch):
    monkeypatch.setenv("MUSICGEN_THREADS", "3")
    assert thread_count(5) == 5
    assert thread_count() == 3
    monkeypatch.delenv("MUSICGEN_THREADS")
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: range(64), raising=False)
    assert thread_count() == 4
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: range(2), raising=False)
    assert thread_count() == 2


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", "257", "9" * 400, "²"])
def test_a_bad_environment_is_told(text, monkeypatch):
    monkeypatch.setenv("MUSICGEN_THREADS", text)
    with pytest.raises(RequestError, match="MUSICGEN_THREADS: must be a whole number from 1 to 256"):
        thread_count()


def test_somebodys_composing_does_not_take_the_threads_of_others():
    """A thread that is new to torch takes what was set last; inside ``usual_threads`` it has what the process has."""
    before = torch.get_num_threads()
    seen = []

    def work():
        with usual_threads():
            seen.append(torch.get_num_threads())

    try:
        set_threads(2)
        with one_thread():
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
        assert seen == [2]
        assert torch.get_num_threads() == 2
    finally:
        set_threads(before)


def test_one_thread_for_a_while():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)

"""What every test shares: seeded randomness, quiet libraries, and browser tests that skip where there is no browser."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

# Set before any test imports the library: no telemetry, no display, no thread pools that fight over two cores.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("MUSICGEN_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# No test may touch the library of whoever runs it.
os.environ["MUSICGEN_DATA"] = tempfile.mkdtemp(prefix="musicgen-tests-")

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_browser() -> str | None:
    """Path of an installed Chromium or Chrome, or None."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if find_browser() is None:
        reason = pytest.mark.skip(reason="no chromium is installed (.ci/run installs it)")
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(reason)


@pytest.fixture(scope="session")
def browser_path() -> str:
    """Path of the system's Chromium; the ``browser`` marker makes sure that there is one."""
    path = find_browser()
    if path is None:
        pytest.skip("no chromium is installed (.ci/run installs it)")
    return path


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root folder."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture
def rng() -> np.random.Generator:
    """A freshly seeded generator for each test."""
    return np.random.default_rng(440)

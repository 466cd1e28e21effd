"""The map holds: imports run one way, Gradio stays in its room, modules stay short, no pickle, no global seeds."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = "musicgen_ui"
MAX_LINES = 300

VALUES = {"errors", "style", "scale", "timbre", "source", "music"}
"""What every room may use: plain values of the symbolic side."""

ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "music": {"errors", "music"},
    "style": {"errors", "music"},
    "scale": VALUES,
    "timbre": {"errors", "music"},
    "source": {"errors", "music"},
    "recipe": VALUES | {PACKAGE},
    "audio": VALUES | {"audio"},
    "models": VALUES | {"audio", "models"},
    # Training tables are laid out in the fields that the models read.
    "data": VALUES | {"audio", "models", "data"},
    "training": VALUES | {"audio", "models", "data", "recipe", "training"},
    "engine": VALUES | {"audio", "models", "recipe", "engine", PACKAGE},
    "library": VALUES | {"audio", "models", "recipe", "library"},
    "server": VALUES | {"audio", "recipe", "engine", "library", "server", PACKAGE},
    "ui": VALUES | {"audio", "recipe", "engine", "library", "server", "ui", PACKAGE},
}
"""Room to the rooms it may import. The command line stands on top and may import any of them."""

TOP = {"cli", "__main__", PACKAGE}
GRADIO_ROOMS = {"ui"}

FORBIDDEN_CALLS = {
    "torch.load": "unpickles; checkpoints are safetensors",
    "torch.save": "pickles; checkpoints are safetensors",
    "torch.manual_seed": "global random state",
    "torch.cuda.manual_seed": "global random state",
    "torch.cuda.manual_seed_all": "global random state",
    "random.seed": "global random state",
    "numpy.random.seed": "global random state",
    "numpy.random.rand": "global random state",
    "numpy.random.randn": "global random state",
    "numpy.random.randint": "global random state",
    "numpy.random.choice": "global random state",
    "numpy.random.shuffle": "global random state",
    "numpy.random.uniform": "global random state",
    "numpy.random.normal": "global random state",
}
# Initial weights and dropout draw from torch's own generator, and a training run is a process of its own.
ALLOWED_CALLS = {"training": {"torch.manual_seed"}}
FORBIDDEN_MODULES = {"pickle", "joblib", "dill", "shelve", "cloudpickle", "random"}


def room_of(module: str) -> str:
    """``musicgen_ui.audio.effects`` lives in ``audio``; the package itself in ``musicgen_ui``."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else parts[0]


def imported_modules(tree: ast.AST, module: str, is_package: bool) -> Iterator[tuple[str, int]]:
    """Full dotted name and line of every import in a file, at any depth, with relative ones resolved."""
    base = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            prefix = ".".join([*base[: len(base) - node.level + 1], *([node.module] if node.module else [])])
            source = prefix if node.level else (node.module or "")
            for alias in node.names:
                # `from musicgen_ui import audio` names a room, `from musicgen_ui.style import Style` a value.
                yield (f"{source}.{alias.name}" if source == PACKAGE else source), node.lineno


def import_faults(source: str, module: str, is_package: bool = False) -> list[str]:
    """Imports in ``source`` that the map forbids to ``module``."""
    room = room_of(module)
    known = set(ALLOWED) | TOP
    faults = []
    for name, line in imported_modules(ast.parse(source), module, is_package):
        top = name.split(".")[0]
        if top == "gradio" and room not in GRADIO_ROOMS:
            faults.append(f"{module}:{line} imports gradio")
        if top in FORBIDDEN_MODULES:
            faults.append(f"{module}:{line} imports {top}")
        if top == PACKAGE and room not in TOP:
            target = room_of(name)
            if target not in known:
                target = PACKAGE  # a name in the package's own __init__, such as __version__
            if target not in ALLOWED[room] | {room}:
                faults.append(f"{module}:{line} imports {name}: {room} may not use {target}")
    return faults


def call_faults(source: str, module: str) -> list[str]:
    """Calls in ``source`` that unpickle or touch global random state, under whatever name they were imported."""
    tree = ast.parse(source)
    names = {"np": "numpy"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            tops = {alias: alias.name.split(".")[0] for alias in node.names}
            names |= {a.asname or top: a.name if a.asname else top for a, top in tops.items()}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    faults = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        head, _, rest = ast.unparse(node.func).partition(".")
        name = names.get(head, head) + (f".{rest}" if rest else "")
        if name in FORBIDDEN_CALLS and name not in ALLOWED_CALLS.get(room_of(module), ()):
            faults.append(f"{module}:{node.lineno} calls {name}: {FORBIDDEN_CALLS[name]}")
        for keyword in node.keywords:
            allowed = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
            if keyword.arg == "allow_pickle" and not allowed:
                faults.append(f"{module}:{node.lineno} allows pickle")
    return faults


def python_files(root: Path) -> dict[str, Path]:
    """Dotted module name to file, for the package and for app.py."""
    found = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def test_imports_run_one_way(root):
    files = python_files(root)
    assert len(files) > 20
    faults = [
        fault
        for module, path in files.items()
        for fault in import_faults(path.read_text(encoding="utf-8"), module, path.name == "__init__.py")
    ]
    assert not faults, "\n".join(faults)


def test_every_room_is_on_the_map(root):
    rooms = {room_of(module) for module in python_files(root)}
    assert rooms <= set(ALLOWED) | TOP


def test_no_pickle_and_no_global_random_state(root):
    faults = [
        fault
        for module, path in python_files(root).items()
        for fault in call_faults(path.read_text(encoding="utf-8"), module)
    ]
    assert not faults, "\n".join(faults)


def test_modules_stay_short(root):
    files = [*python_files(root).values(), *sorted((root / "tests").rglob("*.py"))]
    lengths = {str(path.relative_to(root)): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    long = {name: lines for name, lines in lengths.items() if lines > MAX_LINES}
    assert not long


TRAINING_ROOMS = {"data", "training"}
"""Rooms that may use what only ``requirements-train.txt`` installs."""


def pinned(path: Path) -> set[str]:
    """Names of the packages that a requirements file pins."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {line.split("==")[0].split("[")[0].strip().lower().replace("_", "-") for line in lines if "==" in line}


def test_every_third_party_import_is_pinned(root):
    names = {"mir_eval": "mir-eval", "pretty_midi": "pretty-midi", "PIL": "pillow", "fluidsynth": "pyfluidsynth"} | {
        "sklearn": "scikit-learn"
    }
    always, training = pinned(root / "requirements.txt"), pinned(root / "requirements-train.txt")
    missing = set()
    for module, path in python_files(root).items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        used = {name.split(".")[0] for name, _ in imported_modules(tree, module, False)}
        there = always | (training if room_of(module) in TRAINING_ROOMS else set())
        outside = used - set(sys.stdlib_module_names) - {PACKAGE, "app"}
        missing |= {f"{module} imports {name}" for name in outside if names.get(name, name) not in there}
    assert not missing


def test_no_drawers(root):
    drawers = {"utils", "util", "helpers", "helper", "manager", "common", "commons", "misc"}
    assert not [module for module in python_files(root) if module.split(".")[-1] in drawers]


@pytest.mark.parametrize(
    ("source", "module"),
    [
        pytest.param("from musicgen_ui.engine.pipeline import Studio", "musicgen_ui.audio.effects", id="upward"),
        pytest.param("from ..engine import pipeline", "musicgen_ui.audio.effects", id="relative"),
        pytest.param("def f():\n    import musicgen_ui.data.pieces", "musicgen_ui.engine.compose", id="function-local"),
        pytest.param("def f():\n    import gradio as gr", "musicgen_ui.engine.compose", id="gradio"),
        pytest.param("from musicgen_ui import ui", "musicgen_ui.engine.compose", id="from-package"),
        pytest.param("import pickle", "musicgen_ui.models.checkpoint", id="pickle"),
    ],
)
def test_the_import_rule_catches(source, module):
    assert import_faults(source, module)


@pytest.mark.parametrize(
    ("source", "module"),
    [
        pytest.param("from musicgen_ui.models.lstm import LSTM", "musicgen_ui.engine.compose", id="downward"),
        pytest.param("from . import mix", "musicgen_ui.engine.compose", id="sibling"),
        pytest.param("from musicgen_ui import __version__", "musicgen_ui.engine.pipeline", id="version"),
        pytest.param("import gradio", "musicgen_ui.ui.layout", id="gradio-in-ui"),
    ],
)
def test_the_import_rule_allows(source, module):
    assert not import_faults(source, module)


@pytest.mark.parametrize(
    "source",
    [
        "import torch\ntorch.manual_seed(1)",
        "import torch as t\nt.load('x')",
        "from torch import manual_seed\nmanual_seed(1)",
        "import numpy as np\nnp.random.seed(1)",
        "import numpy\nnumpy.load('x', allow_pickle=True)",
        "import numpy as np\nnp.random.randn(3)",
    ],
)
def test_the_call_rule_catches(source):
    assert call_faults(source, "musicgen_ui.models.example")


def test_the_call_rule_allows_explicit_generators():
    source = "import numpy as np\nimport torch\nnp.random.default_rng(1)\ntorch.Generator().manual_seed(1)"
    assert not call_faults(source, "musicgen_ui.models.example")

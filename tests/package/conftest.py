"""The package of create_backup for the running Python, built once, and small applications with their own wheels."""

import hashlib
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cli.package.build import build_packages
from cli.package.model import Package
from cli.paths import CHECKOUT
from cli.template.load import find_function, load_template
from cli.template.model import Function


PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass
class Noted:
    """An observer that keeps what it receives."""

    steps: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    parts: int = 0

    def step(self, description: str, total: int) -> Callable[[], None]:
        self.steps.append(description)
        return self._part

    def _part(self) -> None:
        self.parts += 1

    def warn(self, text: str) -> None:
        self.warnings.append(text)


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The package of create_backup as deployed, but for the Python of this process."""
    function = find_function(load_template(CHECKOUT / "template.yaml"), "create_backup")
    out = tmp_path_factory.mktemp("build")
    (made,) = build_packages([function], out=out, observer=Noted(), python=PYTHON, reuse=False)
    return made


@pytest.fixture(scope="session")
def unpacked(package: Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same package, unpacked into a read-only folder as on FunctionGraph."""
    root = tmp_path_factory.mktemp("code")
    with zipfile.ZipFile(package.path) as archive:
        archive.extractall(root)
    for path in [*root.rglob("*"), root]:
        path.chmod(path.stat().st_mode & ~0o222)
    return root


def make_wheel(folder: Path, files: dict[str, str], name: str = "greeting", tag: str = "py3-none-any") -> str:
    """Write version 1.0 of a distribution to *folder*, and return its line of requirements.txt."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-1.0.dist-info"
    metadata = {
        f"{info}/METADATA": f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\nLicense-Expression: MIT\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{info}/RECORD": "",
        f"{info}/licenses/LICENSE": "Do what you like.\n",
    }
    path = folder / f"{name}-1.0-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in (files | metadata).items():
            archive.writestr(zipfile.ZipInfo(member), text)
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.fixture(scope="session")
def _wheel_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _wheel_cache: Path) -> Path:
    """A folder of wheels, the only one that pip uses. Tests share a cache, so that pip rarely has to run."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_INDEX_URL", "PIP_CONSTRAINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(_wheel_cache))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def application(tmp_path: Path, index: Path) -> Callable[..., Function]:
    """Write an application with one function and one requirement, and return the function."""

    def write(root: str = "application", **sources: str) -> Function:
        code_root = tmp_path / root
        code_uri = code_root / "functions" / "greet"
        code_uri.mkdir(parents=True)
        (code_root / "shared").mkdir()
        requirement = make_wheel(index, {"greeting/__init__.py": "WORD = 'hello'\n"})
        texts = {
            "functions/greet/index.py": "from greeting import WORD\n\ndef handler(event, context):\n    return WORD\n",
            "shared/__init__.py": "",
            "requirements.txt": requirement,
        }
        for name, text in (texts | sources).items():
            path = code_root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return a_function(code_root, code_uri)

    return write


def build(function: Function, tmp_path: Path, **options: object) -> Package:
    """Build the package of a function, by default a full one and not from the cache."""
    given = {"out": tmp_path / "build", "observer": Noted(), "full": True, "reuse": False} | options
    (package,) = build_packages([function], **given)  # type: ignore[arg-type]
    return package


def names(package: Package) -> set[str]:
    """The paths in the zip of a package."""
    with zipfile.ZipFile(package.path) as archive:
        return set(archive.namelist())


def a_function(code_root: Path, code_uri: Path, **changes: Any) -> Function:
    """A function of a template."""
    values: dict[str, Any] = {
        "resource": "Greet",
        "name": "greet",
        "description": "",
        "code_root": code_root,
        "code_uri": code_uri,
        "handler": "index.handler",
        "initializer": None,
        "initializer_timeout": 10,
        "runtime": f"Python{PYTHON}",
        "memory_size": 256,
        "timeout": 10,
        "agency": None,
        "variables": {},
        "async_invoke": None,
        "events": (),
    }
    return Function(**(values | changes))

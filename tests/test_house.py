"""The arrows of the house run one way."""

import ast
from pathlib import Path

import pytest


ROOT = Path(__file__).parent.parent

# Which of our own packages each may import, beside itself.
ALLOWED: dict[str, set[str]] = {
    "functions": {"shared.bootstrap", "shared.runtime"},
    "shared/bootstrap.py": {"shared", "shared.create_backup"},
    **{
        f"shared/{path.name}": {"shared.runtime", "shared.triggers", "shared.backups"}
        for path in sorted((ROOT / "shared").glob("*_backup*.py"))
    },
    "shared/runtime": {"shared.backups"},
    "shared/triggers": {"shared.backups"},
    "shared/cloud": {"shared.backups"},
    "shared/backups": set(),
    "localcloud": set(),
    # What the commands stand on stands on no command.
    "cli/huaweicloud": {"cli.cloud", "cli.errors", "cli.json_value", "cli.template", "shared.runtime.settings"},
}


def imports(path: Path) -> set[str]:
    """Every module that a file imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or ".")
    return found


def files(place: str) -> list[Path]:
    """The Python files of a place."""
    path = ROOT / place
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


def within(module: str, packages: set[str]) -> bool:
    """Whether a module is one of the packages or in one."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("place", ALLOWED)
def test_imports_run_one_way(place: str) -> None:
    """functions -> bootstrap -> {runtime, triggers, cloud} -> backups; localcloud stands alone."""
    itself = place.removesuffix(".py").replace("/", ".")
    wrong = {
        f"{path.relative_to(ROOT)}: {module}"
        for path in files(place)
        for module in imports(path)
        if within(module, {"shared", "localcloud", "cli", "functions"})
        if not within(module, ALLOWED[place] | {itself})
    }

    assert files(place)
    assert not wrong


@pytest.mark.parametrize("place", ["functions", "shared", "localcloud", "cli"])
def test_only_the_cloud_side_imports_the_sdk(place: str) -> None:
    """And nobody boto3."""
    wrong = {
        f"{path.relative_to(ROOT)}: {module}"
        for path in files(place)
        for module in imports(path)
        if module.startswith(("huaweicloudsdk", "boto"))
        if not {"shared/cloud", "cli/huaweicloud"} & {"/".join(path.relative_to(ROOT).parts[:2])}
    }

    assert not wrong


def test_an_entry_point_defines_no_class() -> None:
    """The platform loads it without registering it, where dataclasses and pydantic models break."""
    entries = files("functions")

    assert entries
    for path in entries:
        assert not any(isinstance(node, ast.ClassDef) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))

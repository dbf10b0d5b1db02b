"""The arrows of the architecture run one way."""

import ast
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest


ROOT = Path(__file__).parent.parent
FUNCTIONS = ("create", "track", "prune", "audit", "drill")
COMMON = {f"shared.{path.stem}" for path in (ROOT / "shared").glob("*.py")} - {"shared.bootstrap", "shared.__init__"}

# Which of our own modules each place may import, in addition to itself.
ALLOWED: dict[str, set[str]] = {
    "functions": {"shared.bootstrap", "shared.runtime"},
    "shared/bootstrap.py": {"shared"},
    **{f"shared/{name}": {"shared.runtime", "shared.triggers", *COMMON} for name in FUNCTIONS},
    "shared/triggers": COMMON,
    "shared/cloud": COMMON,
    "shared/runtime": COMMON,
    **{module.replace(".", "/") + ".py": COMMON for module in sorted(COMMON)},
    "localcloud": set(),
    # What the commands stand on imports no command.
    "cli/template": {"cli.errors", "cli.json_value", "cli.paths", "localcloud.functiongraph", "shared.cloud"},
    "cli/huaweicloud": {"cli.cloud", "cli.errors", "cli.json_value", "cli.template", "shared.runtime.settings"},
}


@cache
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
    """functions -> bootstrap -> the function's package -> {triggers, cloud, runtime} -> what all share."""
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


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_work_of_a_function_knows_no_platform(name: str) -> None:
    """Only its function.py imports triggers and runtime; the rest is tested with fakes."""
    wrong = {
        f"{path.relative_to(ROOT)}: {module}"
        for path in files(f"shared/{name}")
        if path.name != "function.py"
        for module in imports(path)
        if within(module, {"shared.triggers", "shared.cloud", "shared.runtime"})
    }

    assert not wrong


@pytest.mark.parametrize("package", ["shared", "localcloud", "cli"])
def test_no_module_imports_itself_through_others(package: str) -> None:
    """The imports at the top of the modules form no circle."""
    graph: dict[str, set[str]] = {}
    for path in files(package):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        top = ast.parse(path.read_text(encoding="utf-8")).body
        found = {n.module for n in top if isinstance(n, ast.ImportFrom) and n.module}
        found |= {alias.name for n in top if isinstance(n, ast.Import) for alias in n.names}
        graph[module] = {name for name in found if within(name, {package})}

    assert list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("place", ["functions", "shared", "localcloud", "cli"])
def test_only_the_cloud_side_imports_the_sdk(place: str) -> None:
    """Nothing else imports the SDK, and nothing imports boto3."""
    wrong = {
        f"{path.relative_to(ROOT)}: {module}"
        for path in files(place)
        for module in imports(path)
        if module.startswith(("huaweicloudsdk", "boto"))
        if not {"shared/cloud", "cli/huaweicloud"} & {"/".join(path.relative_to(ROOT).parts[:2])}
    }

    assert not wrong


def test_only_a_drill_that_connects_imports_the_driver() -> None:
    """The import of pymongo costs 0.1 s of cold start, so only one module of `shared` has it, inside functions."""
    wrong = {
        f"{path.relative_to(ROOT)}: {module}"
        for path in files("shared")
        for module in imports(path)
        if within(module, {"pymongo", "bson"})
        if path != ROOT / "shared/drill/connect.py"
    }
    code = "import sys, shared.drill.connect; sys.exit('pymongo' in sys.modules or 'bson' in sys.modules)"

    assert not wrong
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_an_entry_point_defines_no_class() -> None:
    """The platform loads it without registering it, where dataclasses and pydantic models break."""
    entries = files("functions")

    assert entries
    for path in entries:
        assert not any(isinstance(node, ast.ClassDef) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))

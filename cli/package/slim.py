"""What the functions never reach, left out; what they import without using it, replaced; the rest as published."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from cli.package.contents import Files
from cli.package.lazy import lazy_package
from cli.package.model import PackagingFailed
from cli.package.reach import left_out, reached_modules, services


RULES = Path(__file__).with_name("slim.yaml")

STUB = '''\
"""Made by `ddsbackup package` in place of {module}. {reason}"""


def _left_out(*arguments, **named):
    raise ImportError("{module} was left out of this package: `ddsbackup package --full` leaves out nothing")


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    _left_out()
'''
CLASS = """

class {name}:
    __init__ = _left_out
"""
HIDDEN = '''\
"""Made by `ddsbackup package` to hide {module}. {reason}"""

raise ImportError("{module} is hidden by this package")
'''


@dataclass(frozen=True, slots=True)
class Rules:
    """What ``slim.yaml`` says about some requirements."""

    leave_out: tuple[str, ...]
    """Patterns of paths, each of which has to fit something."""
    made: Files = field(repr=False)
    """The stubs and what hides modules, by path."""
    lazy: tuple[str, ...]
    """The ``__init__.py`` of packages."""
    leave_out_of_all: tuple[str, ...] = ()
    """Patterns of paths that need not fit anything."""
    made_for: frozenset[str] = frozenset()
    """The requirements of which it is known what they import."""


def read_rules(requirements: AbstractSet[str], file: Path = RULES) -> Rules:
    """Return what *file* says about the *requirements*, distributions by their normalized names."""
    data: dict[str, list[Any]] = yaml.safe_load(file.read_text(encoding="utf-8"))
    made_for = frozenset(data.pop("made_for"))
    rules: dict[str, list[dict[str, Any]]] = {
        section: [entry for entry in entries if entry.get("of") in {None, *requirements}]
        for section, entries in data.items()
    }
    made: Files = {}
    for entry in rules["stubs"]:
        made |= _stub(entry)
    for entry in rules["hidden"]:
        made[f"{entry['module']}.py"] = HIDDEN.format(**entry).encode()
    return Rules(
        leave_out=tuple(path for entry in rules["leave_out"] if "of" in entry for path in entry["paths"]),
        made=made,
        lazy=tuple(f"{entry['package']}/__init__.py" for entry in rules["lazy"]),
        leave_out_of_all=tuple(path for entry in rules["leave_out"] if "of" not in entry for path in entry["paths"]),
        made_for=made_for,
    )


def _stub(entry: dict[str, Any]) -> Files:
    """The module, and the packages that it is in, empty."""
    *parents, _ = folders = entry["module"].split(".")
    classes = "".join(CLASS.format(name=name) for name in entry.get("classes", ()))
    files = {"/".join([*parents[: depth + 1], "__init__.py"]): b"" for depth in range(len(parents))}
    return files | {"/".join(folders) + ".py": (STUB.format(**entry) + classes).encode()}


def slim(files: Files, ours: Iterable[bytes], rules: Rules) -> Files:
    """Return the files of the wheels, *files*, cut down to what the modules *ours* (their sources) reach.

    Raises PackagingFailed when a rule fits nothing, as after a change of versions: then it is to be looked at again.
    """
    unused = [pattern for pattern in rules.leave_out if not any(fnmatchcase(name, pattern) for name in files)]
    unused += [name for name in rules.lazy if name not in files]
    if unused:
        raise PackagingFailed(f"{RULES.name}: nothing in the requirements is like {', '.join(unused)}")
    kept = {
        name: content
        for name, content in files.items()
        if not any(fnmatchcase(name, pattern) for pattern in (*rules.leave_out, *rules.leave_out_of_all))
    }
    sources = list(ours)
    for service in services(files):
        reached = reached_modules(service, files, sources)
        kept = {name: content for name, content in kept.items() if name not in left_out(service, reached)}
        for name in service.packages:
            kept[name] = lazy_package(name, files[name], frozenset(service.modules.values()) - reached)
    for name in rules.lazy:
        kept[name] = lazy_package(name, files[name])
    return kept | rules.made

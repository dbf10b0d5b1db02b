"""What modules import, as their sources say it."""

import ast
import sys
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet


def imported(source: bytes) -> Iterator[tuple[str, str]]:
    """Yield each import by an absolute name: ``("a.b", "")`` for ``import a.b``, else module and name.

    Nothing of what is no Python: to compile it says so.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.module, alias.name) for alias in node.names)


def imports_among(sources: Mapping[str, bytes], files: AbstractSet[str]) -> Iterator[tuple[str, str]]:
    """Yield the path of each of *sources* that imports a module which is one of *files*, and that module's name."""
    for path, source in sources.items():
        for module, name in imported(source):
            for asked in (module, f"{module}.{name}") if name else (module,):
                folder = asked.replace(".", "/")
                if files & {f"{folder}.py", f"{folder}/__init__.py"}:
                    yield path, asked


def imports_of_nothing(ours: Mapping[str, bytes], files: AbstractSet[str], entry: str) -> dict[str, str]:
    """Return the top-level modules that *ours* import and neither *files* nor Python have, each with one importer.

    Modules are looked for at the root and in the folder of *entry*, the handler's file.
    """
    folder = entry.rpartition("/")[0]
    here = f"{folder}/" if folder else ""
    found = {name.removeprefix(prefix).split("/")[0].split(".")[0] for prefix in {"", here} for name in files}
    known = found | sys.stdlib_module_names
    modules = [path for path in sorted(ours) if path.endswith(".py")]
    imports = ((path, module.split(".")[0]) for path in modules for module, _ in imported(ours[path]))
    return {module: path for path, module in imports if module not in known}

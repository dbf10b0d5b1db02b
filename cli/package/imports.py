"""What modules import, as their sources say it."""

import ast
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

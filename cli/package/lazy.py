"""Packages made to import their modules when something of them is asked for, instead of all of them at once.

``huaweicloudsdkdds/v3/__init__.py`` imports both clients and 419 models, one module each, and the client does the same
once more. Every name comes from a ``from module import Name``; the same as a table with a module level ``__getattr__``
(PEP 562) is all that is needed, also by the SDK, which finds models by ``getattr(package, name)``.
"""

import ast
from collections.abc import Set as AbstractSet

from cli.package.model import PackagingFailed


LAZY = '''\
"""Made by `ddsbackup package` from the published {file}, which imports all of this at once."""

from importlib import import_module

_MODULES = {modules}
_LEFT_OUT = {left_out}


def __getattr__(name):
    if name in _LEFT_OUT:
        raise ImportError(f"{{name}} was left out of this package: `ddsbackup package --full` leaves out nothing")
    if name not in _MODULES:
        raise AttributeError(f"module {{__name__!r}} has no attribute {{name!r}}")
    value = globals()[name] = getattr(import_module(_MODULES[name], __name__), name)
    return value


def __dir__():
    return sorted(globals().keys() | _MODULES.keys())
'''


def lazy_package(file: str, source: bytes, left_out: AbstractSet[str] = frozenset()) -> bytes:
    """Return a lazy ``__init__.py`` in place of *source*; to ask for a name of the modules *left_out* says so.

    What *source* does beside importing from its own package stays as it is.
    Raises PackagingFailed when *source* is not of that kind, as a later version might be.
    """
    modules, others = _split(file, source)
    kept = [f"{name!r}: {module!r}" for name, module in modules.items() if module not in left_out]
    gone = [repr(name) for name, module in modules.items() if module in left_out]
    text = LAZY.format(file=file, modules=_literal("{", kept, "}"), left_out=_literal("(", gone, ")"))
    return "\n\n".join([text, *map(ast.unparse, others)]).encode()


def imported_names(file: str, source: bytes) -> dict[str, str]:
    """Return the module of each name that *source* imports from its own package."""
    return _split(file, source)[0]


def _split(file: str, source: bytes) -> tuple[dict[str, str], list[ast.stmt]]:
    own = file.rpartition("/")[0].replace("/", ".")
    names, others = dict[str, str](), list[ast.stmt]()
    for statement in ast.parse(source, file).body:
        match statement:
            case ast.ImportFrom(module="__future__") | ast.Expr(value=ast.Constant()):
                pass
            case ast.ImportFrom(module=str(module), level=level) if level == 1 or module.startswith(f"{own}."):
                if any(alias.name == "*" or alias.asname for alias in statement.names):
                    raise PackagingFailed(_unexpected(file, statement))
                names.update({alias.name: "." * level + module for alias in statement.names})
            case ast.Import() | ast.ImportFrom() | ast.Expr() | ast.Assign(targets=[ast.Name(id="__all__")]):
                others.append(statement)
            case _:
                raise PackagingFailed(_unexpected(file, statement))
    return names, others


def _unexpected(file: str, statement: ast.stmt) -> str:
    return (
        f"{file}, line {statement.lineno}: cannot be made lazy in this version: `{ast.unparse(statement)}`\n"
        "Pack it as it is published: ddsbackup package --full"
    )


def _literal(opening: str, items: list[str], closing: str) -> str:
    return "\n".join([opening, *(f"    {item}," for item in items), closing])

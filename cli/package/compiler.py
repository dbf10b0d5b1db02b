"""Compiles a tree of modules. Runs with the target's Python: ``python -m cli.package.compiler ROOT CODE``.

It imports only the standard library, and its syntax is that of Python 3.10. For each ``x.py`` below ROOT that compiles,
it writes ``__pycache__/x.<tag>.pyc`` as if the module were below CODE. For each module, it prints a line: the path, and
if the module does not compile, a tab and the error.

The same source gives the same bytes in every process on every machine. That takes some care: `marshal` marks an object
as shared if anything else in the process refers to it, and as interned if anything interned it. Python 3.10 writes
frozen sets in an order that depends on earlier interned strings and on the address of None. The caller sets
PYTHONHASHSEED=0.
"""

import ast
import importlib.util
import signal
import sys
from collections.abc import Iterator
from importlib._bootstrap_external import _code_to_hash_pyc  # type: ignore[attr-defined]  # as py_compile does
from pathlib import Path
from types import CodeType


INTERNED = [sys.intern(chr(number)) for number in range(256)]
"""Interned here, so that it does not depend on what else interns single characters."""


def compile_tree(root: Path, code_root: str) -> None:
    """Compile every module below *root*, sorted by path."""
    for source in sorted(root.rglob("*.py")):
        name = source.relative_to(root).as_posix()
        try:
            byte_code = compiled(source.read_bytes(), f"{code_root}/{name}")
        except (SyntaxError, ValueError) as error:
            print(name, str(error).replace("\n", " "), sep="\t", flush=True)
            continue
        target = Path(importlib.util.cache_from_source(str(source)))
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(byte_code)
        print(name, flush=True)


def compiled(source: bytes, file: str) -> bytes:
    """Return the content of a .pyc that is not compared with its source (PEP 552, unchecked hash-based).

    The zip has no times to compare, and the function's folder is read-only.
    """
    code = compile(source, file, "exec", dont_inherit=True, optimize=0)
    if sys.version_info < (3, 11):
        if any(isinstance(part, frozenset) and None in part for part in parts(code)):
            tree = _WithoutNoneInSets().visit(ast.parse(source, file))
            code = compile(tree, file, "exec", dont_inherit=True, optimize=0)
        code = _with_sets_in_order(code)
    held = list(parts(code))  # so that marshal marks every object as shared
    byte_code: bytes = _code_to_hash_pyc(code, importlib.util.source_hash(source), False)
    del held
    return byte_code


class _WithoutNoneInSets(ast.NodeTransformer):
    """``x in {None, "a"}`` becomes ``x in (None, "a")``."""

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        for position, (operator, right) in enumerate(zip(node.ops, node.comparators, strict=True)):
            if isinstance(operator, (ast.In, ast.NotIn)) and isinstance(right, ast.Set):
                node.comparators[position] = ast.copy_location(ast.Tuple(right.elts, ast.Load()), right)
        return node


def _with_sets_in_order(code: CodeType) -> CodeType:
    """Return *code* with each frozen set rebuilt, its members inserted in sorted order."""

    def remade(value: object) -> object:
        if isinstance(value, CodeType):
            return _with_sets_in_order(value)
        return frozenset(sorted(value, key=repr)) if isinstance(value, frozenset) else value

    return code.replace(co_consts=tuple(remade(value) for value in code.co_consts))


def parts(value: object) -> Iterator[object]:
    """Yield *value* and every object inside it that `marshal` writes."""
    yield value
    if isinstance(value, CodeType):
        for name in dir(value):
            if name.startswith("co_"):
                yield from parts(getattr(value, name))
    elif isinstance(value, (tuple, list, frozenset, dict)):
        for part in [*value, *(value.values() if isinstance(value, dict) else ())]:
            yield from parts(part)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the parent receives Ctrl-C, too, and reports it
    compile_tree(Path(sys.argv[1]), sys.argv[2])

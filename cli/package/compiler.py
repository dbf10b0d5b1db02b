"""Compiles a tree of modules, run by the Python that the byte code is for: ``-m cli.package.compiler ROOT CODE``.

Only the standard library is imported, and no syntax is used that Python 3.10 does not know. Beside each ``x.py`` below
ROOT that compiles, ``__pycache__/x.<tag>.pyc`` is written as if it lay below CODE. A line is printed for each module:
its path, and after a tab why it does not compile, if it does not.

The same source gives the same bytes in every process on every machine; it takes care of what does not by itself:
`marshal` marks what it writes as shared when anything in the process refers to it too, and as interned when anything
interned it, and Python 3.10 writes frozen sets in an order that depends on who interned their strings before and on the
address of None. The seed of the hashes is the caller's, PYTHONHASHSEED=0.
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
"""One object a process each, whoever made it: interned by us, before it depends on who else does."""


def compile_tree(root: Path, code_root: str) -> None:
    """Compile every module below *root*, in the order of their paths."""
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
    """Return the content of a .pyc that is never held against its source (PEP 552, unchecked hash-based).

    The zip carries no time that could be compared, and a function's folder cannot be written to.
    """
    code = compile(source, file, "exec", dont_inherit=True, optimize=0)
    if sys.version_info < (3, 11):
        if any(isinstance(part, frozenset) and None in part for part in parts(code)):
            tree = _WithoutNoneInSets().visit(ast.parse(source, file))
            code = compile(tree, file, "exec", dont_inherit=True, optimize=0)
        code = _with_sets_in_order(code)
    held = list(parts(code))  # so that all of it is shared
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
    """The same with each frozen set made anew, its members put in one after the other in the same order always."""

    def remade(value: object) -> object:
        if isinstance(value, CodeType):
            return _with_sets_in_order(value)
        return frozenset(sorted(value, key=repr)) if isinstance(value, frozenset) else value

    return code.replace(co_consts=tuple(remade(value) for value in code.co_consts))


def parts(value: object) -> Iterator[object]:
    """Yield *value* and whatever `marshal` writes along with it."""
    yield value
    if isinstance(value, CodeType):
        for name in dir(value):
            if name.startswith("co_"):
                yield from parts(getattr(value, name))
    elif isinstance(value, (tuple, list, frozenset, dict)):
        for part in [*value, *(value.values() if isinstance(value, dict) else ())]:
            yield from parts(part)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C is for the parent, too, which says so
    compile_tree(Path(sys.argv[1]), sys.argv[2])

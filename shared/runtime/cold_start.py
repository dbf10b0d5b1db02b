"""Shortens a cold start, which is mostly imports.

The byte code of the imports is in hundreds of files, each of which Python looks for, opens and reads. Libraries also
compile texts while they are imported (methods of dataclasses, annotations, patterns), and Python caches none of that.
`ddsbackup package` records all of it in one file next to this module. Without that file, and for everything that is not
in it, modules are imported and texts compiled as usual. The same applies to a module of the application whose source
differs from the recorded one, and to the whole file if it is damaged or from another Python, which is logged.
"""

import gc
import hashlib
import importlib.util
import logging
import marshal
import os
import re
import sys
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple


Modules = dict[str, tuple[str, bytes, bytes]]
Patterns = dict[tuple[str | bytes, int], tuple[int, list[int], int, dict[str, int], tuple[str | None, ...]]]


_MAGIC = importlib.util.MAGIC_NUMBER
_LOGGER = logging.getLogger(__name__)
_HEADER = len(_MAGIC) + hashlib.sha256().digest_size


class UnusableRecordError(Exception):
    """A recorded file is damaged, or was made by another Python."""


class Record(NamedTuple):
    """The content of the recorded file.

    The file has the magic number of byte code, then the SHA-256 of the rest, then the rest, marshalled.

    Attributes:
        modules: for each module its file, relative to the root of the package, the hash of its source (PEP 552), and
            its byte code as in `.pyc` files after the header. The hash is empty for modules of requirements, whose
            sources are not compared.
        texts: what `dataclasses` and `typing` compile, by source text. In the file, they are marshalled on their own,
            so that any Python can read the rest.
        patterns: the arguments of `_sre.compile` after the pattern, by pattern and flags.
    """

    modules: Modules
    texts: dict[str, CodeType]
    patterns: Patterns

    @classmethod
    def parse(cls, content: bytes) -> "Record":
        """Read the content of a file. Nothing is unmarshalled unless it is complete and from this version of Python.

        Raises:
            UnusableRecordError: the content is damaged, or was made by another Python.
        """
        rest = memoryview(content)[_HEADER:]
        # A wrong size or order of objects can crash the interpreter, so marshal only reads what was written.
        if content[len(_MAGIC) : _HEADER] != hashlib.sha256(rest).digest():
            raise UnusableRecordError("it is damaged: its SHA-256 does not match")
        if not content.startswith(_MAGIC):
            raise UnusableRecordError("it was made by another version of Python")
        modules, texts, patterns = marshal.loads(rest)  # noqa: S302 it comes with the code, as byte code does
        return cls(modules, marshal.loads(texts), patterns)  # noqa: S302 as above


def recorded_file(cache_tag: str = sys.implementation.cache_tag) -> Path:
    """Return the path of the file for a version of Python, by the tag of its `.pyc` files (`cpython-310`)."""
    return Path(__file__).with_name(f"cold_start.{cache_tag}.bin")


@contextmanager
def importing() -> Iterator[None]:
    """Import a function's modules inside this context. All changes to the interpreter are undone at its end.

    Garbage collection is off meanwhile, since almost nothing is garbage. At the end all objects are frozen, so that
    later collections skip them. A record that cannot be used is logged at the end, when the log is set up.
    """
    # pydantic would search the metadata of every installed package for plug-ins, FunctionGraph's own packages included.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.disable()
    record = problem = None
    try:
        record = Record.parse(recorded_file().read_bytes())
    except FileNotFoundError:
        pass  # packed without one
    except Exception as error:  # noqa: BLE001 whatever is wrong with it, the function can do without
        problem = str(error)
    try:
        if record is None:
            yield
        else:
            with _compiled(record), _found(record):
                yield
    finally:
        gc.freeze()
        gc.enable()
        if problem:
            _LOGGER.warning("%s is not used, so the cold start takes longer: %s", recorded_file().name, problem)


@contextmanager
def _compiled(record: Record) -> Iterator[None]:
    """Make `re`, `typing` and `dataclasses` use what is recorded instead of compiling it."""
    texts, patterns = record.texts, record.patterns
    compiler: Any = vars(re).get("_compiler") or vars(re)["sre_compile"]  # since Python 3.11, until 3.10
    compile_pattern, sre = compiler.compile, vars(compiler)["_sre"]

    def find_pattern(pattern: Any, flags: int = 0) -> Any:
        known = patterns.get((pattern, int(flags))) if isinstance(pattern, (str, bytes)) else None
        return sre.compile(pattern, *known) if known else compile_pattern(pattern, flags)

    def find_annotation(text: str, filename: str, mode: str) -> CodeType:
        return texts.get(text) or compile(text, filename, mode)

    def execute(text: str, variables: dict[str, Any], names: dict[str, Any]) -> None:
        exec(texts.get(text, text), variables, names)  # noqa: S102 what dataclasses does itself

    compiler.compile = find_pattern
    vars(typing)["compile"] = find_annotation
    import dataclasses  # compiles patterns itself

    vars(dataclasses)["exec"] = execute
    try:
        yield
    finally:
        del vars(dataclasses)["exec"], vars(typing)["compile"]
        compiler.compile = compile_pattern


@contextmanager
def _found(record: Record) -> Iterator[None]:
    """Find recorded modules before any folder is searched."""
    finder = _Finder(record.modules)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Finder:
    """Finds modules in a record."""

    def __init__(self, modules: Modules) -> None:
        self._modules = modules
        self._root = Path(__file__).parents[2]

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        """Return the spec of a recorded module (the protocol of `sys.meta_path`)."""
        found = self._modules.pop(name, None)
        if found is None:
            return None
        relative, source_hash, byte_code = found
        loader = _Loader(name, f"{self._root}/{relative}", byte_code)
        if source_hash and not loader.has_source(source_hash):
            return None
        is_package = loader.path.endswith("/__init__.py")
        spec = ModuleSpec(name, loader, origin=loader.path, is_package=is_package)
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations = [loader.path.removesuffix("/__init__.py")]
        return spec


class _Loader(SourceFileLoader):
    """Loads a module from recorded byte code, and from its file if it is loaded again."""

    def __init__(self, name: str, file: str, byte_code: bytes) -> None:
        super().__init__(name, file)
        self.path: str = file
        self._byte_code = byte_code

    def has_source(self, source_hash: bytes) -> bool:
        """Whether the module's file has the source with this hash."""
        try:
            return importlib.util.source_hash(self.get_data(self.path)) == source_hash
        except OSError:
            return False

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the module's code."""
        byte_code, self._byte_code = self._byte_code, b""
        return marshal.loads(byte_code) if byte_code else super().get_code(fullname)  # noqa: S302 as above

"""The imports of modules, read from their sources, and the SDK modules that they reach."""

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from cli.package.model import Files, PackagingFailed


def imported(source: bytes) -> Iterator[tuple[str, str]]:
    """Yield each absolute import as module and name. For ``import a.b``, that is ``("a.b", "")``.

    Yields nothing if the source is not valid Python, which its compilation reports.
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


def imports_among(sources: Files, files: AbstractSet[str]) -> Iterator[tuple[str, str]]:
    """Yield the path of each source and the name of each module that it imports, if that module is among *files*."""
    for path, source in sources.items():
        for module, name in imported(source):
            for asked in (module, f"{module}.{name}") if name else (module,):
                folder = asked.replace(".", "/")
                if files & {f"{folder}.py", f"{folder}/__init__.py"}:
                    yield path, asked


def imported_inside(source: bytes) -> dict[str, set[str]]:
    """Return the modules that each top-level function of a module imports in its body."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return {}
    definitions = [node for node in body if isinstance(node, ast.FunctionDef)]
    return {node.name: {module for module, _ in imported(ast.unparse(node).encode())} for node in definitions}


def without_functions(source: bytes, names: AbstractSet[str]) -> bytes:
    """Return a module without the top-level functions *names* and without its blocks for type checkers."""
    tree = ast.parse(source)
    tree.body = [node for node in tree.body if not _is_for_types(node) and getattr(node, "name", "") not in names]
    return ast.unparse(tree).encode()


def _is_for_types(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def unresolved_imports(ours: Files, files: AbstractSet[str], handler: str) -> dict[str, str]:
    """Return the top-level modules that are neither in *files* nor in Python, each with the path of one importer.

    Only imports of *ours* count. Modules are looked up at the root and in the folder of the *handler*'s file.
    """
    folder = handler.rpartition("/")[0]
    here = f"{folder}/" if folder else ""
    found = {name.removeprefix(prefix).split("/")[0].split(".")[0] for prefix in {"", here} for name in files}
    known = found | sys.stdlib_module_names
    modules = [path for path in sorted(ours) if path.endswith(".py")]
    imports = ((path, module.split(".")[0]) for path in modules for module, _ in imported(ours[path]))
    return {module: path for path, module in imports if module not in known}


def own_imports(file: str, source: bytes) -> tuple[dict[str, str], list[ast.stmt]]:
    """Return the module of each name that an ``__init__.py`` imports from its own package, and its other statements.

    Raises PackagingFailed if the file does more than import and set up, so that it cannot be made lazy.
    """
    own = file.rpartition("/")[0].replace("/", ".")
    names, others = dict[str, str](), list[ast.stmt]()
    for statement in ast.parse(source, file).body:
        match statement:
            case ast.ImportFrom(module="__future__") | ast.Expr(value=ast.Constant()):
                pass
            case ast.ImportFrom(module=str(module), level=level) if level == 1 or module.startswith(f"{own}."):
                if any(alias.name == "*" or alias.asname for alias in statement.names):
                    raise PackagingFailed(_not_lazy(file, statement))
                names.update({alias.name: "." * level + module for alias in statement.names})
            case ast.Import() | ast.ImportFrom() | ast.Expr() | ast.Assign(targets=[ast.Name(id="__all__")]):
                others.append(statement)
            case _:
                raise PackagingFailed(_not_lazy(file, statement))
    return names, others


def _not_lazy(file: str, statement: ast.stmt) -> str:
    return (
        f"{file}, line {statement.lineno}: this version cannot be made lazy: `{ast.unparse(statement)}`\n"
        "Pack it as published: ddsbackup package --full"
    )


_SERVICE = re.compile(r"(huaweicloudsdk\w+/v\d+)/model/__init__\.py")


@dataclass(frozen=True, slots=True)
class Service:
    """A service of the SDK among the packed files, such as ``huaweicloudsdkdds/v3``."""

    folder: str
    modules: Mapping[str, str]
    """The module of each client and model of the package, by class name."""

    @property
    def packages(self) -> tuple[str, str]:
        """The files that import all modules."""
        return f"{self.folder}/__init__.py", f"{self.folder}/model/__init__.py"


def services(files: Files) -> tuple[Service, ...]:
    """Return the services among *files*."""
    folders = [match[1] for name in sorted(files) if (match := _SERVICE.fullmatch(name))]
    inits = {folder: f"{folder}/__init__.py" for folder in folders}
    return tuple(Service(folder, own_imports(init, files[init])[0]) for folder, init in inits.items())


def reached_modules(service: Service, files: Files, ours: Iterable[bytes]) -> set[str]:
    """Return the modules of *service* that *ours*, the sources of modules, reach.

    Those are the modules of the classes that *ours* import, of the response to each request (the SDK looks up
    ``XResponse`` by name), and of the types of their attributes, recursively.
    """
    names = {name for source in ours for name in _imported_from(service, source)}
    names |= {name.removesuffix("Request") + "Response" for name in names if name.endswith("Request")}
    waiting, reached = names & service.modules.keys(), set[str]()
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting |= _attribute_types(files[_file(service.modules[name])]) & service.modules.keys() - reached
    return {service.modules[name] for name in reached}


def unreached_files(service: Service, reached: set[str]) -> set[str]:
    """Return the files of the modules of *service* that are not *reached*."""
    return {_file(module) for module in service.modules.values() if module not in reached}


def _file(module: str) -> str:
    return module.replace(".", "/") + ".py"


def _imported_from(service: Service, source: bytes) -> set[str]:
    package = service.folder.replace("/", ".")
    found = set[str]()
    for module, name in imported(source):
        if f"{module}.".startswith(f"{package}.") and name not in {"", "*"}:
            found.add(name)
        elif f"{module}.{name}.".startswith(f"{package}."):  # the whole package: any class may be used
            found |= service.modules.keys()
    return found


def _attribute_types(source: bytes) -> set[str]:
    """Return the names in the values of ``openapi_types``: ``{"backups": "list[BackupForList]"}``."""
    found = set[str]()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Assign(targets=[ast.Name(id="openapi_types")], value=ast.Dict(values=values)):
                for value in values:
                    found |= set(re.findall(r"\w+", ast.literal_eval(value)))
            case _:
                pass
    return found

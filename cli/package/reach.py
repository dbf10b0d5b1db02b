"""Which modules of the SDK's services our code reaches: what it imports by name, and what these classes refer to."""

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cli.package.imports import imported
from cli.package.lazy import imported_names


_PACKAGE = re.compile(r"(huaweicloudsdk\w+/v\d+)/model/__init__\.py")


@dataclass(frozen=True, slots=True)
class Service:
    """A service of the SDK among the packed files, such as ``huaweicloudsdkdds/v3``."""

    folder: str
    modules: Mapping[str, str]
    """The module of each name that the package offers: its clients and its models."""

    @property
    def packages(self) -> tuple[str, str]:
        """The files that import all of it."""
        return f"{self.folder}/__init__.py", f"{self.folder}/model/__init__.py"


def services(files: Mapping[str, bytes]) -> tuple[Service, ...]:
    """Return the services that are among *files*."""
    folders = [match[1] for name in sorted(files) if (match := _PACKAGE.fullmatch(name))]
    return tuple(
        Service(folder, imported_names(f"{folder}/__init__.py", files[f"{folder}/__init__.py"])) for folder in folders
    )


def reached_modules(service: Service, files: Mapping[str, bytes], ours: Iterable[bytes]) -> set[str]:
    """Return the modules of *service* that *ours*, the sources of modules, reach.

    Those are the classes imported from it anywhere, the answer to each request (the SDK finds ``XResponse`` by name),
    and whatever their attributes are of, all the way down.
    """
    names = {name for source in ours for name in _imported_from(service, source)}
    names |= {name.removesuffix("Request") + "Response" for name in names if name.endswith("Request")}
    waiting, reached = names & service.modules.keys(), set[str]()
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting |= _attribute_types(files[_file(service.modules[name])]) & service.modules.keys() - reached
    return {service.modules[name] for name in reached}


def left_out(service: Service, reached: set[str]) -> set[str]:
    """Return the files of *service* that are not *reached*."""
    return {_file(module) for module in service.modules.values() if module not in reached}


def _file(module: str) -> str:
    return module.replace(".", "/") + ".py"


def _imported_from(service: Service, source: bytes) -> set[str]:
    package = service.folder.replace("/", ".")
    found = set[str]()
    for module, name in imported(source):
        if f"{module}.".startswith(f"{package}.") and name not in {"", "*"}:
            found.add(name)
        elif f"{module}.{name}.".startswith(f"{package}."):  # all of it: nothing says which
            found |= service.modules.keys()
    return found


def _attribute_types(source: bytes) -> set[str]:
    """The names in the values of ``openapi_types``: ``{"backups": "list[BackupForList]", "total_count": "int"}``."""
    found = set[str]()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Assign(targets=[ast.Name(id="openapi_types")], value=ast.Dict(values=values)):
                for value in values:
                    found |= set(re.findall(r"\w+", ast.literal_eval(value)))
            case _:
                pass
    return found

"""The names of functions: urn:fss:REGION:PROJECT:function:PACKAGE:NAME, a version or !alias after it at will."""

import re

from localcloud.functiongraph.errors import functiongraph_error
from localcloud.region import Region


LATEST = "latest"
_FORM = re.compile(
    r"(?P<function>urn:fss:[A-Za-z0-9-]+:[A-Za-z0-9-]+:function:[^:/]+:[^:/]+)(?::(?P<version>!?[A-Za-z0-9_.-]+))?"
)


def function_urn(region: Region, package: str, name: str) -> str:
    """The URN of a function, without a version."""
    return f"urn:fss:{region.id}:{region.project_id}:function:{package}:{name}"


def split(urn: str) -> tuple[str, str | None]:
    """The function's URN without a version, and the version if there is one. Raises FSS.1309 for what is no URN."""
    found = _FORM.fullmatch(urn)
    if found is None:
        raise functiongraph_error("FSS.1309", f"expected urn:fss:...:function:package:name, not {urn!r}.")
    return found["function"], found["version"]


def check_version(version: str | None) -> None:
    """Only the version `latest` exists here. Raises FSS.1052 for another one, FSS.1053 for an alias."""
    if version not in (None, LATEST):
        raise functiongraph_error("FSS.1053" if version.startswith("!") else "FSS.1052")

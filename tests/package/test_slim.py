"""The slim package: what is left out, replaced and made lazy, and that its use is never silent."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.package.imports import own_imports, reached_modules, services, unreached_files
from cli.package.model import PYTHONS, Files, PackagingFailed
from cli.package.slim import RULES, Rules, lazy_package, read_rules, slim
from cli.package.wheels import read_requirements
from cli.paths import CHECKOUT


INIT = """\
# coding: utf-8
from __future__ import absolute_import
from thing.v1.thing_client import ThingClient
from thing.v1.model.show_request import ShowRequest
from thing.v1.model.show_response import ShowResponse
"""
MODEL = "class {name}:\n    openapi_types = {types}\n"


def sdk() -> Files:
    """A service of an SDK whose models refer to each other, and to themselves."""
    models: dict[str, dict[str, str]] = {
        "ShowRequest": {"body": "ShowRequestBody"},
        "ShowRequestBody": {"name": "str"},
        "ShowResponse": {"items": "list[Item]", "tags": "dict(str, Tag)"},
        "Item": {"parent": "Item", "size": "int"},
        "Tag": {"values": "list[list[Value]]"},
        "Value": {},
        "DropRequest": {"body": "DropRequestBody"},
        "DropRequestBody": {},
        "DropResponse": {"value": "Value"},
    }
    folder = "huaweicloudsdkthing/v1"
    files = {"huaweicloudsdkthing/__init__.py": "", f"{folder}/thing_client.py": "class ThingClient: ...\n"}
    lines = ["# coding: utf-8", "from __future__ import absolute_import"]
    for name, types in models.items():
        module = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).strip("_")
        files[f"{folder}/model/{module}.py"] = MODEL.format(name=name, types=types)
        lines.append(f"from huaweicloudsdkthing.v1.model.{module} import {name}")
    files[f"{folder}/model/__init__.py"] = "\n".join(lines)
    files[f"{folder}/__init__.py"] = "\n".join([*lines, "from huaweicloudsdkthing.v1.thing_client import ThingClient"])
    return {name: text.encode() for name, text in files.items()}


OURS = [b"def f():\n    from huaweicloudsdkthing.v1 import ShowRequest, ThingClient\n", b"import json\n"]
NO_RULES = Rules(leave_out=(), made={}, lazy=())


def run(root: Path, script: str) -> str:
    """The output of a script that can import only from *root* and the standard library."""
    preamble = f"import sys; sys.path.insert(0, {str(root)!r})\n"
    command = [sys.executable, "-I", "-S", "-B", "-W", "error", "-c", preamble + script]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_reached_models_are_followed_recursively() -> None:
    """A request reaches its response, and the types of all attributes."""
    (service,) = services(sdk())

    reached = reached_modules(service, sdk(), OURS)

    assert {module.rpartition(".")[2] for module in reached} == {
        "thing_client",
        "show_request",
        "show_request_body",
        "show_response",
        "item",
        "tag",
        "value",
    }
    assert unreached_files(service, reached) == {
        f"huaweicloudsdkthing/v1/model/{name}.py" for name in ("drop_request", "drop_request_body", "drop_response")
    }


def test_a_slim_sdk_names_what_is_left_out(tmp_path: Path) -> None:
    """Even hasattr raises an ImportError, since the SDK would take False for an answer. Unknown names do not."""
    for name, content in slim(sdk(), OURS, NO_RULES).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    script = """
from huaweicloudsdkthing import v1
from huaweicloudsdkthing.v1 import model
print(len([name for name in sys.modules if name.startswith("huaweicloudsdkthing.v1.model.")]))
print(v1.ShowRequest is model.ShowRequest, hasattr(model, "ShowNothing"))
print("ShowRequest" in dir(v1), "DropRequest" in dir(v1))
for ask in (lambda: v1.DropRequest, lambda: hasattr(model, "DropResponse")):
    try:
        ask()
    except ImportError as error:
        print(error)
"""

    lines = run(tmp_path, script).splitlines()

    assert lines[:3] == ["0", "True False", "True False"]
    assert [line.split()[0] for line in lines[3:]] == ["DropRequest", "DropResponse"]
    assert all("ddsbackup package --full" in line for line in lines[3:])


@pytest.mark.parametrize(
    "line", ["x = compute()", "from one.two import *", "from .two import three as four", "if True: pass", "del three"]
)
def test_a_package_that_does_more_than_import_cannot_be_lazy(line: str) -> None:
    """The error has the line and suggests --full, in case a later version does more."""
    with pytest.raises(PackagingFailed, match=r"one/__init__\.py, line 2.*") as caught:
        lazy_package("one/__init__.py", f"from .two import three\n{line}\n".encode())

    assert "--full" in caught.value.message


def test_a_lazy_package_keeps_its_set_up(tmp_path: Path) -> None:
    """Imports of other packages, calls and __all__ stay."""
    source = b'''\
"""One."""
import logging
from .two import three
__all__ = ("three",)
logging.getLogger("one").setLevel(7)
'''
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "two.py").write_text("three = 3\n")
    (tmp_path / "one" / "__init__.py").write_bytes(lazy_package("one/__init__.py", source))

    script = "import one; print('one.two' in sys.modules, one.logging.getLogger('one').level, one.three, one.__all__)"
    assert run(tmp_path, script) == "False 7 3 ('three',)\n"
    assert own_imports("one/__init__.py", source)[0] == {"three": ".two"}


def test_a_rule_that_matches_nothing_is_an_error() -> None:
    """After a change of versions, the rule might no longer leave out what it should."""
    with pytest.raises(PackagingFailed, match=r"no file of the requirements matches gone/\*"):
        slim({"here/a.py": b""}, [], Rules(leave_out=("gone/*", "here/*"), made={}, lazy=()))


def test_every_rule_has_a_reason() -> None:
    """The reason is a sentence."""
    data: dict[str, list[dict[str, Any]]] = yaml.safe_load(RULES.read_text(encoding="utf-8"))

    del data["made_for"]
    assert set(data) == {"leave_out", "stubs", "hidden", "lazy"}
    assert all(entry["reason"].endswith(".") for entries in data.values() for entry in entries)


@pytest.mark.parametrize("python", PYTHONS)
def test_the_rules_are_made_for_what_we_require(python: str) -> None:
    """No rule is for a requirement that we no longer have. A new requirement stays as published."""
    names = {one.name for one in read_requirements(CHECKOUT / "requirements.txt", python)}

    assert read_rules(set()).made_for <= names


def test_rules_for_other_requirements_do_not_apply() -> None:
    """An application with other requirements has no stubs."""
    rules = read_rules({"six"})

    assert (rules.leave_out, rules.made, rules.lazy) == ((), {}, ())


@pytest.mark.parametrize(
    "line",
    ["import huaweicloudsdkthing.v1", "from huaweicloudsdkthing import v1", "from huaweicloudsdkthing.v1 import *"],
)
def test_an_import_of_a_whole_package_reaches_all_models(line: str) -> None:
    """The code may use any of them."""
    (service,) = services(sdk())

    assert not unreached_files(service, reached_modules(service, sdk(), [line.encode()]))


def test_stubs_are_valid_python() -> None:
    """Each package above a stub exists, too."""
    made = read_rules(read_rules(set()).made_for).made

    assert {"bson.py", "pyasn1/__init__.py", "pyasn1/codec/der/encoder.py", "chardet.py"} < made.keys()
    for name, content in made.items():
        ast.parse(content, name)


def test_a_function_that_reads_documents_gets_the_driver() -> None:
    """The rules for pymongo apply to the functions that do not import it. GridFS is left out of all."""
    without, with_driver = read_rules({"pymongo"}), read_rules({"pymongo"}, {"pymongo", "json"})

    assert {"pymongo/*", "bson/*", "gridfs/*"} <= set(without.leave_out)
    assert "bson.py" in without.made
    assert (with_driver.leave_out, "bson.py" in with_driver.made) == (("gridfs/*",), False)


def test_time_zones_are_packed(unpacked: Path) -> None:
    """FunctionGraph does not document that its machines have time zone data."""
    script = "import zoneinfo; zoneinfo.reset_tzpath(()); print(zoneinfo.ZoneInfo('Europe/Berlin').key)"

    assert run(unpacked, script) == "Europe/Berlin\n"


STUBBED = {
    "bson.encode({})": "bson",
    "bson.MinKey()": "bson",
    "from bson import SON": "bson",
    "from pyasn1.codec.der import encoder; encoder.encode(1)": "pyasn1.codec.der.encoder",
    "from pyasn1.type import univ; univ.Sequence()": "pyasn1.type.univ",
    "from requests_toolbelt import MultipartEncoder; MultipartEncoder(fields={})": "requests_toolbelt",
    "from huaweicloudsdkdds.v3 import CreateInstanceRequest": "CreateInstanceRequest",
    "from huaweicloudsdkdds.v3 import DdsAsyncClient": "DdsAsyncClient",
    "from huaweicloudsdksmn.v2.model import CreateTopicRequest": "CreateTopicRequest",
}


@pytest.mark.parametrize("use", STUBBED)
def test_using_what_is_left_out_raises_an_error(unpacked: Path, use: str) -> None:
    """The error names what is left out, and suggests --full."""
    script = f"""
import bson
try:
    {use}
except ImportError as error:
    print(error)
"""
    said = run(unpacked, script)

    assert said.startswith(f"{STUBBED[use]} was left out of this package")
    assert "`ddsbackup package --full`" in said

"""The tests of the deployed code, run on the package: unpacked, read-only, with its own libraries."""

import json
import os
import subprocess
import sys
from pathlib import Path

import bson
import pytest

from cli.paths import CHECKOUT


TESTS = [
    *(
        f"tests/cloud/{path.name}"
        for path in sorted((CHECKOUT / "tests" / "cloud").glob("test_*.py"))
        if path.stem != "test_dds"
    ),
    "tests/triggers",
    "tests/create/test_request.py",
    "tests/create/test_function.py",
]
"""The tests that use libraries: HTTP and the SDK, pydantic and its messages, functions from event to notification."""

PLUGIN = """
import json, os, sys

def pytest_sessionfinish(session):
    files = {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}
    with open(os.environ["MODULES"], "w") as file:
        json.dump(files, file)
"""


@pytest.mark.slow
def test_the_suite_passes_on_the_package(unpacked: Path, tmp_path: Path) -> None:
    """No module that the package has is imported from elsewhere."""
    (tmp_path / "modules_plugin.py").write_text(PLUGIN, encoding="utf-8")
    # The local cloud in the same process reads and writes BSON. test_slim.py shows that the package does without.
    (tmp_path / "bson").symlink_to(Path(bson.__file__).parent)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(unpacked)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MODULES": str(tmp_path / "modules.json"),
    }
    options = ["-q", "-p", "modules_plugin", "-p", "no:cacheprovider", "-p", "no:schemathesis"]
    # The path of pyproject.toml would put the checkout first, and its options may choose other tests or processes.
    overrides = ["-o", f"pythonpath={tmp_path} {unpacked}", "-o", "addopts=--import-mode=importlib"]
    command = [sys.executable, "-m", "pytest", *options, *overrides, *TESTS]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=CHECKOUT, env=environment)

    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    loaded = json.loads((tmp_path / "modules.json").read_text(encoding="utf-8"))
    packed = {path.stem if path.suffix == ".py" else path.name for path in unpacked.iterdir()} - {"index", "bson"}
    elsewhere = {
        name: file
        for name, file in loaded.items()
        if name.partition(".")[0] in packed and file and not Path(file).is_relative_to(unpacked)
    }
    assert {"shared", "huaweicloudsdkcore", "pydantic", "requests", "urllib3"} < packed & loaded.keys()
    assert not elsewhere
    assert not {"pymongo", "dns", "gridfs"} & loaded.keys()

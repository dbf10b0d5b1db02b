"""The data plane of the local cloud with the official Node driver.

`npm install --prefix FOLDER mongodb` and NODE_PATH=FOLDER/node_modules let this run; `.ci/run` does so.
"""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from localcloud import LocalCloud
from localcloud.seed import RWUSER
from tests.localcloud.mongo_clients import uri


SCRIPT = Path(__file__).with_name("mongo_driver.js")
NODE = shutil.which("node")


@pytest.fixture(scope="module")
def node() -> str:
    """Node with the driver."""
    if NODE is None:
        pytest.skip("node is not on this machine")
    found = subprocess.run([NODE, "-e", "require('mongodb')"], capture_output=True, check=False)
    if found.returncode:
        pytest.skip("the Node driver mongodb is not in NODE_PATH")
    return NODE


@pytest.mark.slow
@pytest.mark.parametrize("name", ["catalogue", "customers", "metrics-cluster"])
def test_the_node_driver(cloud: LocalCloud, node: str, tmp_path: Path, name: str) -> None:
    """It connects unchanged, with and without TLS, reads, writes, counts and lists as with MongoDB."""
    authority = tmp_path / "ca.pem"
    authority.write_text(cloud.authority(), encoding="utf-8")
    address = uri(cloud, name)
    files = [str(authority)] if "tls=true" in address else []

    answer = subprocess.run(
        [node, str(SCRIPT), address, RWUSER, *files], capture_output=True, text=True, check=False, timeout=60
    )

    assert answer.returncode == 0, answer.stderr
    result = json.loads(answer.stdout)
    databases = result.pop("databases")
    assert {"admin", "app"} <= set(databases)
    assert result == {
        "count": 125,
        "estimated": 249,
        "read": 249,
        "groups": [{"_id": 0, "n": 124}, {"_id": 1, "n": 125}],
        "named": 1,
        "indexes": ["_id_", "kind_1"],
        "forbidden": 13,
    }

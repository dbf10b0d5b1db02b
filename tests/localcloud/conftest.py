"""Clients for the local cloud: the unmodified SDKs, and plain HTTP."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from huaweicloudsdkdds.v3 import DdsClient
from huaweicloudsdkfunctiongraph.v2 import FunctionGraphClient
from huaweicloudsdkiam.v5 import IamClient as IamClientV5
from huaweicloudsdksmn.v2 import SmnClient

from localcloud import LocalCloud
from tests.localcloud.iam_sdk import iam_client
from tests.localcloud.sdk import build


@pytest.fixture(scope="session")
def _clients(local_cloud_server: LocalCloud) -> dict[str, Any]:
    # A client keeps eight threads forever, so the session has one of each. The reset undoes what a test changes.
    return {
        "dds": build(DdsClient, local_cloud_server),
        "smn": build(SmnClient, local_cloud_server),
        "functiongraph": build(FunctionGraphClient, local_cloud_server, timeout=(3, 30)),
        "iam": iam_client(local_cloud_server),
        "iam5": iam_client(local_cloud_server, IamClientV5),
    }


@pytest.fixture
def dds(cloud: LocalCloud, _clients: dict[str, Any]) -> Any:
    """The SDK's DDS client."""
    return _clients["dds"]


@pytest.fixture
def smn(cloud: LocalCloud, _clients: dict[str, Any]) -> Any:
    """The SDK's SMN client."""
    return _clients["smn"]


@pytest.fixture
def functiongraph(cloud: LocalCloud, _clients: dict[str, Any]) -> Iterator[Any]:
    """The SDK's FunctionGraph client. Functions that still run after the test are ended."""
    yield _clients["functiongraph"]
    cloud.reset()


@pytest.fixture
def iam(cloud: LocalCloud, _clients: dict[str, Any]) -> Any:
    """The SDK's IAM client."""
    return _clients["iam"]


@pytest.fixture
def iam5(cloud: LocalCloud, _clients: dict[str, Any]) -> Any:
    """The SDK's client for the v5 API of IAM."""
    return _clients["iam5"]


@pytest.fixture(scope="session")
def _http_client(local_cloud_server: LocalCloud) -> Iterator[httpx.Client]:
    token = local_cloud_server.connection()["token"]
    with httpx.Client(base_url=local_cloud_server.url, headers={"X-Auth-Token": token}, trust_env=False) as client:
        yield client


@pytest.fixture
def http(cloud: LocalCloud, _http_client: httpx.Client) -> httpx.Client:
    """An HTTP client with the connection's token."""
    return _http_client


@pytest.fixture
def project(cloud: LocalCloud) -> str:
    """The path of the project in the DDS API."""
    return f"/v3/{cloud.connection()['project_id']}"

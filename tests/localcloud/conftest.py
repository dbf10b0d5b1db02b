"""The official SDK, unmodified, and plain HTTP, both against the local cloud."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from huaweicloudsdkdds.v3 import DdsClient
from huaweicloudsdksmn.v2 import SmnClient

from localcloud import LocalCloud
from tests.localcloud.sdk import build


@pytest.fixture
def dds(cloud: LocalCloud) -> Any:
    """The SDK's DDS client."""
    return build(DdsClient, cloud)


@pytest.fixture
def smn(cloud: LocalCloud) -> Any:
    """The SDK's SMN client."""
    return build(SmnClient, cloud)


@pytest.fixture
def http(cloud: LocalCloud) -> Iterator[httpx.Client]:
    """Plain HTTP with the connection's token."""
    token = cloud.connection()["token"]
    with httpx.Client(base_url=cloud.url, headers={"X-Auth-Token": token}, trust_env=False) as client:
        yield client


@pytest.fixture
def project(cloud: LocalCloud) -> str:
    """The path of the project in DDS."""
    return f"/v3/{cloud.connection()['project_id']}"

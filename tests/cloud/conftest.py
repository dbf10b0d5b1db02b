"""The adapters under test, connected to the local cloud through the official SDK."""

from dataclasses import dataclass
from typing import Any

import pytest

from localcloud import LocalCloud
from shared.cloud.credentials import Credentials
from shared.cloud.dds import DdsBackups
from shared.cloud.sdk import HttpLimits
from shared.cloud.smn import SmnTopic
from shared.runtime.clock import SystemClock


@dataclass
class Adapters:
    """Both adapters, and the connection that they use."""

    dds: DdsBackups
    topic: SmnTopic
    connection: dict[str, Any]

    @property
    def instance(self) -> str:
        """An instance that can be backed up."""
        return str(self.connection["instance_ids"][0])


def adapters_for(
    connection: dict[str, Any], *, endpoint: str | None = None, read: float = 5.0, left: float = 60.0
) -> Adapters:
    """Adapters with the connection's credentials, at another endpoint if one is given."""
    limits = HttpLimits(connect=1.0, read=read, connections=4)
    project_id = connection["project_id"]
    endpoint = endpoint or connection["endpoint"]
    dds = DdsBackups(endpoint, project_id, limits, SystemClock())
    topic = SmnTopic(endpoint, project_id, limits, connection["topic_urn"])
    credentials = Credentials(
        connection["access_key"], connection["secret_key"], connection["security_token"], project_id
    )
    for adapter in (dds, topic):
        adapter.renew(credentials, lambda: left)
    return Adapters(dds, topic, connection)


@pytest.fixture
def adapters(cloud: LocalCloud) -> Adapters:
    """Adapters on the local cloud."""
    return adapters_for(cloud.connection())

"""The adapters of `shared.cloud`, connected to the local cloud."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from localcloud import LocalCloud
from shared.cloud.credentials import Credentials
from shared.cloud.dds import DdsBackups, DdsInstances, DdsJobs
from shared.cloud.sdk import HttpLimits, SdkService
from shared.cloud.smn import SmnTopic
from shared.model import Clock
from shared.runtime.invocation import SystemClock
from tests.fakes import make_retrying


@dataclass
class Adapters:
    """All adapters, with the connection that they use."""

    dds: DdsBackups
    jobs: DdsJobs
    instances: DdsInstances
    topic: SmnTopic
    services: tuple[SdkService, SdkService]
    clock: Clock
    connection: Mapping[str, Any]

    def renew(self, credentials: Credentials, left: float = 60.0) -> None:
        """Begin an invocation with these credentials and `left` seconds."""
        for service in self.services:
            service.renew(credentials, make_retrying(self.clock, left))

    @property
    def instance(self) -> str:
        """The id of an instance that can be backed up."""
        return str(self.connection["instance_ids"][0])


def adapters_for(
    connection: Mapping[str, Any],
    *,
    endpoint: str | None = None,
    read: float = 5.0,
    left: float = 60.0,
    clock: Clock | None = None,
) -> Adapters:
    """Return adapters with the connection's credentials, and with its endpoint unless another is given."""
    limits = HttpLimits(connect=1.0, read=read, connections=4)
    project_id = connection["project_id"]
    endpoint = endpoint or connection["endpoint"]
    clock = clock or SystemClock()
    dds = SdkService.dds(endpoint, project_id, limits)
    smn = SdkService.smn(endpoint, project_id, limits)
    adapters = Adapters(
        DdsBackups(dds, clock),
        DdsJobs(dds),
        DdsInstances(dds),
        SmnTopic(smn, connection["topic_urn"]),
        (dds, smn),
        clock,
        connection,
    )
    key = connection["access_key"], connection["secret_key"], connection["security_token"]
    adapters.renew(Credentials(*key, project_id), left)
    return adapters


@pytest.fixture
def adapters(cloud: LocalCloud) -> Adapters:
    """Adapters on the session's local cloud."""
    return adapters_for(cloud.connection())

"""DDS as one's own user reaches it: with keys from the environment, or a local cloud."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from cli.cloud import open_cloud
from cli.errors import WrongCall
from shared.backups.pace import Pace
from shared.backups.ports import Clock
from shared.backups.retrying import Retrying
from shared.backups.tracking.questions import Questions
from shared.backups.waiting import Waiting
from shared.cloud.clients import dds_service
from shared.cloud.credentials import Credentials
from shared.cloud.dds import DdsBackups, DdsJobs
from shared.cloud.sdk import HttpLimits
from shared.runtime.settings import regional_endpoint


ACCESS_KEY = "HUAWEICLOUD_SDK_AK"
SECRET_KEY = "HUAWEICLOUD_SDK_SK"  # noqa: S105 the name of a variable
SECURITY_TOKEN = "HUAWEICLOUD_SDK_SECURITY_TOKEN"  # noqa: S105 the name of a variable
PROJECT_ID = "HUAWEICLOUD_SDK_PROJECT_ID"


@dataclass(frozen=True, slots=True)
class Access:
    """Where DDS is, and the keys to it."""

    endpoint: str
    credentials: Credentials = field(repr=False)

    def questions(self, clock: Clock) -> Questions:
        """What answers questions, one try each."""
        import random

        service = dds_service(self.endpoint, self.credentials.project_id, HttpLimits(), clock)
        service.renew(self.credentials, lambda: float("inf"))
        rng = random.Random()  # noqa: S311 it only spreads retries
        one_try = Retrying(Waiting(clock, lambda: 0.0), Pace(clock, rng), rng)
        return Questions(DdsBackups(service, clock), DdsJobs(service), clock, one_try)


def local_access(url: str) -> Access:
    """A local cloud at *url*. Raises WrongCall if none answers there."""
    with open_cloud(url) as cloud:
        keys, connection = cloud.temporary_credentials(), cloud.connection
    return Access(
        connection.endpoint,
        Credentials(keys.access_key, keys.secret_key, keys.security_token, connection.project_id),
    )


def real_access(region: str | None, environment: Mapping[str, str] = os.environ) -> Access:
    """The real cloud, with the keys that the SDK's own variables hold. Raises WrongCall naming what is missing."""
    missing = [name for name in (ACCESS_KEY, SECRET_KEY, PROJECT_ID) if not environment.get(name)]
    if missing or not region:
        wanted = [*([] if region else ["--region REGION"]), *(f"${name}" for name in missing)]
        raise WrongCall(
            f"to ask the real cloud give {' and '.join(wanted)} (with temporary keys ${SECURITY_TOKEN} too); to ask a "
            "local one give --cloud URL"
        )
    keys = environment[ACCESS_KEY], environment[SECRET_KEY], environment.get(SECURITY_TOKEN) or None
    return Access(regional_endpoint("dds", region), Credentials(*keys, environment[PROJECT_ID]))

"""The questions of ``ddsbackup wait``, asked of DDS as one's own user."""

import random

from cli.huaweicloud.access import Access
from shared.backups.pace import Pace
from shared.backups.ports import Clock
from shared.backups.retrying import Retrying
from shared.backups.tracking.questions import Questions
from shared.backups.waiting import Waiting
from shared.cloud.clients import dds_service
from shared.cloud.credentials import Credentials
from shared.cloud.dds import DdsBackups, DdsJobs
from shared.cloud.sdk import HttpLimits


def questions(access: Access, clock: Clock) -> Questions:
    """Return what answers questions, one try each. Raises WrongCall or ServiceError when the project is not known."""
    keys, project_id = access.keys, access.project_id
    service = dds_service(access.endpoint("dds"), project_id, HttpLimits(), clock)
    service.renew(Credentials(keys.access_key, keys.secret_key, keys.security_token, project_id), lambda: float("inf"))
    rng = random.Random()  # noqa: S311 it only spreads retries
    one_try = Retrying(Waiting(clock, lambda: 0.0), Pace(clock, rng), rng)
    return Questions(DdsBackups(service, clock), DdsJobs(service), clock, one_try)

"""The questions of ``ddsbackup wait``, asked of DDS as one's own user."""

import random

from cli.huaweicloud.access import Access
from shared.cloud.credentials import Credentials
from shared.cloud.dds import DdsBackups, DdsJobs
from shared.cloud.sdk import HttpLimits, SdkService
from shared.model import Clock
from shared.retry import AdaptiveRateLimiter, Deadline, Retrying
from shared.track.questions import Questions


def questions(access: Access, clock: Clock) -> Questions:
    """Return what answers questions, one try each. Raises WrongCall or ServiceError when the project is not known."""
    keys, project_id = access.keys, access.project_id
    service = SdkService.dds(access.endpoint("dds"), project_id, HttpLimits())
    rng = random.Random()  # noqa: S311 it only spreads retries
    limiter = AdaptiveRateLimiter(clock, rng)
    credentials = Credentials(keys.access_key, keys.secret_key, keys.security_token, project_id)
    service.renew(credentials, Retrying(Deadline(clock, float("inf")), limiter, rng))
    one_try = Retrying(Deadline(clock, float("-inf")), limiter, rng)
    return Questions(DdsBackups(service, clock), DdsJobs(service), clock, one_try)

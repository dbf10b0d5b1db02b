"""Makes every call that the application makes, and can import only from given folders and the standard library.

Standard input is a JSON object: `path` (folders), `endpoint`, `calls` (names, in order), `environment`, and `read` (a
timeout in seconds). For each call, it prints a line of JSON with what the call returned or raised.
"""

# ruff: noqa: E402 the path has to be set first

import json
import os
import random
import sys
import warnings
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any


job = json.load(sys.stdin)
sys.path[:0] = job["path"]
os.environ.update(job["environment"])
warnings.simplefilter("always")
noted: list[str] = []
warnings.showwarning = lambda message, category, *_: noted.append(f"{category.__name__}: {message}")

from shared.cloud.credentials import Credentials
from shared.cloud.dds import DdsBackups, DdsInstances, DdsJobs
from shared.cloud.sdk import HttpLimits, SdkService
from shared.cloud.smn import SmnTopic
from shared.model import Notification
from shared.retry import AdaptiveRateLimiter, Deadline, Retrying


NOW = datetime(2026, 11, 24, 3, 0, tzinfo=timezone.utc)
URN = "urn:smn:cn-north-4:0162c0f220284698b77a3d264376343a:dds-backups"
NOTE = Notification("Größe", '{"a": "ü"}', "for people: 大小", "short", {"event_type": "started", "other": "x"})


class Clock:
    """A clock that stands still."""

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        """Return at once."""


def retrying() -> Retrying:
    """Return a Retrying with a minute left."""
    clock, rng = Clock(), random.Random(0)
    return Retrying(Deadline.after(60, clock), AdaptiveRateLimiter(clock, rng), rng)


def connect(endpoint: str) -> dict[str, Callable[[], Any]]:
    """Every call, by its name."""
    limits, clock = HttpLimits(connect=2.0, read=job.get("read", 5.0), connections=2), Clock()
    dds = SdkService.dds(endpoint, "a-project", limits)
    smn = SdkService.smn(endpoint, "a-project", limits)
    for service in (dds, smn):
        service.renew(Credentials("AK", "SK", "TOKEN", "a-project"), retrying())
    backups, jobs, instances, topic = DdsBackups(dds, clock), DdsJobs(dds), DdsInstances(dds), SmnTopic(smn, URN)
    every = {"name_part": "a b&c", "description_part": "key:ü", "backup_id": "b", "instance_id": "i", "since": NOW}
    return {
        "DdsBackups.create": lambda: backups.create("an-instance", "a name", "Größe 大小"),
        "DdsBackups.list": backups.list,
        "DdsBackups.list with all filters": lambda: backups.list(**every),  # type: ignore[arg-type]
        "DdsBackups.list_all": backups.list_all,
        "DdsBackups.delete": lambda: backups.delete("a/backup id"),
        "DdsJobs.created_between": lambda: jobs.created_between(NOW, NOW),
        "DdsJobs.deleting_between": lambda: jobs.deleting_between(NOW, NOW),
        "DdsJobs.restoring_between": lambda: jobs.restoring_between(NOW, NOW),
        "DdsJobs.show": lambda: jobs.show("a job/ü"),
        "DdsInstances.list": instances.list,
        "SmnTopic.publish": lambda: topic.publish(NOTE),
        "with a user's own key": lambda: with_own_key(dds, backups),
    }


def with_own_key(dds: SdkService, backups: DdsBackups) -> Any:
    """A call without a token, as ddsbackup wait makes it."""
    dds.renew(Credentials("AK", "SK", None, "a-project"), retrying())
    try:
        return backups.list()
    finally:
        dds.renew(Credentials("AK", "SK", "TOKEN", "a-project"), retrying())


def watched(self: SdkService, *arguments: Any) -> Any:
    """Call `SdkService.call`, and note every field of the answer, including those that the adapters ignore."""
    answer = call_service(self, *arguments)
    answered.append(f"{answer.status_code} {answer.to_dict()} {answer.raw_content!r}")
    return answer


def outcome(call: Callable[[], Any]) -> dict[str, Any]:
    """The outcome of a call, as JSON."""
    noted.clear()
    answered.clear()
    try:
        said = {"returned": repr(call())}
    except Exception as error:  # noqa: BLE001 whatever it is, it is compared
        facts = [getattr(error, name, None) for name in ("cloud_code", "status", "request_id", "retry_after")]
        causes, cause = [], error.__cause__
        while cause:
            causes.append(type(cause).__name__)
            cause = cause.__cause__
        said = {"raised": f"{type(error).__name__}: {error}", "facts": repr(facts), "causes": repr(causes)}
    return {**said, "answers": list(answered), "warnings": list(noted)}


answered: list[str] = []
call_service = SdkService.call
setattr(SdkService, "call", watched)  # noqa: B010 so that mypy lets it be
calls = connect(job["endpoint"])
for name in job["calls"] or calls:
    print(json.dumps({"call": name, **outcome(calls[name])}), flush=True)  # noqa: T201 the answer

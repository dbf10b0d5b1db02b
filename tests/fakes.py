"""Fakes of Huawei Cloud, of time and of FunctionGraph, in memory."""
# ruff: noqa: N802 FunctionGraph named the methods of the context

import json
import math
import random
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from shared.create.creation import Creation, CreationPolicy, JobWanted
from shared.create.existing import ExistingBackups, RecentBackups
from shared.create.report import InstanceResult
from shared.create.request import BackupRequest
from shared.errors import AbsentError, BusyError, CloudError, ExistsError
from shared.identity import EventNames, name_event
from shared.jobs import JobFinder
from shared.model import Backup, BackupJob, Clock, Instance, InstanceTask, Job, NewBackup, Notification
from shared.retry import AdaptiveRateLimiter, Deadline, Retrying
from shared.runtime.context import Context
from shared.runtime.invocation import Cloud


START = datetime(2026, 11, 24, 3, 0, tzinfo=timezone.utc)
INSTANCES = tuple(f"{number:032x}in02" for number in range(1, 10))
A = INSTANCES[0]


class FakeClock:
    """Time that passes only while a thread sleeps. Sleeps of several threads that overlap pass the time once."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        until = self.seconds + seconds
        with self._lock:
            self.seconds = max(self.seconds, until)
            self.slept.append(seconds)


Fault = CloudError | Callable[[], object] | None
"""What happens to a call before it is carried out: an error is raised, a function is called, or nothing."""

Outage = Callable[[str], object] | None
"""What happens to every call for as long as it is set: a function is called with the name of the call."""


@dataclass
class FakeDds:
    """Manual backups in memory, with one operation at a time for each instance.

    Attributes:
        returns_job_id: whether the answer to a create has a job id.
        filters: whether a list is filtered by name and description, which older regions do not do.
        duration: seconds for which a backup keeps its instance busy.
        busy_until: by instance, the second of the clock until which another operation runs.
        lost_answers: errors raised after a create was carried out, one for each create.
        deletions: jobs of the task list that delete backups. The fake adds none, as the documents show none.
        restores: tasks of the task list that restore to new instances or restart instances.
        hidden_for: seconds until a new backup is listed.
    """

    clock: FakeClock
    instances: Sequence[str] = INSTANCES
    unique_names: bool = True
    returns_job_id: bool = True
    filters: bool = True
    duration: float = 60.0
    backups: list[Backup] = field(default_factory=list)
    tasks: list[BackupJob] = field(default_factory=list)
    deletions: list[BackupJob] = field(default_factory=list)
    restores: list[InstanceTask] = field(default_factory=list)
    busy_until: dict[str, float] = field(default_factory=dict)
    create_faults: list[Fault] = field(default_factory=list)
    lost_answers: list[CloudError | None] = field(default_factory=list)
    list_faults: list[Fault] = field(default_factory=list)
    job_faults: list[Fault] = field(default_factory=list)
    delete_faults: list[Fault] = field(default_factory=list)
    outage: Outage = None
    shown_jobs: dict[str, Job] = field(default_factory=dict)
    hidden_for: float = 0.0
    calls: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def call(self, name: str, faults: list[Fault]) -> None:
        """Count a call, and let its fault happen."""
        self.calls.append(name)
        if self.outage:
            self.outage(name)
        fault = faults.pop(0) if faults else None
        if isinstance(fault, CloudError):
            raise fault
        if fault:
            fault()

    def create(self, instance_id: str, name: str, description: str) -> NewBackup:
        with self.lock:
            self.call("create", self.create_faults)
            if instance_id not in self.instances:
                raise AbsentError("no such instance", cloud_code="DBS.280110", status=400)
            if self.clock.seconds < self.busy_until.get(instance_id, 0):
                raise BusyError("in another operation", cloud_code="DBS.200019", status=403)
            if self.unique_names and any(backup.name == name for backup in self.backups):
                raise ExistsError("exists", cloud_code="DBS.201201", status=400)
            new = self.add(instance_id, name, description)
            if self.lost_answers and (lost := self.lost_answers.pop(0)):
                raise lost
            return new

    def add(self, instance_id: str, name: str, description: str = "", status: str = "BUILDING") -> NewBackup:
        """Make a backup without a call."""
        with self.lock:
            number = len(self.backups) + 1
            backup = Backup(f"{number:032x}br02", name, instance_id, status, self.clock.now(), description)
            self.backups.append(backup)
            self.tasks.append(BackupJob(f"job-{number}", instance_id, self.clock.now()))
            self.busy_until[instance_id] = self.clock.seconds + self.duration
            return NewBackup(backup.id, f"job-{number}" if self.returns_job_id else None)

    def list(
        self,
        *,
        name_part: str | None = None,
        description_part: str | None = None,
        backup_id: str | None = None,
        instance_id: str | None = None,
        since: datetime | None = None,
    ) -> Sequence[Backup]:
        with self.lock:
            self.call("list", self.list_faults)
            visible = self.clock.now() - timedelta(seconds=self.hidden_for)
            return [
                backup
                for backup in self.backups
                if backup.begin_time
                and backup.begin_time <= visible
                and (not instance_id or backup.instance_id == instance_id)
                and (not since or backup.begin_time >= since)
                and (not name_part or not self.filters or name_part in backup.name)
                and (not description_part or not self.filters or description_part in str(backup.description))
                and (not backup_id or backup.id == backup_id)
            ]

    def list_all(self) -> Sequence[Backup]:
        return self.list()

    def delete(self, backup_id: str) -> None:
        with self.lock:
            self.call("delete", self.delete_faults)
            found = [backup for backup in self.backups if backup.id == backup_id]
            if not found:
                raise AbsentError("no such backup", cloud_code="DBS.201214", status=400)
            self.backups.remove(found[0])


@dataclass
class FakeJobs:
    """The task list of a FakeDds."""

    dds: FakeDds

    def created_between(self, since: datetime, until: datetime, *, patience: float = math.inf) -> Sequence[BackupJob]:
        with self.dds.lock:
            self.dds.call("jobs", self.dds.job_faults)
            return [task for task in self.dds.tasks if since <= task.created_at <= until]

    def deleting_between(self, since: datetime, until: datetime, *, patience: float = math.inf) -> Sequence[BackupJob]:
        with self.dds.lock:
            self.dds.call("jobs", self.dds.job_faults)
            return [task for task in self.dds.deletions if since <= task.created_at <= until]

    def restoring_between(
        self, since: datetime, until: datetime, *, patience: float = math.inf
    ) -> Sequence[InstanceTask]:
        with self.dds.lock:
            self.dds.call("jobs", self.dds.job_faults)
            return [task for task in self.dds.restores if since <= task.created_at <= until]

    def show(self, job_id: str) -> Job:
        with self.dds.lock:
            self.dds.call("job", self.dds.job_faults)
            if job_id not in self.dds.shown_jobs:
                raise AbsentError("no such job", cloud_code="DBS.200543", status=400)
            return self.dds.shown_jobs[job_id]


@dataclass
class FakeInstances:
    """The instances of a project. `calls` counts the lists."""

    known: list[Instance] = field(default_factory=list)
    faults: list[CloudError] = field(default_factory=list)
    calls: int = 0

    def list(self) -> Sequence[Instance]:
        self.calls += 1
        if self.faults:
            raise self.faults.pop(0)
        return self.known


@dataclass
class FakeTopic:
    """A topic that keeps what was published."""

    faults: list[CloudError | None] = field(default_factory=list)
    outage: Outage = None
    sent: list[Notification] = field(default_factory=list)

    def publish(self, notification: Notification) -> str:
        if self.outage:
            self.outage("publish")
        if self.faults and (fault := self.faults.pop(0)):
            raise fault
        self.sent.append(notification)
        return f"message-{len(self.sent)}"


@dataclass
class FakeContext:
    """FunctionGraph's context with the documented methods.

    Attributes:
        remaining: seconds that every invocation has.
    """

    user_data: dict[str, str] = field(default_factory=dict)
    request_id: str = "7c307f6a-cf68-4e65-8be0-4c77405a1b2c"
    remaining: float = 300.0
    access_key: str | None = "AK-OF-THE-AGENCY"
    secret_key: str | None = "SK-OF-THE-AGENCY"
    security_token: str | None = "TOKEN-OF-THE-AGENCY"
    project_id: str = "0162c0f220284698b77a3d264376343a"

    def getRequestID(self) -> str:
        return self.request_id

    def getRemainingTimeInMilliSeconds(self) -> int:
        return int(self.remaining * 1000)

    def getUserData(self, key: str) -> str | None:
        return self.user_data.get(key)

    def getSecurityAccessKey(self) -> str | None:
        return self.access_key

    def getSecuritySecretKey(self) -> str | None:
        return self.secret_key

    def getSecurityToken(self) -> str | None:
        return self.security_token

    def getProjectID(self) -> str:
        return self.project_id

    def getFunctionName(self) -> str:
        return "create_backup"

    def getVersion(self) -> str:
        return "latest"

    def getPackage(self) -> str:
        return "default"


@dataclass
class FakeCloud:
    """`shared.runtime.invocation.Cloud` in memory."""

    backups: FakeDds
    topic: FakeTopic
    instances: FakeInstances = field(default_factory=FakeInstances)
    other_topics: dict[str, FakeTopic] = field(default_factory=dict)
    secrets: tuple[str, ...] = ("SK-OF-THE-AGENCY", "TOKEN-OF-THE-AGENCY")

    @property
    def jobs(self) -> FakeJobs:
        return FakeJobs(self.backups)

    def topic_at(self, urn: str) -> FakeTopic:
        return self.other_topics.setdefault(urn, FakeTopic())

    def renew(self, context: Context, dds: Retrying, smn: Retrying) -> Callable[[str], str]:
        def redact(text: str) -> str:
            for secret in self.secrets:
                text = text.replace(secret, "***")
            return text

        return redact


def fake_connect(cloud: FakeCloud) -> Callable[..., Cloud]:
    """Return the argument `connect` that makes a function use `cloud`."""
    return lambda settings, project_id, clock: cloud


class Steady(random.Random):
    """A source of chance without chance: no jitter."""

    def random(self) -> float:
        return 0.0


def make_retrying(clock: Clock, remaining: float = 60.0) -> Retrying:
    """Return a Retrying without jitter, whose deadline is `remaining` seconds from now."""
    return Retrying(Deadline.after(remaining, clock), AdaptiveRateLimiter(clock, Steady()), Steady())


def name_request(
    request: BackupRequest,
    identity: tuple[str, ...] = ("test", "1"),
    time: datetime | None = None,
    *,
    prefix: str = "test",
    recurring: bool = False,
    stack: str | None = None,
) -> EventNames:
    """Name the backups of a request as create_backup does."""
    return name_event(
        identity,
        time,
        prefix=prefix,
        wanted=request.wanted_name,
        single=len(request.instances) == 1,
        recurring=recurring,
        stack=stack,
    )


class CompleteCreation(Creation):
    """A Creation that also finds the job id at once."""

    def back_up(self, instance_id: str) -> InstanceResult:
        """Bring one instance to its outcome."""
        outcome = self.begin(instance_id)
        return outcome.finish() if isinstance(outcome, JobWanted) else outcome


def make_creation(
    dds: FakeDds,
    clock: FakeClock,
    *,
    request: BackupRequest | None = None,
    identity: tuple[str, ...] = ("test", "1"),
    policy: CreationPolicy | None = None,
    remaining: float = 300.0,
) -> CompleteCreation:
    """Return a Creation on fakes, by default for a request of one instance."""
    request = request or BackupRequest(instance_id=A)
    names = name_request(request, identity)
    retrying = make_retrying(clock, remaining - min(5.0, remaining / 4))
    recent = request.min_interval and RecentBackups(dds, request.instances, request.min_interval, clock)
    return CompleteCreation(
        backups=dds,
        names=names,
        description=request.wanted_description,
        policy=policy or CreationPolicy(),
        existing=ExistingBackups(dds, names, request.instances, clock),
        jobs=JobFinder(FakeJobs(dds), retrying),
        recent=recent or None,
        retrying=retrying,
    )


_ATTRIBUTE = re.compile(r"[A-Za-z0-9_]{1,32}")


def assert_within_limits(notification: Notification) -> None:
    """Assert the limits of SMN (SMN API, Publishing a Message).

    A subject has at most 512 bytes, a text message 490 characters without brackets, and an attribute 32 letters, digits
    and underscores; all together have at most 256 KB.
    """
    assert len(notification.subject.encode()) <= 512
    assert len(notification.sms) <= 490
    assert not set(notification.sms) & set("[]【】")
    assert all(_ATTRIBUTE.fullmatch(value) for value in notification.attributes.values())
    assert notification.body.isascii()
    assert len(json.dumps([notification.body, notification.email, notification.sms])) < 256 * 1024


def ids_of(notifications: Iterable[Notification]) -> list[str]:
    """Return the CloudEvents ids of notifications."""
    return [json.loads(notification.body)["id"] for notification in notifications]

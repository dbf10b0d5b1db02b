"""DDS through its SDK: manual backups, the task list, instances, and reading their lists page by page."""

import math
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from functools import lru_cache, partial
from typing import Any, TypeVar

from huaweicloudsdkdds.v3 import (
    CreateManualBackupOption,
    CreateManualBackupRequest,
    CreateManualBackupRequestBody,
    DeleteManualBackupRequest,
    ListBackupsRequest,
    ListInstancesRequest,
    ListTasksRequest,
    ShowJobDetailRequest,
)

from shared.cloud import operations
from shared.cloud.sdk import SdkService
from shared.errors import AmbiguousError, TransientError
from shared.model import Backup, BackupJob, Clock, Instance, InstanceTask, Job, NewBackup, NodeGroup
from shared.retry import Retrying


_LIST_TIME = "%Y-%m-%d %H:%M:%S"
TASK_TIME = "%Y-%m-%dT%H:%M:%S%z"
"""How the task list writes times, and how its window is given (DDS API, Querying Tasks and Details)."""

_INSTANCE_TIME = "%Y-%m-%dT%H:%M:%S"  # no sample has a zone; all times of DDS are in UTC
_BACKUP_JOBS = frozenset({"MongodbSnapshotBackup", "MongodbSnapshotEBackup"})
_DELETION = re.compile(r"(?i)delete.*backup|backup.*delete")  # the documents name no job that deletes a backup

# The values of the parameter "name" (DDS API, Querying Tasks and Details).
_RESTORE_TASKS = frozenset(
    {
        "RestoreMongoDB",
        "RestoreMongoDB_Replica",
        "RestoreMongoDB_Replica_Single",
        "RestoreMongoDB_Replica_PITR",
        "MongodbRestoreData2NewInstance",
        "MongodbPitr2NewInstance",
    }
)
_RESTART_TASKS = frozenset({"RestartInstance", "RestartReplicaSetInstance", "RestartReplicaSingleInstance"})
_INSTANCE_TASKS = _RESTORE_TASKS | _RESTART_TASKS

PAGE = 100
"""Items a page, the most that DDS returns (DDS API, Querying the Backup List, limit)."""

_MOST_SETBACKS = 50
_CLOCK_SKEW = timedelta(minutes=5)


class DdsBackups:
    """Implements `shared.model.Backups`."""

    def __init__(self, service: SdkService, clock: Clock) -> None:
        self._service = service
        self._clock = clock

    def create(self, instance_id: str, name: str, description: str) -> NewBackup:
        """POST /v3/{project_id}/backups (DDS API, Creating a Manual Backup).

        An answer without a `backup_id` counts as no answer, since the SDK treats a 302 and an empty 202 as success.
        """
        option = CreateManualBackupOption(instance_id=instance_id, name=name, description=description)
        request = CreateManualBackupRequest(body=CreateManualBackupRequestBody(backup=option))
        answer = self._service.call(operations.CREATE_MANUAL_BACKUP, request)
        if not answer.backup_id:
            raise AmbiguousError(f"HTTP {answer.status_code} without a backup_id", status=answer.status_code)
        return NewBackup(answer.backup_id, answer.job_id or None)

    def list(
        self,
        *,
        name_part: str | None = None,
        description_part: str | None = None,
        backup_id: str | None = None,
        instance_id: str | None = None,
        since: datetime | None = None,
    ) -> Sequence[Backup]:
        """GET /v3/{project_id}/backups (DDS API, Querying the Backup List), all pages of manual backups."""
        window = {}
        if since:  # DDS takes both ends or neither. It may refuse an end far in the future (DBS.280068).
            until = max(since, self._clock.now() + _CLOCK_SKEW)
            window = {"begin_time": _utc(since).strftime(_LIST_TIME), "end_time": _utc(until).strftime(_LIST_TIME)}

        def page(offset: int) -> Any:
            request = ListBackupsRequest(
                backup_type="Manual",
                backup_name=name_part,
                backup_description=description_part,
                backup_id=backup_id,
                instance_id=instance_id,
                offset=offset,
                limit=PAGE,
                **window,
            )
            return self._service.call(operations.LIST_BACKUPS, request)

        return [_backup(item) for item in read_pages(self._service.retrying, page, "backups")]

    def list_all(self) -> Sequence[Backup]:
        """The same, all pages of all full backups: manual ones and those that DDS made by a backup policy."""

        def page(offset: int) -> Any:
            return self._service.call(operations.LIST_BACKUPS, ListBackupsRequest(offset=offset, limit=PAGE))

        return [_backup(item) for item in read_pages(self._service.retrying, page, "backups")]

    def delete(self, backup_id: str) -> None:
        """DELETE /v3/{project_id}/backups/{backup_id} (DDS API, Deleting a Manual Backup).

        An answer without a `job_id` counts as no answer, as in `create`.
        """
        request = DeleteManualBackupRequest(backup_id=backup_id)
        answer = self._service.call(operations.DELETE_MANUAL_BACKUP, request)
        if not answer.job_id:
            raise AmbiguousError(f"HTTP {answer.status_code} without a job_id", status=answer.status_code)


class DdsJobs:
    """Implements `shared.model.Jobs`."""

    def __init__(self, service: SdkService) -> None:
        self._service = service

    def created_between(self, since: datetime, until: datetime, *, patience: float = math.inf) -> Sequence[BackupJob]:
        """GET /v3.1/{project_id}/jobs (DDS API, task list), all pages, only jobs that make a backup."""
        return self._between(since, until, patience, lambda name: name in _BACKUP_JOBS)

    def deleting_between(self, since: datetime, until: datetime, *, patience: float = math.inf) -> Sequence[BackupJob]:
        """The same, only jobs whose name says that they delete a backup."""
        return self._between(since, until, patience, lambda name: bool(_DELETION.search(name)))

    def restoring_between(
        self, since: datetime, until: datetime, *, patience: float = math.inf
    ) -> Sequence[InstanceTask]:
        """The same, only tasks that restore to new instances or restart instances.

        If all tasks are more than a page for each of these names, DDS is asked for each name by itself.
        """
        return [
            InstanceTask(
                id=item.id,
                is_restart=item.name in _RESTART_TASKS,
                instance_id=item.instance_id or "",
                instance_name=item.instance_name or "",
                status=item.status or "",
                created_at=created_at,
                ended_at=read_time(item.ended_at, TASK_TIME),
                fail_reason=item.fail_reason,
            )
            for item, created_at in self._listed(since, until, patience, _INSTANCE_TASKS)
            if item.name in _INSTANCE_TASKS
        ]

    def _between(
        self, since: datetime, until: datetime, patience: float, is_wanted: Callable[[str], bool]
    ) -> Sequence[BackupJob]:
        return [
            BackupJob(
                id=item.id,
                instance_id=item.instance_id or "",
                created_at=created_at,
                status=item.status or "",
                progress=item.progress or "",
                fail_reason=item.fail_reason,
            )
            for item, created_at in self._listed(since, until, patience)
            if is_wanted(item.name or "")
        ]

    def _listed(
        self, since: datetime, until: datetime, patience: float, names: Collection[str] = ()
    ) -> Iterator[tuple[Any, datetime]]:
        """Yield the tasks of all pages with the time of their creation, without those that lack it or an id.

        Tasks of other `names` may be among them.
        """

        def page(name: str | None, offset: int) -> Any:
            request = ListTasksRequest(
                start_time=_utc(since).strftime(TASK_TIME),
                end_time=_utc(until).strftime(TASK_TIME),
                name=name,
                offset=offset,
                limit=PAGE,
            )
            return self._service.call(operations.LIST_TASKS, request)

        retrying, first = self._service.retrying.within(patience), page(None, 0)
        if names and (first.total_count or 0) > PAGE * len(names):
            items = [item for name in sorted(names) for item in read_pages(retrying, partial(page, name), "jobs")]
        else:
            read = [first]
            items = read_pages(retrying, lambda offset: read.pop() if read else page(None, offset), "jobs")
        for item in items:
            if item.id and (created_at := read_time(item.created_at, TASK_TIME)):
                yield item, created_at

    def show(self, job_id: str) -> Job:
        """GET /v3/{project_id}/jobs?id={job_id} (DDS API, Querying Task Details)."""
        answer = self._service.call(operations.SHOW_JOB_DETAIL, ShowJobDetailRequest(id=job_id))
        if answer.job is None or not answer.job.status:
            raise TransientError(f"HTTP {answer.status_code} without a job", status=answer.status_code)
        return Job(
            id=answer.job.id or job_id,
            status=answer.job.status,
            progress=answer.job.progress or "",
            instance_id=(answer.job.instance and answer.job.instance.id) or "",
            fail_reason=answer.job.fail_reason,
            created_at=read_time(answer.job.created, TASK_TIME),
        )


class DdsInstances:
    """Implements `shared.model.Instances`."""

    def __init__(self, service: SdkService) -> None:
        self._service = service

    def list(self) -> Sequence[Instance]:
        """GET /v3/{project_id}/instances (DDS API, Querying Instances and Details), all pages."""

        def page(offset: int) -> Any:
            request = ListInstancesRequest(offset=offset, limit=PAGE)
            return self._service.call(operations.LIST_INSTANCES, request)

        return [_instance(item) for item in read_pages(self._service.retrying, page, "instances")]


def read_pages(retrying: Retrying, page: Callable[[int], Any], field: str) -> list[Any]:
    """Return the items of all pages, each id once. `page` takes an offset in items, `field` names the answer's items.

    DDS lists the newest items first. If an item vanishes between two pages, those behind it move up, and `total_count`
    shrinks by at least as much. Then the reading goes back by as much, so that it skips none of them.

    `total_count` alone does not end the reading, since a sample in the documents has one that is too small. The first
    page is tried once, as every call is. Later pages are retried, so that a long list that is throttled half way does
    not start again.

    Raises:
        TransientError: a page has no list, the list ended before `total_count`, the offset has no effect, the list
            keeps shrinking, or the deadline of `retrying` came between two pages.
        CloudError: a page could not be read.
    """
    found: dict[object, Any] = {}
    offset, answer = 0, page(0)
    before: tuple[int, object] | None = None  # offset and first id of the page before
    setbacks = total = 0
    while True:
        status, items = answer.status_code, getattr(answer, field)
        if items is None:
            raise TransientError(f"HTTP {status} without {field}", status=status)
        first = items[0].id if items else None
        if before and first and first == before[1] and offset != before[0]:
            raise TransientError(f"the offset has no effect on the list of {field}", status=status)
        before = offset, first
        found.update((item.id or object(), item) for item in items)
        count = total if answer.total_count is None else answer.total_count
        vanished, total = total - count, count
        if vanished > 0:
            setbacks += 1
            offset = max(0, offset - vanished)
        else:
            offset += len(items)
            if not items and offset < total:
                raise TransientError(f"the list of {field} ended after {offset} of {total}", status=status)
            if not items or (len(items) < PAGE and offset >= total):
                return list(found.values())
        if setbacks > _MOST_SETBACKS:
            raise TransientError(f"the list of {field} shrank {setbacks} times while it was read", status=status)
        if retrying.deadline.left() <= 0:
            raise TransientError(f"the time was over after {len(found)} of {total} {field}", status=status)
        answer = retrying.call(partial(page, offset))


def _backup(item: Any) -> Backup:
    return Backup(
        id=item.id or "",
        name=item.name or "",
        instance_id=item.instance_id or "",
        status=item.status or "",
        begin_time=read_time(item.begin_time, _LIST_TIME),
        description=item.description,
        instance_name=item.instance_name or "",
        end_time=read_time(item.end_time, _LIST_TIME),
        size=item.size,
        is_restoring=bool(item.is_instance_restoring),
        is_automatic=item.type == "Auto",
        mode=item.instance_mode or "",
        version=(item.datastore and item.datastore.version) or "",
    )


def _instance(item: Any) -> Instance:
    return Instance(
        id=item.id or "",
        name=item.name or "",
        status=item.status or "",
        mode=item.mode or "",
        tags={tag.key: tag.value or "" for tag in item.tags or ()},
        enterprise_project_id=item.enterprise_project_id or "",
        created=read_time(item.created, _INSTANCE_TIME),
        version=(item.datastore and item.datastore.version) or "",
        actions=tuple(item.actions or ()),
        port=int(item.port or 8635),
        has_tls=bool(item.ssl),
        user=item.db_user_name or "rwuser",
        is_prepaid=item.pay_mode == "1",
        vpc_id=item.vpc_id or "",
        subnet_id=item.subnet_id or "",
        security_group_id=item.security_group_id or "",
        backup_window=strategy.start_time or "" if (strategy := item.backup_strategy) and strategy.keep_days else "",
        backup_days=_number(strategy and str(strategy.keep_days), int) or 0,
        disk_encryption_id=item.disk_encryption_id or "",
        groups=tuple(map(_group, item.groups or ())),
    )


def _group(item: Any) -> NodeGroup:
    nodes = item.nodes or ()
    return NodeGroup(
        kind=item.type or "",
        spec_code=next((node.spec_code for node in nodes if node.spec_code), ""),
        size=_number(item.volume and item.volume.size, int),
        used=_number(item.volume and item.volume.used, float),
        hosts=tuple(node.private_ip for node in nodes if node.private_ip and node.role != "Hidden"),
        availability_zones=tuple(dict.fromkeys(node.availability_zone for node in nodes if node.availability_zone)),
    )


_NumberT = TypeVar("_NumberT", int, float)


def _number(text: str | None, kind: Callable[[str], _NumberT]) -> _NumberT | None:
    try:
        return kind(text or "")
    except ValueError:
        return None


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(timezone.utc)


@lru_cache(maxsize=2000)  # a warm instance reads the same lists again and again
def read_time(text: str | None, form: str) -> datetime | None:
    """Read a time of DDS; a time without a zone is in UTC. Return None for a text that is no such time."""
    try:
        moment = datetime.strptime(text or "", form)  # noqa: DTZ007 the zone follows
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)

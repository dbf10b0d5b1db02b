"""Manual backups through the DDS SDK."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from huaweicloudsdkdds.v3 import (
    CreateManualBackupOption,
    CreateManualBackupRequest,
    CreateManualBackupRequestBody,
    DdsClient,
    ListBackupsRequest,
    ListTasksRequest,
)

from shared.backups.errors import AmbiguousError, TransientError
from shared.backups.ports import Backup, BackupJob, Clock, NewBackup
from shared.cloud.sdk import HttpLimits, SdkService


_PAGE = 100
_LIST_TIME = "%Y-%m-%d %H:%M:%S"
_JOB_TIME = "%Y-%m-%dT%H:%M:%S%z"
_BACKUP_JOBS = frozenset({"MongodbSnapshotBackup", "MongodbSnapshotEBackup"})


class DdsBackups(SdkService):
    """`shared.backups.ports.Backups` on DDS. IAM: dds:instance:createManualBackup, dds:backup:list, dds:task:list."""

    def __init__(self, endpoint: str, project_id: str, limits: HttpLimits, clock: Clock) -> None:
        super().__init__(DdsClient, endpoint, project_id, limits)
        self._clock = clock

    def create(self, instance_id: str, name: str, description: str) -> NewBackup:
        """POST /v3/{project_id}/backups (DDS API, Creating a Manual Backup).

        An answer without a `backup_id` counts as no answer: the SDK calls a 302 and an empty 202 a success.
        """
        option = CreateManualBackupOption(instance_id=instance_id, name=name, description=description)
        request = CreateManualBackupRequest(body=CreateManualBackupRequestBody(backup=option))
        answer = self.call(self.client.create_manual_backup, request, writes=True)
        if not answer.backup_id:
            raise AmbiguousError(f"HTTP {answer.status_code} without a backup_id", status=answer.status_code)
        return NewBackup(answer.backup_id, answer.job_id or None)

    def list(
        self, *, name_part: str | None = None, instance_id: str | None = None, since: datetime | None = None
    ) -> Sequence[Backup]:
        """GET /v3/{project_id}/backups (DDS API, Querying the Backup List), all pages of manual backups."""
        window = {}
        if since:  # both ends or neither; tomorrow, so that a clock that is behind hides nothing
            until = self._clock.now() + timedelta(days=1)
            window = {
                "begin_time": _utc(since).strftime(_LIST_TIME),
                "end_time": _utc(until).strftime(_LIST_TIME),
            }

        def page(offset: int) -> Any:
            request = ListBackupsRequest(
                backup_type="Manual",
                backup_name=name_part,
                instance_id=instance_id,
                offset=offset,
                limit=_PAGE,
                **window,
            )
            return self.call(self.client.list_backups, request, writes=False)

        return [_backup(item) for item in _pages(page, "backups")]

    def jobs(self, since: datetime, until: datetime) -> Sequence[BackupJob]:
        """GET /v3.1/{project_id}/jobs (DDS API, task list), all pages, those that make a backup."""

        def page(offset: int) -> Any:
            request = ListTasksRequest(
                start_time=_utc(since).strftime(_JOB_TIME),
                end_time=_utc(until).strftime(_JOB_TIME),
                offset=offset,
                limit=_PAGE,
            )
            return self.call(self.client.list_tasks, request, writes=False)

        return [
            BackupJob(item.id, item.instance_id, created_at)
            for item in _pages(page, "jobs")
            if item.name in _BACKUP_JOBS and item.id and (created_at := _time(item.created_at, _JOB_TIME))
        ]


def _pages(page: Callable[[int], Any], field: str) -> Iterator[Any]:
    """The items of all pages. `total_count` alone is not trusted: a sample of the API page contradicts itself."""
    offset = 0
    while True:
        answer = page(offset)
        items = getattr(answer, field)
        if items is None:
            raise TransientError(f"HTTP {answer.status_code} without {field}", status=answer.status_code)
        yield from items
        offset += len(items)
        if not items or (len(items) < _PAGE and offset >= (answer.total_count or 0)):
            return


def _backup(item: Any) -> Backup:
    return Backup(
        id=item.id or "",
        name=item.name or "",
        instance_id=item.instance_id or "",
        status=item.status or "",
        begin_time=_time(item.begin_time, _LIST_TIME),
        description=item.description,
    )


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(timezone.utc)


def _time(text: str | None, form: str) -> datetime | None:
    try:
        moment = datetime.strptime(text or "", form)  # noqa: DTZ007 the zone follows
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)

"""The services of the local cloud behind the adapters of the functions, without HTTP and without the SDK's client.

`shared.cloud` runs as it is: it reads pages, judges answers and maps error codes. Only what it calls is replaced.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from operator import is_
from types import SimpleNamespace
from typing import Any

from localcloud.dds import backup_list, backups, databases, instance_schemas, instances, jobs, lifecycle, restores
from localcloud.dds import restore_times as times
from localcloud.dds.schemas import Tag
from localcloud.dds.state import DdsState
from localcloud.errors import CloudError as Refusal
from localcloud.smn.publish import publish
from localcloud.smn.schemas import Attribute, Publish
from localcloud.smn.state import SmnState
from shared.bootstrap import HuaweiCloud, RestoringCloud
from shared.cloud.credentials import Credentials
from shared.cloud.dds import PAGE, DdsBackups, DdsInstances, DdsJobs
from shared.cloud.error_table import classify
from shared.cloud.operations import LIST_INSTANCES, Operation
from shared.cloud.restores import DdsRestores
from shared.cloud.sdk import SdkService
from shared.cloud.smn import SmnTopic
from shared.model import Clock, Instance
from shared.retry import Retrying
from shared.runtime.settings import Settings


_FIRST_PAGE = SimpleNamespace(offset=0, limit=PAGE)

Refuse = Callable[[str, str], Refusal | None]
"""Returns how a service, such as DDS, refuses an operation at this moment; None if it carries it out."""


class Services:
    """DDS and SMN as the functions call them.

    Attributes:
        calls: how often each operation was called, by (day, operation). Days count from 0.
    """

    def __init__(self, dds: DdsState, smn: SmnState, call_seconds: float, refuse: Refuse) -> None:
        self.dds = dds
        self._clock = dds.region.clock
        self._began = self._clock.now()
        self._call_seconds = call_seconds
        self._refuse = refuse
        self._handlers: Mapping[str, Callable[[Any], dict[str, Any]]] = _handlers(dds, smn)
        self.calls: Counter[tuple[int, str]] = Counter()

    def call(self, operation: Operation, request: Any) -> Any:
        """Carry out a call, which takes time. Raises the error that the functions get for a refusal."""
        self._clock.offset += self._call_seconds
        self.calls[int((self._clock.now() - self._began) // 86_400), operation.name] += 1
        service = operation.name.partition(".")[0]
        try:
            if refusal := self._refuse(service, operation.name):
                raise refusal
            answer = self._handlers[operation.method](request)
        except Refusal as error:
            kind = classify(error.status, error.code, writes=operation.writes)
            text = f"{error.code} (HTTP {error.status}): {error.message}"
            raise kind(text, cloud_code=error.code, status=error.status) from error
        return SimpleNamespace(status_code=200, **answer)

    def connect(self, settings: Settings, project_id: str, clock: Clock) -> HuaweiCloud:
        """Stand for `shared.bootstrap.connect`."""
        dds, smn = _Service(self), _Service(self)
        topic = SmnTopic(smn, settings.NOTIFY_TOPIC_URN)
        parts = DdsBackups(dds, clock), DdsJobs(dds), _Instances(dds), topic, dds, smn, project_id
        return RestoringCloud(*parts, DdsRestores(dds))


class _Service(SdkService):
    """One service of one function, in place of the SDK's client."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def renew(self, _credentials: Credentials, retrying: Retrying) -> None:
        self.retrying = retrying

    def call(self, operation: Operation, request: Any) -> Any:
        return self._services.call(operation, request)

    def redact(self, text: str) -> str:
        return text


class _Instances(DdsInstances):
    """Reads an answer only if it is another one than the last, which it rarely is."""

    def __init__(self, service: SdkService) -> None:
        super().__init__(service)
        self._calls = service
        self._answer: Any = None
        self._found: Sequence[Instance] = ()

    def list(self) -> Sequence[Instance]:
        answer = self._calls.call(LIST_INSTANCES, _FIRST_PAGE)
        if answer.total_count >= PAGE:
            return super().list()
        if self._answer is not answer.instances:
            self._answer = answer.instances
            self._found = DdsInstances(_Given(answer, self._calls.retrying)).list()
        return self._found


class _Given(SdkService):
    """A service that has answered already."""

    def __init__(self, answer: Any, retrying: Retrying) -> None:
        self._given = answer
        self.retrying = retrying

    def call(self, _operation: Operation, _request: Any) -> Any:
        return self._given


class _InstanceList:
    """Answers with the same list as before while no instance and no operation on one has changed."""

    def __init__(self, dds: DdsState) -> None:
        self._dds = dds
        self._key: Any = None
        self._answer: dict[str, Any] = {}

    def __call__(self, request: Any) -> dict[str, Any]:
        now = self._dds.present()
        found = list(self._dds.instances)
        operations = (
            {backup.instance_id for backup in self._dds.stored_backups if backup.begin <= now < backup.end},
            {restore.source_id for restore in self._dds.restores if restore.running(now)},
            [one.actions_at(now) for one in found if one.actions],
        )
        key = found, (operations, request.offset, request.limit)
        if self._key is None or not _same(self._key, key):
            query = instances.InstanceQuery(offset=request.offset or 0, limit=request.limit or PAGE)
            self._key, self._answer = key, vars(instances.list_instances(self._dds, query))
        return self._answer


def _same(before: Any, now: Any) -> bool:
    # The facts are immutable: an instance that has changed is another object.
    return before[1] == now[1] and len(before[0]) == len(now[0]) and all(map(is_, before[0], now[0]))


def _handlers(dds: DdsState, smn: SmnState) -> dict[str, Callable[[Any], dict[str, Any]]]:
    """The calls of `shared.cloud.operations`, by the method of the SDK's client."""
    return {
        **_backup_handlers(dds),
        **_instance_handlers(dds),
        "publish_message": lambda request: {"message_id": publish(smn, request.topic_urn, _message(request), None).id},
    }


def _backup_handlers(dds: DdsState) -> dict[str, Callable[[Any], dict[str, Any]]]:
    def create(request: Any) -> dict[str, Any]:
        new = request.body.backup
        backup = backups.create(dds, new.instance_id, new.name, new.description or "")
        return {"backup_id": backup.id, "job_id": backup.job_id}

    def listed(request: Any) -> dict[str, Any]:
        query = backup_list.BackupQuery(
            instance_id=request.instance_id,
            backup_id=request.backup_id,
            backup_type=request.backup_type,
            offset=request.offset or 0,
            limit=request.limit or 100,
            begin_time=request.begin_time,
            end_time=request.end_time,
            backup_name=request.backup_name,
            backup_description=request.backup_description,
        )
        return vars(backup_list.list_backups(dds, query))

    def tasks(request: Any) -> dict[str, Any]:
        window = request.start_time, request.end_time
        return vars(jobs.tasks(dds, *window, name=request.name, offset=request.offset or 0, limit=request.limit or 100))

    return {
        "create_manual_backup": create,
        "delete_manual_backup": lambda request: {"job_id": backups.delete(dds, [request.backup_id])[0].id},
        "list_backups": listed,
        "list_tasks": tasks,
        "show_job_detail": lambda request: vars(jobs.show(dds, request.id)),
    }


def _instance_handlers(dds: DdsState) -> dict[str, Callable[[Any], dict[str, Any]]]:
    def restore(request: Any) -> dict[str, Any]:
        body = instance_schemas.RestoreNewInstance.model_validate(_plain(request.body))
        return vars(restores.restore_new(dds, body))

    def tag(request: Any) -> dict[str, Any]:
        tags = [Tag(key=tag.key, value=tag.value) for tag in request.body.tags]
        instances.change_tags(dds, request.instance_id, request.body.action, tags)
        return {}

    def reset_password(request: Any) -> dict[str, Any]:
        body = instance_schemas.NewPassword.model_validate(_plain(request.body))
        lifecycle.reset_password(dds, request.instance_id, body)
        return {}

    def restart(request: Any) -> dict[str, Any]:
        body = instance_schemas.RestartInstance.model_validate(_plain(request.body))
        return {"job_id": lifecycle.restart(dds, request.instance_id, body).id}

    return {
        "list_instances": _InstanceList(dds),
        "restore_new_instance": restore,
        "list_databases": lambda request: vars(
            databases.list_databases(dds, request.instance_id, request.offset or 0, request.limit or 100)
        ),
        "list_restore_times": lambda request: vars(times.restore_times(dds, request.instance_id, request.date)),
        "list_recycle_instances": lambda request: vars(lifecycle.recycled(dds, 0, request.limit or 100)),
        "show_quotas": lambda _: vars(instances.quotas(dds)),
        "batch_tag_action": tag,
        "reset_password": reset_password,
        "restart_instance": restart,
        "delete_instance": lambda request: {"job_id": lifecycle.delete(dds, request.instance_id).id},
    }


def _message(request: Any) -> Publish:
    body = request.body
    attributes = [Attribute(name=one.name, type=one.type, value=one.value) for one in body.message_attributes or ()]
    return Publish(
        subject=body.subject,
        message=body.message,
        message_structure=body.message_structure,
        message_attributes=attributes or None,
    )


def _plain(body: Any) -> Any:
    """The request body as JSON values, as the SDK would send it: without what is None."""
    return _without_none(body.to_dict())


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(one) for key, one in value.items() if one is not None}
    return [_without_none(one) for one in value] if isinstance(value, list) else value

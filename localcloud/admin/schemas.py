"""The bodies of requests and responses under `/_local`. Times are ISO 8601 in UTC unless a field says otherwise."""

from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from localcloud.strict import Strict


class Advance(Strict):
    """Seconds to move the clock forward."""

    advance: Annotated[float, Field(ge=0, le=10 * 365 * 86_400, allow_inf_nan=False, examples=[600])]


class InstanceChange(Strict):
    """New values of an instance's fields. Omitted fields stay."""

    status: str = "normal"
    actions: Annotated[tuple[str, ...], Field(strict=False)] = ()
    busy_for: Annotated[float | None, Field(ge=0, description="Seconds until the actions end.")] = None
    hidden_node: str = "normal"
    fails_with: Annotated[str | None, Field(description="Why its next backups fail; null if they succeed.")] = None


class Time(TypedDict):
    """The present of the local cloud, and by how many seconds it is ahead of the wall clock."""

    now: str
    offset: float


class TimerRuns(TypedDict):
    """How often a timer fired, and the first due time that it skipped, null if it skipped none."""

    function: str
    timer: str
    fired: int
    skipped_from: str | None


class Jump(Time):
    """The present after a jump, what it fired and skipped, and how many accepted events are not finished yet."""

    timers: list[TimerRuns]
    unfinished: int


class InstanceLine(TypedDict):
    """An instance in the list of a connection."""

    id: str
    name: str
    mode: str
    status: str
    tags: dict[str, str]


class Connection(TypedDict):
    """What a client needs. `instance_ids` are the instances that can be backed up, `instances` are all."""

    endpoint: str
    region: str
    project_id: str
    access_key: str
    secret_key: str
    security_token: str | None
    token: str
    topic_urn: str
    instance_ids: list[str]
    instances: list[InstanceLine]


class InstanceState(TypedDict):
    """A DDS instance. `actions` are the running operations, `fails_with` is why its next backups fail.

    `uri` is the connection string for MongoDB clients, without the password; null if the instance cannot be used.
    """

    id: str
    name: str
    mode: str
    status: str
    actions: list[str]
    hidden_node: str
    fails_with: str | None
    version: str
    enterprise_project_id: str
    prepaid: bool
    created: str
    tags: dict[str, str]
    uri: str | None
    backup_policy: dict[str, Any]


class BackupState(TypedDict):
    """A DDS backup. `size` is in KB, `fault` is what is wrong with its content."""

    id: str
    name: str
    instance_id: str
    instance_name: str
    type: str
    status: str
    job_id: str
    description: str
    begin_time: str
    end_time: str
    size: int
    fail_reason: str | None
    fault: dict[str, Any]


class JobState(TypedDict):
    """A DDS job. `progress` is a percentage such as "58%"."""

    id: str
    name: str
    instance_id: str
    instance_name: str
    status: str
    progress: str
    created: str
    ended: str | None
    fail_reason: str | None


class RestoreState(TypedDict):
    """A restore to a new instance, in progress or ended. `backup_id` is null for a restore to a point in time."""

    job_id: str
    source_id: str
    backup_id: str | None
    target_id: str
    begin_time: str


class RecycledState(TypedDict):
    """A deleted instance in the recycle bin."""

    id: str
    name: str
    mode: str
    enterprise_project_id: str
    deleted: str
    retained_until: str


class State(TypedDict):
    """The state of DDS."""

    instances: list[InstanceState]
    backups: list[BackupState]
    jobs: list[JobState]
    restores: list[RestoreState]
    recycle_bin: list[RecycledState]


class MessageDelivery(TypedDict):
    """What one subscription would have received: text, or the JSON document for HTTP and functions."""

    protocol: str
    endpoint: str
    subscription_urn: str
    content: Any


class PublishedMessage(TypedDict):
    """A message published to a topic. `access_key` is the publisher's, null for a token."""

    message_id: str
    topic_urn: str
    subject: str | None
    message: str
    message_structure: str | None
    message_attributes: list[dict[str, Any]]
    time_to_live: int
    timestamp: str
    access_key: str | None
    deliveries: list[MessageDelivery]


class ReceivedRequest(TypedDict):
    """A request to one of the services.

    `id` is the X-Request-Id of its response. `status` is null if the connection was cut. `fault` is the index of the
    fault rule that acted. `body` is null for IAM and FunctionGraph: it may contain a password.
    """

    id: str
    time: str
    method: str
    path: str
    query: str
    status: int | None
    access_key: str | None
    fault: int | None
    body: Any


class DeployedFunction(TypedDict):
    """A function. `python` is the interpreter it runs on, `waiting` the number of accepted events not finished yet."""

    func_urn: str
    func_name: str
    runtime: str
    python: str
    note: str | None
    handler: str
    code_size: int
    digest: str
    agency: str | None
    instances: int
    waiting: int
    async_config: dict[str, Any] | None
    triggers: list[dict[str, Any]]


class FinishedInvocation(TypedDict):
    """A finished invocation: see `localcloud.functiongraph.state.Invocation`."""

    id: str
    request_id: str
    attempt: int
    function_urn: str
    source: str
    event: Any
    started: str
    finished: str
    ok: bool
    result: Any
    error: dict[str, Any] | None
    report: dict[str, Any]
    log: list[str]
    access_key: str
    destination: dict[str, Any] | None

"""The bodies of DDS requests and responses (DDS API, the tables of each page)."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, WithJsonSchema

from localcloud.dds.model import BackupStatus
from localcloud.dds.specification import Mode


class Error(BaseModel):
    """A DDS error. Gateway errors (APIGW.*) also have a request_id."""

    error_code: str
    error_msg: str
    request_id: str | None = None


class NewBackup(BaseModel):
    """Creating a Manual Backup, table 2. Line breaks in a description are not allowed either (DDS user manual)."""

    instance_id: Annotated[str, Field(min_length=1, examples=["a89dab5e39394eccbdb77b19d57b0180in02"])]
    name: Annotated[str, Field(pattern="^[A-Za-z][A-Za-z0-9_-]{3,63}$", examples=["mybackup1"])]
    description: Annotated[
        str | None,
        Field(max_length=256, pattern="^[^>!<\"&'=\\r\\n]*$", examples=["The first Manual backup"]),
    ] = None


class CreateBackup(BaseModel):
    backup: NewBackup


class CreatedBackup(BaseModel):
    """Older regions omit job_id."""

    job_id: str | None = None
    backup_id: str


class JobStarted(BaseModel):
    job_id: str


class BackupIds(BaseModel):
    backup_ids: Annotated[list[str], Field(min_length=1, max_length=10)]


class StopBackup(BaseModel):
    action: Literal["stop"]


class Nothing(BaseModel):
    """An empty body."""


class BackupDatastore(BaseModel):
    type: Literal["DDS-Community"] = "DDS-Community"
    version: str


class Backup(BaseModel):
    """Times are in UTC, yyyy-mm-dd hh:mm:ss. The size is in KB."""

    id: str
    name: str
    instance_id: str
    instance_name: str
    datastore: BackupDatastore
    type: Literal["Auto", "Manual"]
    begin_time: str
    end_time: str
    status: BackupStatus
    size: int
    description: str
    instance_status: str
    instance_mode: Mode
    is_instance_restoring: bool
    backup_method: Literal["Physical", "Logical"]
    kms_enable: bool
    deletable: bool


class Backups(BaseModel):
    backups: list[Backup]
    total_count: int


class DownloadFile(BaseModel):
    name: str
    size: int
    download_link: str
    link_expired_time: str


class DownloadLink(BaseModel):
    files: list[DownloadFile]
    bucket: str


class ShownPolicy(BaseModel):
    """While automatic backups are disabled, `keep_days` is 0 and the other fields are absent."""

    keep_days: int
    start_time: str | None = None
    period: str | None = None
    enable_incremental_backup: bool | None = None


class ShownPolicyResponse(BaseModel):
    backup_policy: ShownPolicy


_NUMBER_OR_TEXT = {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 732}, {"type": "string"}]}


class NewPolicy(BaseModel):
    """`keep_days` is a string in the SDK and a number in the examples. Both are accepted."""

    keep_days: Annotated[int, Field(ge=0, le=732, examples=[7]), WithJsonSchema(_NUMBER_OR_TEXT)]
    start_time: Annotated[
        str | None,
        Field(pattern="^([01][0-9]|2[0-3]):(00|15|30|45)-([01][0-9]|2[0-3]):(00|15|30|45)$", examples=["19:00-20:00"]),
    ] = None
    period: Annotated[str | None, Field(pattern="^[1-7](,[1-7]){0,6}$", examples=["1,2,3,4,5,6,7"])] = None
    enable_incremental_backup: bool | None = None


class SetPolicy(BaseModel):
    backup_policy: NewPolicy


class JobInstance(BaseModel):
    id: str
    name: str


class JobDetail(BaseModel):
    id: str
    name: str
    status: Literal["Running", "Completed", "Failed"]
    created: str
    ended: str
    progress: str
    instance: JobInstance
    fail_reason: str | None


class JobResponse(BaseModel):
    job: JobDetail


class Task(BaseModel):
    id: str
    name: str
    instance_id: str
    instance_name: str
    status: Literal["Running", "Completed", "Failed"]
    progress: str
    fail_reason: str | None
    created_at: str
    ended_at: str


class Tasks(BaseModel):
    jobs: list[Task]
    total_count: int


class Tag(BaseModel):
    key: Annotated[str, Field(examples=["env"])]
    value: str = ""


class Datastore(BaseModel):
    type: Literal["DDS-Community"] = "DDS-Community"
    version: str
    patch_available: bool = False
    whole_version: str


class Volume(BaseModel):
    """Sizes in GB, as strings."""

    size: str
    used: str


class Node(BaseModel):
    id: str
    name: str
    status: str
    role: str
    private_ip: str
    public_ip: str = ""
    spec_code: str
    availability_zone: str


class Group(BaseModel):
    type: Literal["mongos", "shard", "config", "replica", "single"]
    id: str
    name: str
    status: str
    volume: Volume | None
    nodes: list[Node]


class BackupStrategy(BaseModel):
    start_time: str
    keep_days: int


class Instance(BaseModel):
    id: str
    name: str
    remark: str
    status: str
    port: str
    mode: Mode
    region: str
    datastore: Datastore
    engine: str
    created: str
    updated: str
    db_user_name: str
    ssl: int
    vpc_id: str
    subnet_id: str
    security_group_id: str
    backup_strategy: BackupStrategy
    pay_mode: str
    maintenance_window: str
    groups: list[Group]
    disk_encryption_id: str
    enterprise_project_id: str
    time_zone: str
    actions: list[str]
    order_id: str | None
    tags: list[Tag]


class Instances(BaseModel):
    instances: list[Instance]
    total_count: int


class Match(BaseModel):
    key: Literal["instance_name", "instance_id"]
    value: str


class TagCondition(BaseModel):
    """Matches any of `values`, or any value if there are none."""

    key: Annotated[str, Field(min_length=1, max_length=36)]
    values: list[Annotated[str, Field(max_length=43)]] = []


class ListByTags(BaseModel):
    """Querying DB Instances by Tag, table 2. `offset` and `limit` are strings there."""

    action: Literal["filter", "count"]
    offset: Annotated[str | None, Field(pattern="^[0-9]{1,9}$")] = None
    limit: Annotated[str | None, Field(pattern="^([1-9][0-9]?|100)$")] = None
    matches: list[Match] | None = None
    tags: Annotated[list[TagCondition] | None, Field(max_length=20)] = None


class TaggedInstance(BaseModel):
    instance_id: str
    instance_name: str
    tags: list[Tag]


class TaggedInstances(BaseModel):
    """Action count returns only total_count."""

    instances: list[TaggedInstance] | None = None
    total_count: int


class TagAction(BaseModel):
    action: Literal["create", "delete"]
    tags: Annotated[list[Tag], Field(min_length=1, max_length=20)]


class Tags(BaseModel):
    tags: list[Tag]


class ProjectTag(BaseModel):
    key: str
    values: list[str]


class ProjectTags(BaseModel):
    tags: list[ProjectTag]


class Quota(BaseModel):
    type: Literal["instance"] = "instance"
    mode: Mode
    quota: int
    used: int


class QuotaList(BaseModel):
    resources: list[Quota]


class Quotas(BaseModel):
    quotas: QuotaList

"""The bodies about instances, their tags, policies and quotas (DDS API, tables of each page)."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, WithJsonSchema

from localcloud.dds.facts import Mode


class Tag(BaseModel):
    key: Annotated[str, Field(examples=["env"])]
    value: str = ""


class Datastore(BaseModel):
    type: Literal["DDS-Community"] = "DDS-Community"
    version: str
    patch_available: bool = False
    whole_version: str


class Volume(BaseModel):
    """Sizes in GB, as text."""

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
    """Any of `values` will do; none at all means any value."""

    key: Annotated[str, Field(min_length=1, max_length=36)]
    values: list[Annotated[str, Field(max_length=43)]] = []


class ListByTags(BaseModel):
    """Table 2 of Querying DB Instances by Tag: offset and limit are text there."""

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
    """action count answers total_count alone."""

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


class ShownPolicy(BaseModel):
    """keep_days 0, and nothing else, when automatic backups are off."""

    keep_days: int
    start_time: str | None = None
    period: str | None = None
    enable_incremental_backup: bool | None = None


class ShownPolicyAnswer(BaseModel):
    backup_policy: ShownPolicy


_NUMBER_OR_TEXT = {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 732}, {"type": "string"}]}


class NewPolicy(BaseModel):
    """keep_days is text in the SDK and a number in the examples: both are taken."""

    keep_days: Annotated[int, Field(ge=0, le=732, examples=[7]), WithJsonSchema(_NUMBER_OR_TEXT)]
    start_time: Annotated[
        str | None,
        Field(pattern="^([01][0-9]|2[0-3]):(00|15|30|45)-([01][0-9]|2[0-3]):(00|15|30|45)$", examples=["19:00-20:00"]),
    ] = None
    period: Annotated[str | None, Field(pattern="^[1-7](,[1-7]){0,6}$", examples=["1,2,3,4,5,6,7"])] = None
    enable_incremental_backup: bool | None = None


class SetPolicy(BaseModel):
    backup_policy: NewPolicy

"""The bodies of requests and responses about creating, restoring and operating instances (DDS API)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, Tag, WithJsonSchema

from localcloud.dds import schemas
from localcloud.dds.specification import Mode


_UUID = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_NAME = "^[A-Za-z][A-Za-z0-9_-]{3,63}$"
# Numbers are strings in the SDK, and numbers in the documents and in their examples. Both are accepted.
_NUMBER_OR_TEXT = WithJsonSchema(
    {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^[0-9]+$"}]}
)
Number = Annotated[int, Field(ge=0, le=2**53), _NUMBER_OR_TEXT]
SpecCode = Annotated[str, Field(examples=["dds.mongodb.c6.large.2.repset"])]


class NewFlavor(BaseModel):
    """Creating a DB Instance, table 4. `num` may be left out for the shards of a restore."""

    type: str
    num: Number | None = None
    storage: str | None = None
    size: Number | None = None
    spec_code: SpecCode


class NewStrategy(BaseModel):
    """Automatic backups: kept for 7 days unless `keep_days` says otherwise, and none if it is 0."""

    start_time: Annotated[
        str,
        Field(pattern="^([01][0-9]|2[0-3]):(00|15|30|45)-([01][0-9]|2[0-3]):(00|15|30|45)$", examples=["23:00-00:00"]),
    ]
    keep_days: Annotated[int, Field(ge=0, le=732), _NUMBER_OR_TEXT] = 7


class ChargeInfo(BaseModel):
    """How an instance is billed: by use unless `charge_mode` is prePaid."""

    charge_mode: str
    period_type: str | None = None
    period_num: int | None = None
    is_auto_renew: bool = False
    is_auto_pay: bool = False


class Configuration(BaseModel):
    """A parameter group. The local cloud has none, and ignores it."""

    type: str
    configuration_id: str


class NewInstance(BaseModel):
    """What a new instance has, whether it is empty or restored."""

    name: Annotated[str, Field(pattern=_NAME, examples=["test-replicaset"])]
    region: Annotated[str | None, Field(min_length=1)] = None
    availability_zone: Annotated[str, Field(min_length=1, examples=["cn-north-4a"])]
    vpc_id: Annotated[str, Field(pattern=_UUID, examples=["674e9b42-cd8d-4d25-a2e6-5abcc565b961"])]
    subnet_id: Annotated[str, Field(pattern=_UUID, examples=["f1df08c5-71d1-406a-aff0-de435a51007b"])]
    security_group_id: Annotated[str, Field(pattern=_UUID, examples=["7aa51dbf-5b63-40db-9724-dad3c4828b58"])]
    password: str | None = None
    disk_encryption_id: str | None = None
    configurations: list[Configuration] | None = None
    flavor: Annotated[list[NewFlavor], Field(min_length=1)]
    backup_strategy: NewStrategy | None = None
    enterprise_project_id: str | None = None
    ssl_option: str | None = None
    dss_pool_id: str | None = None
    server_group_policies: list[str] | None = None
    charge_info: ChargeInfo | None = None


class NewDatastore(BaseModel):
    type: str
    version: str
    storage_engine: str


class CreateInstance(NewInstance):
    """Creating a DB Instance, table 2."""

    region: Annotated[str, Field(min_length=1, examples=["cn-north-4"])]
    datastore: NewDatastore
    mode: str
    port: Number | None = None
    tags: Annotated[list[schemas.Tag] | None, Field(max_length=20)] = None


class RestorePoint(BaseModel):
    """Restoring Data to a New DB Instance, table 3: a backup, or an instance at a time in milliseconds since 1970."""

    instance_id: str | None = None
    type: str | None = None
    backup_id: str | None = None
    restore_time: Number | None = None


class RestoreNewInstance(NewInstance):
    """Restoring Data to a New DB Instance, table 2. Mode, version and engine are those of the source."""

    restore_point: RestorePoint
    tags: Annotated[Any, Field(description="Not accepted: a restored instance can be tagged once it exists.")] = None


def _kind(body: Any) -> str:
    return "restore" if isinstance(body, dict) and "restore_point" in body else "create"


NewInstanceBody = Annotated[
    Annotated[CreateInstance, Tag("create")] | Annotated[RestoreNewInstance, Tag("restore")], Discriminator(_kind)
]


class ResultDatastore(BaseModel):
    type: Literal["DDS-Community"] = "DDS-Community"
    version: str
    storage_engine: str


class ResultFlavor(BaseModel):
    type: str
    num: str
    size: str | None = None
    spec_code: str


class ResultStrategy(BaseModel):
    start_time: str
    keep_days: str


class NewInstanceStarted(BaseModel):
    """A new instance, which is being created. `order_id` is returned for yearly/monthly billing only."""

    id: str
    name: str
    datastore: ResultDatastore
    created: str
    status: Literal["creating"] = "creating"
    region: str
    availability_zone: str
    vpc_id: str
    subnet_id: str
    security_group_id: str
    port: int
    disk_encryption_id: str
    mode: Mode
    flavor: list[ResultFlavor]
    backup_strategy: ResultStrategy
    enterprise_project_id: str
    ssl_option: str
    tags: list[schemas.Tag] | None = None
    job_id: str
    order_id: str | None = None
    charge_info: ChargeInfo | None = None


class RestartInstance(BaseModel):
    """Restarting a DB Instance, table 2."""

    target_type: Literal["mongos", "shard", "config"] | None = None
    target_id: str
    is_serial: bool = False
    is_force: bool = False


class NewName(BaseModel):
    new_instance_name: Annotated[str, Field(pattern=_NAME, examples=["myNewName"])]


class NewPassword(BaseModel):
    """Changing the Password of a Database User, table 2."""

    user_pwd: str
    user_name: Annotated[str, Field(pattern="^[A-Za-z0-9._-]{1,64}$")] = "rwuser"
    db_name: Annotated[str, Field(pattern="^[A-Za-z0-9_]{1,64}$")] = "admin"


class RecycleDatastore(BaseModel):
    type: Literal["DDS-Community"] = "DDS-Community"
    version: str


class RecycleInstance(BaseModel):
    id: str
    name: str
    mode: Mode
    datastore: RecycleDatastore
    pay_mode: str
    enterprise_project_id: str
    backup_id: str
    created_at: str
    deleted_at: str
    retained_until: str
    status: Literal["Active"] = "Active"


class RecycleInstances(BaseModel):
    instances: list[RecycleInstance]
    total_count: int


class RecyclePolicy(BaseModel):
    """The bin cannot be disabled."""

    enabled: Literal[True]
    retention_period_in_days: Annotated[int, Field(ge=1, le=7)] = 7


class RecyclePolicyBody(BaseModel):
    recycle_policy: RecyclePolicy


class Flavor(BaseModel):
    """Querying Database Specifications, table 3. `ram` is in GB."""

    engine_name: Literal["DDS-Community"] = "DDS-Community"
    type: str
    vcpus: str
    ram: str
    spec_code: str
    az_status: dict[str, str]


class FlavorInfo(Flavor):
    engine_versions: list[str]


class Flavors(BaseModel):
    flavors: list[Flavor]


class FlavorInfos(BaseModel):
    flavors: list[FlavorInfo]
    total_count: int


class Versions(BaseModel):
    versions: list[str]


class RestoreTime(BaseModel):
    """A period, in milliseconds since 1970 (UTC)."""

    start_time: int
    end_time: int


class RestoreTimes(BaseModel):
    restore_time: list[RestoreTime]


class RestoreDatabases(BaseModel):
    databases: list[str]
    total_count: int


class RestoreCollections(BaseModel):
    collections: list[str]
    total_count: int


class RestoreSource(BaseModel):
    """Restoring Data to the Original DB Instance, table 3."""

    instance_id: str
    type: str | None = None
    backup_id: str | None = None
    restore_time: Number | None = None


class RestoreTarget(BaseModel):
    instance_id: str


class RestoreInstance(BaseModel):
    source: RestoreSource
    target: RestoreTarget


class Database(BaseModel):
    """Sizes are GB with two decimals, as text."""

    name: str
    data_size: str
    storage_size: str
    collection_num: int


class Databases(BaseModel):
    databases: list[Database]
    total_count: int

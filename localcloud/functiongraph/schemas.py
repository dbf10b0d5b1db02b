"""The bodies of requests and responses (FunctionGraph API, the tables of each page)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field


Runtime = Literal["Python3.6", "Python3.9", "Python3.10", "Python3.12"]
MemorySize = Literal[128, 256, 512, 768, 1024, 1280, 1536, 1792, 2048, 2560, 3072, 3584, 4096, 8192, 10_240]
Handler = Annotated[str, Field(min_length=3, max_length=128, pattern=r"^[^.]+(\.[^.]+)+$", examples=["index.handler"])]
Timeout = Annotated[int, Field(strict=True, ge=3, le=259_200, description="Seconds.")]
InitializerTimeout = Annotated[int, Field(strict=True, ge=1, le=300, description="Seconds.")]
Description = Annotated[str, Field(max_length=512)]
Variables = Annotated[str, Field(description="A JSON object of strings.", examples=['{"LOG_LEVEL": "INFO"}'])]
StrictBool = Annotated[bool, Field(strict=True)]
TriggerType = Literal[
    "TIMER",
    "SMN",
    "KAFKA",
    "OPENSOURCEKAFKA",
    "RABBITMQ",
    "ROCKETMQ",
    "EVENTGRID",
    "DEDICATEDGATEWAY",
    "APIG",
    "APIC",
    "CTS",
    "DDS",
    "DIS",
    "DMS",
    "GAUSSMONGO",
    "IOTDA",
    "LTS",
    "OBS",
]
TriggerStatus = Literal["ACTIVE", "DISABLED"]
TIMER_EXAMPLE = {"name": "nightly", "schedule_type": "Cron", "schedule": "CRON_TZ=UTC 0 0 2 * * ?"}


class Error(BaseModel):
    """An error of FunctionGraph."""

    error_code: str
    error_msg: str


class FuncCode(BaseModel):
    """`file` is the package in base64."""

    file: str | None = None
    link: str | None = None


class StrategyConfig(BaseModel):
    """`concurrency` is the maximum number of instances: -1 for no limit, 0 disables the function."""

    concurrency: Annotated[int, Field(strict=True, ge=-1, le=1000)] = -1
    concurrent_num: Annotated[int, Field(strict=True, ge=1, le=1000)] = 1


class LogConfig(BaseModel):
    group_id: str | None = None
    stream_id: str | None = None


class FuncVpc(BaseModel):
    """The VPC that a function can access. Whether it exists is not checked."""

    domain_id: str | None = None
    namespace: str | None = None
    vpc_name: str | None = None
    vpc_id: str
    subnet_name: str | None = None
    subnet_id: str
    cidr: str | None = None
    gateway: str | None = None
    security_groups: list[str] | None = None


class Configuration(BaseModel):
    """The fields that creating and updating a function share."""

    runtime: Runtime
    timeout: Timeout
    handler: Handler
    memory_size: MemorySize
    user_data: Variables | None = None
    encrypted_user_data: Variables | None = None
    xrole: str | None = None
    app_xrole: str | None = None
    description: Description | None = None
    initializer_handler: Handler | None = None
    initializer_timeout: InitializerTimeout | None = None
    enterprise_project_id: str | None = None
    func_vpc: FuncVpc | None = None
    log_config: LogConfig | None = None
    enable_lts_log: StrictBool | None = None
    lts_custom_tag: dict[str, str] | None = None


class NewFunction(Configuration):
    """The local cloud runs uploaded packages only, so code_type is zip."""

    func_name: Annotated[str, Field(pattern="^[A-Za-z]([A-Za-z0-9_-]{0,58}[A-Za-z0-9])?$", examples=["create_backup"])]
    package: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,60}$", examples=["default"])]
    code_type: Literal["zip"]
    code_filename: Annotated[str, Field(min_length=1, examples=["create_backup.zip"])]
    func_code: FuncCode | None = None
    depend_version_list: list[str] | None = None
    type: Literal["v1", "v2"] = "v2"


class NewConfiguration(Configuration):
    """func_name and runtime are required, and cannot be changed."""

    func_name: str
    strategy_config: StrategyConfig | None = None


class NewCode(BaseModel):
    """The local cloud runs uploaded packages only, so code_type is zip."""

    code_type: Literal["zip"]
    code_filename: Annotated[str, Field(min_length=1, examples=["create_backup.zip"])]
    func_code: FuncCode
    depend_version_list: list[str] | None = None


class FunctionCode(BaseModel):
    """The code of a function. Only Querying the Code of a Function returns the code itself."""

    func_urn: str
    func_name: str
    domain_id: str
    runtime: str
    code_type: str
    code_filename: str
    code_size: int
    digest: str
    last_modified: str
    func_code: FuncCode
    depend_version_list: list[str]
    strategy_config: StrategyConfig


class FunctionSummary(BaseModel):
    """The common fields of both forms of a function. `cpu` is in millicores, `code_size` in bytes, `digest` SHA-512."""

    resource_id: str
    func_urn: str
    func_name: str
    domain_id: str
    namespace: str
    project_name: str
    package: str
    runtime: str
    timeout: int
    handler: str
    memory_size: int
    cpu: int
    code_type: str
    code_filename: str
    code_size: int
    user_data: str
    encrypted_user_data: str
    digest: str
    version: str
    image_name: str
    xrole: str | None
    app_xrole: str | None
    description: str
    last_modified: str
    strategy_config: StrategyConfig
    initializer_handler: str | None
    initializer_timeout: int | None
    enterprise_project_id: str
    log_group_id: str | None
    log_stream_id: str | None
    type: str


class ListedFunction(FunctionSummary):
    """A function in a list."""

    func_vpc_id: str | None


class FunctionConfig(FunctionSummary):
    """A function. `encrypted_user_data` has the names only."""

    func_id: str
    ephemeral_storage: int = 512
    depend_version_list: list[str]
    func_vpc: FuncVpc | None
    enable_lts_log: bool
    lts_custom_tag: dict[str, str]


class Functions(BaseModel):
    functions: list[ListedFunction]
    next_marker: int
    count: int


class Quota(BaseModel):
    quota: int
    used: int
    type: str
    unit: str | None = None


class QuotaList(BaseModel):
    resources: list[Quota]


class Quotas(BaseModel):
    quotas: QuotaList


class NewTrigger(BaseModel):
    """The fields of event_data depend on the type of the trigger."""

    trigger_type_code: Annotated[TriggerType, Field(examples=["TIMER"])]
    trigger_status: Annotated[TriggerStatus | None, Field(description="DISABLED by default for Kafka and DDS.")] = None
    event_type_code: str | None = None
    event_data: Annotated[dict[str, Any], Field(examples=[TIMER_EXAMPLE])]


class EventDataChange(BaseModel):
    """The fields of a trigger's configuration that can be changed."""

    is_serial: Annotated[bool | None, Field(strict=True)] = None
    max_fetch_bytes: Annotated[int | None, Field(strict=True)] = None
    polling_interval: Annotated[int | None, Field(strict=True)] = None
    polling_unit: Literal["ms", "s"] | None = None


class TriggerChange(BaseModel):
    """Omitted fields stay."""

    trigger_status: TriggerStatus | None = None
    event_data: list[EventDataChange] | None = None


class Trigger(BaseModel):
    """A trigger. Its event_data contains no passwords."""

    trigger_id: str
    trigger_type_code: str
    trigger_status: str
    event_data: dict[str, Any]
    last_updated_time: str
    created_time: str


class DestinationConfig(BaseModel):
    """`param` is a JSON object with bucket (OBS), topic_urn (SMN), stream_name (DIS) or func_urn (FunctionGraph)."""

    destination: Literal["OBS", "SMN", "DIS", "FunctionGraph"] | None = None
    param: str | None = None


class DestinationConfigs(BaseModel):
    on_success: DestinationConfig | None = None
    on_failure: DestinationConfig | None = None


class NewAsyncConfig(BaseModel):
    """An asynchronous configuration (FunctionGraph API, Asynchronous Execution Notification). The age is in seconds."""

    max_async_event_age_in_seconds: Annotated[int, Field(strict=True, ge=1, le=86_400)] = 3600
    max_async_retry_attempts: Annotated[int, Field(strict=True, ge=0, le=3)] = 1
    destination_config: DestinationConfigs | None = None
    enable_async_status_log: Annotated[bool | None, Field(strict=True)] = None


class AsyncConfig(BaseModel):
    """How a function's asynchronous events are delivered."""

    func_urn: str
    max_async_event_age_in_seconds: int
    max_async_retry_attempts: int
    destination_config: DestinationConfigs
    created_time: str
    last_modified: str
    enable_async_status_log: bool


class PageInfo(BaseModel):
    next_marker: int
    previous_marker: int
    current_count: int


class AsyncConfigs(BaseModel):
    async_invoke_configs: list[AsyncConfig]
    count: int
    page_info: PageInfo


class AcceptedEvent(BaseModel):
    request_id: str

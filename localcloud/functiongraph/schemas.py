"""The bodies of requests and answers about functions (FunctionGraph API, tables of each page)."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field


Runtime = Literal["Python3.6", "Python3.9", "Python3.10", "Python3.12"]
MemorySize = Literal[128, 256, 512, 768, 1024, 1280, 1536, 1792, 2048, 2560, 3072, 3584, 4096, 8192, 10_240]
Handler = Annotated[str, Field(min_length=3, max_length=128, pattern=r"^[^.]+(\.[^.]+)+$", examples=["index.handler"])]
Timeout = Annotated[int, Field(strict=True, ge=3, le=259_200, description="Seconds.")]
InitializerTimeout = Annotated[int, Field(strict=True, ge=1, le=300, description="Seconds.")]
Description = Annotated[str, Field(max_length=512)]
Variables = Annotated[str, Field(description="A JSON object of texts.", examples=['{"LOG_LEVEL": "INFO"}'])]
Yes = Annotated[bool, Field(strict=True)]


class Error(BaseModel):
    """An error of FunctionGraph."""

    error_code: str
    error_msg: str


class FuncCode(BaseModel):
    """`file` is the package in base64."""

    file: str | None = None
    link: str | None = None


class StrategyConfig(BaseModel):
    """`concurrency` is how many instances a function has at most: -1 for no limit, 0 turns it off."""

    concurrency: Annotated[int, Field(strict=True, ge=-1, le=1000)] = -1
    concurrent_num: Annotated[int, Field(strict=True, ge=1, le=1000)] = 1


class LogConfig(BaseModel):
    group_id: str | None = None
    stream_id: str | None = None


class FuncVpc(BaseModel):
    """The VPC that a function reaches into. That there is such a VPC is not checked here."""

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
    """What creating a function and updating it have in common."""

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
    enable_lts_log: Yes | None = None
    lts_custom_tag: dict[str, str] | None = None


class NewFunction(Configuration):
    """The local cloud runs packages only: code_type is zip."""

    func_name: Annotated[str, Field(pattern="^[A-Za-z]([A-Za-z0-9_-]{0,58}[A-Za-z0-9])?$", examples=["create_backup"])]
    package: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,60}$", examples=["default"])]
    code_type: Literal["zip"]
    code_filename: Annotated[str, Field(min_length=1, examples=["create_backup.zip"])]
    func_code: FuncCode | None = None
    depend_version_list: list[str] | None = None
    type: Literal["v1", "v2"] = "v2"


class NewConfiguration(Configuration):
    """func_name and runtime say which they are, and cannot be changed."""

    func_name: str
    strategy_config: StrategyConfig | None = None


class NewCode(BaseModel):
    """The local cloud runs packages only: code_type is zip."""

    code_type: Literal["zip"]
    code_filename: Annotated[str, Field(min_length=1, examples=["create_backup.zip"])]
    func_code: FuncCode
    depend_version_list: list[str] | None = None


class FunctionCode(BaseModel):
    """What is known of the code of a function. The answer to a query holds no code."""

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
    """What both forms of a function have. `cpu` is in millicores, `code_size` in bytes, `digest` SHA-512."""

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
    """A function in the list."""

    func_vpc_id: str | None


class FunctionConfig(FunctionSummary):
    """A function. `encrypted_user_data` has the names without the values."""

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

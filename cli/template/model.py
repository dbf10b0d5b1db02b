"""What ``template.yaml`` describes, as data. Sizes are in MB, times in seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cli.json_value import Json


FUNCTION = "HC::Serverless::Function"
TOPIC = "HC::SMN::Topic"
LOG_GROUP = "HC::LTS::Group"
"""The resource types of a template."""

QUEUES = frozenset({"KAFKA", "OPENSOURCEKAFKA", "RABBITMQ"})
"""Trigger types that poll inside a VPC, which the function needs access to (Using a Kafka Trigger, Prerequisites)."""

PASSWORDS = ("kafka_password", "access_password")
"""Trigger properties that hold a secret. Each must refer to a parameter with NoEcho."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that the user gives at deployment. ``${Name}`` refers to it."""

    name: str
    default: str | None
    description: str
    is_secret: bool = False
    type: str = "String"
    """``String`` or ``Number``."""
    is_used: bool = True
    """Whether anything refers to it. Nobody needs to give a value that nothing refers to."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription to a topic: protocol (email, sms, http, https) and endpoint."""

    protocol: str
    endpoint: str
    remark: str
    filter_policy: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The values of a message attribute that the subscriber gets, by its name. Empty if it gets every message."""


@dataclass(frozen=True, slots=True)
class Topic:
    """An SMN topic. ``${resource}`` refers to its URN."""

    resource: str
    name: str
    display_name: str
    subscriptions: tuple[Subscription, ...]


@dataclass(frozen=True, slots=True)
class LogGroup:
    """An LTS log group, which keeps logs for *ttl_in_days*."""

    resource: str
    name: str
    ttl_in_days: int


@dataclass(frozen=True, slots=True)
class Event:
    """A trigger of a function. The properties have the field names of FunctionGraph's API."""

    name: str
    type: str
    status: str
    properties: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Destination:
    """Where FunctionGraph sends the result of an asynchronous invocation."""

    destination: str
    param: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class AsyncInvoke:
    """The asynchronous invocation settings of a function. None leaves a setting to FunctionGraph's default."""

    max_retry_attempts: int | None
    max_event_age: int | None
    on_success: Destination | None
    on_failure: Destination | None


@dataclass(frozen=True, slots=True)
class VpcConfig:
    """The VPC that a function can reach, and its subnet, by network ID."""

    vpc_id: str
    subnet_id: str


@dataclass(frozen=True, slots=True)
class Function:
    """A function with the values of ``Globals`` and FunctionGraph's defaults filled in.

    Its texts still contain the references ``${Name}`` to parameters without a default and to other resources.
    """

    resource: str
    """Its key under ``Resources``."""
    name: str
    description: str
    code_root: Path
    """The folder of the template. It holds the code that all functions share, and becomes the root of the zip."""
    code_uri: Path
    """The folder that holds the entry file."""
    handler: str
    initializer: str | None
    initializer_timeout: int
    runtime: str
    memory_size: int
    timeout: int
    agency: str | None
    variables: Mapping[str, str]
    async_invoke: AsyncInvoke | None
    events: tuple[Event, ...]
    permissions: tuple[str, ...] = ()
    """The API operations that the function calls, such as ``DDS.ListBackups``."""
    log_group: str | None = None
    """The key of its log group under ``Resources``."""
    vpc_config: VpcConfig | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """An application: everything that one template describes."""

    file: Path
    description: str
    parameters: Mapping[str, Parameter]
    functions: tuple[Function, ...]
    topics: tuple[Topic, ...] = ()
    log_groups: tuple[LogGroup, ...] = ()

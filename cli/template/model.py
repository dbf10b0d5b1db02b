"""What ``template.yaml`` says, as data. Sizes are MB, times are seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.json_value import Json


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that is given when the application is deployed, and that ``${Name}`` stands for."""

    name: str
    default: str | None
    description: str
    is_secret: bool = False
    type: str = "String"
    """``String`` or ``Number``."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who gets what is published to a topic: protocol (email, sms, http, https) and endpoint."""

    protocol: str
    endpoint: str
    remark: str


@dataclass(frozen=True, slots=True)
class Topic:
    """An SMN topic; ``${resource}`` stands for its URN."""

    resource: str
    name: str
    display_name: str
    subscriptions: tuple[Subscription, ...]


@dataclass(frozen=True, slots=True)
class LogGroup:
    """A log group of LTS, whose logs are kept for *ttl_in_days*."""

    resource: str
    name: str
    ttl_in_days: int


@dataclass(frozen=True, slots=True)
class Event:
    """A trigger of a function: its type and its configuration in the field names of FunctionGraph's API."""

    name: str
    type: str
    status: str
    properties: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the result of an asynchronous invocation goes."""

    destination: str
    param: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class AsyncInvoke:
    """What becomes of an event whose invocation fails; None leaves it to the platform."""

    max_retry_attempts: int | None
    max_event_age: int | None
    on_success: Destination | None
    on_failure: Destination | None


@dataclass(frozen=True, slots=True)
class VpcConfig:
    """The VPC that a function reaches into, and the subnet there, by its network ID."""

    vpc_id: str
    subnet_id: str


@dataclass(frozen=True, slots=True)
class Function:
    """A function with the values of ``Globals`` and the defaults filled in.

    References to parameters without a default and to other resources stay as they are written, ``${Name}``, in every
    text of it.
    """

    resource: str
    """Its key under ``Resources``."""
    name: str
    description: str
    code_root: Path
    """The folder of the template, which holds what all functions share and becomes the root of the zip."""
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
    """The API operations that it calls, such as ``DDS.ListBackups``."""
    log_group: str | None = None
    """The key of its log group under ``Resources``."""
    vpc_config: VpcConfig | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """One application."""

    file: Path
    description: str
    parameters: Mapping[str, Parameter]
    functions: tuple[Function, ...]
    topics: tuple[Topic, ...] = ()
    log_groups: tuple[LogGroup, ...] = ()

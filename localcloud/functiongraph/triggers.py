"""Creating, changing and deleting triggers (FunctionGraph API, Function Triggers)."""

import uuid
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from localcloud.errors import CloudError
from localcloud.functiongraph.errors import functiongraph_error
from localcloud.functiongraph.schedule import read_schedule
from localcloud.functiongraph.schemas import NewTrigger, TriggerChange
from localcloud.functiongraph.state import LATEST, Function, FunctionGraphState, Trigger
from localcloud.smn.schemas import NewSubscription
from localcloud.smn.service import subscribe
from localcloud.smn.state import Protocol, SmnState


# FunctionGraph, Notes and Constraints: the limit of a function version.
MAX_TRIGGERS = 10
# FunctionGraph API, Creating a Trigger.
INITIALLY_DISABLED = {"KAFKA", "OPENSOURCEKAFKA", "DDS"}
ALWAYS_ACTIVE = {"OBS", "APIG", "APIC", "DEDICATEDGATEWAY"}
# SMN's names for the protocol of a subscribed function. Triggers subscribe with the first one.
SMN_PROTOCOL: Protocol = "functionstage"
SMN_PROTOCOLS = {SMN_PROTOCOL, "functiongraph"}
# The error for a trigger that does not exist, by type.
_NOT_FOUND = {"TIMER": "FSS.1140", "SMN": "FSS.1132", "KAFKA": "FSS.1174", "APIG": "FSS.1138"}
# The field that no two triggers of a function may share, by type, and the error if they do.
_UNIQUE = {
    "TIMER": ("name", "FSS.1148"),
    "SMN": ("topic_urn", "FSS.1141"),
    "KAFKA": ("topic_ids", "FSS.1150"),
}


class Triggers:
    """The triggers of functions. An SMN trigger is also a subscription to its topic."""

    def __init__(self, state: FunctionGraphState, smn: SmnState) -> None:
        self._state = state
        self._smn = smn

    def create(self, function: Function, new: NewTrigger) -> Trigger:
        """Create a trigger.

        Raises the error of the type for a wrong configuration and for a duplicate, FSS.1306 beyond ten triggers,
        FSS.1114 for a Kafka trigger of a function in no VPC, FSS.1171 for an unknown topic, FSS.1318 if the type cannot
        be disabled.
        """
        kind, data = new.trigger_type_code, check_event_data(new.trigger_type_code, new.event_data)
        existing = self._state.triggers_of(function)
        if len(existing) >= MAX_TRIGGERS:
            raise functiongraph_error("FSS.1306")
        trigger_id = str(uuid.uuid4())
        if kind == "TIMER":
            data.setdefault("name", f"Timer-{trigger_id[:4]}")
        _check_unique(kind, data, existing)
        if kind == "KAFKA" and function.func_vpc is None:
            raise functiongraph_error("FSS.1114", "It is in no VPC.")
        status = new.trigger_status or ("DISABLED" if kind in INITIALLY_DISABLED else "ACTIVE")
        _check_status(kind, status)
        if kind == "SMN":
            self._subscribe(function, data["topic_urn"])
        now = self._state.region.clock.now()
        trigger = Trigger(trigger_id, function.id, kind, status, data, created=now, updated=now, since=now)
        self._state.triggers.put(trigger)
        return trigger

    def find(self, function: Function, kind: str, trigger_id: str) -> Trigger:
        """A trigger of a function. Raises the error of its type if there is none."""
        trigger = self._state.triggers.get(trigger_id)
        if trigger is None or (trigger.function_urn, trigger.type) != (function.id, kind):
            raise functiongraph_error(_NOT_FOUND.get(kind, "FSS.1131"))
        return trigger

    def change(self, trigger: Trigger, given: TriggerChange) -> Trigger:
        """Enable or disable a trigger, or change its configuration. Raises FSS.1318 if the type cannot be disabled."""
        now = self._state.region.clock.now()
        status = given.trigger_status or trigger.status
        _check_status(trigger.type, status)
        data = dict(trigger.event_data)
        for change in given.event_data or []:
            data |= change.model_dump(exclude_none=True)
        since = now if trigger.status == "DISABLED" else trigger.since
        trigger = replace(trigger, status=status, event_data=data, updated=now, since=since)
        self._state.triggers.put(trigger)
        return trigger

    def delete(self, trigger: Trigger) -> None:
        """Delete a trigger, and the subscription of an SMN trigger."""
        self._state.triggers.remove(trigger.id)
        if trigger.type != "SMN":
            return
        endpoint = f"{trigger.function_urn}:{LATEST}"
        for subscription in self._smn.subscriptions_of(trigger.event_data["topic_urn"]):
            if (subscription.protocol, subscription.endpoint) == (SMN_PROTOCOL, endpoint):
                self._smn.subscriptions.remove(subscription.id)

    def _subscribe(self, function: Function, topic_urn: str) -> None:
        try:
            new = NewSubscription(protocol=SMN_PROTOCOL, endpoint=function.latest_urn)
            subscribe(self._smn, topic_urn, new)
        except CloudError as error:
            raise functiongraph_error("FSS.1171", topic_urn) from error


def _check_unique(kind: str, data: dict[str, Any], existing: list[Trigger]) -> None:
    name, code = _UNIQUE.get(kind, ("", ""))
    if name and any(trigger.type == kind and trigger.event_data.get(name) == data.get(name) for trigger in existing):
        raise functiongraph_error(code)


def _check_status(kind: str, status: str) -> None:
    if status == "DISABLED" and kind in ALWAYS_ACTIVE:
        raise functiongraph_error("FSS.1318", f"A trigger of type {kind} cannot be disabled.")


# The local cloud connects to no queue, so it drops these at once.
PASSWORDS = ("kafka_password", "access_password", "db_password", "secret_key")
MAX_USER_EVENT = 2048
Batch = Annotated[int, Field(ge=1, le=1000)]


class _EventData(BaseModel):
    """A trigger's configuration (FunctionGraph API, TriggerEventDataRequestBody). Unknown fields pass."""

    model_config = ConfigDict(strict=True, extra="allow")


class _Timer(_EventData):
    name: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    schedule_type: Literal["Rate", "Cron"]
    schedule: str
    user_event: Annotated[str, Field(max_length=MAX_USER_EVENT)] = ""

    @model_validator(mode="after")
    def _has_a_schedule(self) -> "_Timer":
        read_schedule(self.schedule_type, self.schedule, 0.0)
        return self


class _Smn(_EventData):
    topic_urn: Annotated[str, Field(min_length=1, max_length=255)]


class _Kafka(_EventData):
    instance_id: str
    topic_ids: Annotated[list[str], Field(min_length=1)]
    batch_size: Batch
    kafka_user: str | None = None
    kafka_password: str | None = None
    kafka_ssl_enable: bool = False


class _OpenSourceKafka(_EventData):
    kafka_connect_address: str
    topic_ids: Annotated[list[str], Field(min_length=1)]
    batch_size: Batch


class _RabbitMq(_EventData):
    instance_id: str
    exchange_name: str
    access_password: str
    batch_size: Batch


class _FuncInfo(_EventData):
    timeout: Annotated[int, Field(ge=1, le=60_000)]
    invocation_type: Literal["sync", "async"] | None = None


class _Gateway(_EventData):
    name: str | None = None
    type: Literal[1, 2]
    path: str
    protocol: Literal["HTTP", "HTTPS"]
    req_method: Literal["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "ANY"]
    group_id: str
    match_mode: Literal["SWA", "NORMAL"]
    env_name: str
    env_id: str
    auth: Literal["IAM", "APP", "NONE"]
    func_info: _FuncInfo


class _Obs(_EventData):
    bucket: Annotated[str, Field(min_length=1, max_length=64)]
    events: Annotated[list[str], Field(min_length=1)]


_FORMS: dict[str, tuple[type[_EventData], str]] = {
    "TIMER": (_Timer, "FSS.1109"),
    "SMN": (_Smn, "FSS.1102"),
    "KAFKA": (_Kafka, "FSS.1112"),
    "OPENSOURCEKAFKA": (_OpenSourceKafka, "FSS.1112"),
    "RABBITMQ": (_RabbitMq, "FSS.0400"),
    "DEDICATEDGATEWAY": (_Gateway, "FSS.1417"),
    "APIG": (_Gateway, "FSS.1107"),
    "OBS": (_Obs, "FSS.1106"),
}


def check_event_data(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """Check the configuration of a trigger and return it without its passwords.

    Raises the error of the type for a missing or wrong field. Other types are not checked: nothing here sends events
    for them, and all fields of EventGrid are optional.
    """
    form, code = _FORMS.get(kind, (_EventData, "FSS.0400"))
    try:
        form.model_validate(data)
    except ValidationError as error:
        problem = error.errors()[0]
        field = ".".join(map(str, ("event_data", *problem["loc"])))
        raise functiongraph_error(code, f"{field}: {problem['msg']}") from error
    return {name: value for name, value in data.items() if name not in PASSWORDS}

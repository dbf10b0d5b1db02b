"""What a trigger has to say of itself (FunctionGraph API, TriggerEventDataRequestBody), by its type."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from localcloud.functiongraph.errors import functiongraph_error
from localcloud.functiongraph.schedule import read_schedule


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
# A local cloud has no queue to read from, so these are taken and forgotten.
PASSWORDS = ("kafka_password", "access_password", "db_password", "secret_key")
MAX_USER_EVENT = 2048
Batch = Annotated[int, Field(ge=1, le=1000)]


class _Data(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")


class _Timer(_Data):
    name: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    schedule_type: Literal["Rate", "Cron"]
    schedule: str
    user_event: Annotated[str, Field(max_length=MAX_USER_EVENT)] = ""

    @model_validator(mode="after")
    def _has_a_schedule(self) -> "_Timer":
        read_schedule(self.schedule_type, self.schedule, 0.0)
        return self


class _Smn(_Data):
    topic_urn: Annotated[str, Field(min_length=1, max_length=255)]


class _Kafka(_Data):
    instance_id: str
    topic_ids: Annotated[list[str], Field(min_length=1)]
    batch_size: Batch
    kafka_user: str | None = None
    kafka_password: str | None = None
    kafka_ssl_enable: bool = False


class _OpenSourceKafka(_Data):
    kafka_connect_address: str
    topic_ids: Annotated[list[str], Field(min_length=1)]
    batch_size: Batch


class _RabbitMq(_Data):
    instance_id: str
    exchange_name: str
    access_password: str
    batch_size: Batch


class _FuncInfo(_Data):
    timeout: Annotated[int, Field(ge=1, le=60_000)]
    invocation_type: Literal["sync", "async"] | None = None


class _Gateway(_Data):
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


class _Obs(_Data):
    bucket: Annotated[str, Field(min_length=1, max_length=64)]
    events: Annotated[list[str], Field(min_length=1)]


_FORMS: dict[str, tuple[type[_Data], str]] = {
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
    """The configuration of a trigger without its passwords.

    Raises the error of its type for what is missing or wrong. Types that nothing here sends an event for, and
    EventGrid, whose fields are all optional, are taken as they are.
    """
    form, code = _FORMS.get(kind, (_Data, "FSS.0400"))
    try:
        form.model_validate(data)
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, ("event_data", *problem["loc"])))
        raise functiongraph_error(code, f"{place}: {problem['msg']}") from error
    return {name: value for name, value in data.items() if name not in PASSWORDS}

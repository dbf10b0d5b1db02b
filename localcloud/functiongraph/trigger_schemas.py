"""The bodies of requests and answers about triggers (FunctionGraph API, Function Triggers)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from localcloud.functiongraph.event_data import TriggerType


Status = Literal["ACTIVE", "DISABLED"]
EXAMPLE = {"name": "nightly", "schedule_type": "Cron", "schedule": "CRON_TZ=UTC 0 0 2 * * ?"}


class NewTrigger(BaseModel):
    """event_data is what the type of the trigger asks for."""

    trigger_type_code: Annotated[TriggerType, Field(examples=["TIMER"])]
    trigger_status: Annotated[Status | None, Field(description="DISABLED by default for Kafka and DDS.")] = None
    event_type_code: str | None = None
    event_data: Annotated[dict[str, Any], Field(examples=[EXAMPLE])]


class EventDataChange(BaseModel):
    """What can be changed of a trigger's configuration."""

    is_serial: Annotated[bool | None, Field(strict=True)] = None
    max_fetch_bytes: Annotated[int | None, Field(strict=True)] = None
    polling_interval: Annotated[int | None, Field(strict=True)] = None
    polling_unit: Literal["ms", "s"] | None = None


class TriggerChange(BaseModel):
    """What is left out stays."""

    trigger_status: Status | None = None
    event_data: list[EventDataChange] | None = None


class Trigger(BaseModel):
    """A trigger; its event_data is without passwords."""

    trigger_id: str
    trigger_type_code: str
    trigger_status: str
    event_data: dict[str, Any]
    last_updated_time: str
    created_time: str

"""The timer (TIMER): a tick with the text that its trigger was configured with."""

from datetime import timezone
from typing import Literal

from pydantic import AwareDatetime

from shared.triggers.envelope import EventModel, Message, SingleEnvelope, validate


class TimerEvent(EventModel):
    """A tick, of any version; `time` is when it was due."""

    version: str | None = None
    time: AwareDatetime
    trigger_type: Literal["TIMER"]
    trigger_name: str
    user_event: object = ""


class TimerEnvelope(SingleEnvelope):
    """One message, the `user_event`. A tick is identified by its trigger and time, whatever the payload says."""

    trigger = "timer"
    is_recurring = True

    @classmethod
    def recognizes(cls, event: object) -> bool:
        """By `trigger_type`."""
        return isinstance(event, dict) and event.get("trigger_type") == "TIMER"

    @classmethod
    def open(cls, event: object) -> list[Message]:
        """The user event."""
        tick = validate(event, TimerEvent)
        time = tick.time.astimezone(timezone.utc)
        identity = ("timer", tick.trigger_name, time.isoformat())
        return [Message(tick.user_event, "user_event", identity, is_final=True, time=time)]

"""The timer (TIMER): an event at each scheduled time, with the user event that its trigger is configured with."""

from typing import Literal

from shared.fields import Time
from shared.triggers.envelope import Envelope, EventModel, Message, validate


class TimerEvent(EventModel):
    """An event of the timer, of any version. `time` is when it was due."""

    version: str | None = None
    time: Time
    trigger_type: Literal["TIMER"]
    trigger_name: str
    user_event: object = ""


class TimerEnvelope(Envelope):
    """The `user_event`. The event is identified by its trigger and time, whatever the payload says."""

    trigger = "timer"
    is_recurring = True

    @classmethod
    def recognizes(cls, event: object) -> bool:
        """By `trigger_type`."""
        return isinstance(event, dict) and event.get("trigger_type") == "TIMER"

    @classmethod
    def open(cls, event: object) -> list[Message]:
        """Return the user event."""
        timer = validate(event, TimerEvent)
        identity = ("timer", timer.trigger_name, timer.time.isoformat())
        return [Message(timer.user_event, "user_event", identity, is_final=True, time=timer.time)]

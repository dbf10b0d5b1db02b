"""Distributed Message Service for RocketMQ (`trigger_type` ROCKETMQ)."""

from typing import Literal

from shared.triggers.envelope import BatchEnvelope, Message, validate
from shared.triggers.queues import QueueEvent, has_trigger_type, open_batch


class RocketMqEvent(QueueEvent):
    """A batch from ROCKETMQ."""

    trigger_type: Literal["ROCKETMQ"]


class RocketMqEnvelope(BatchEnvelope):
    """Each message of each record."""

    trigger = "rocketmq"

    @classmethod
    def recognizes(cls, event: object) -> bool:
        """By `trigger_type`."""
        return has_trigger_type(event, "ROCKETMQ")

    @classmethod
    def open(cls, event: object) -> list[Message]:
        """The messages."""
        return open_batch(validate(event, RocketMqEvent), cls.trigger)

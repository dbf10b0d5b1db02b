"""Distributed Message Service for RabbitMQ (`trigger_type` RABBITMQ)."""

from typing import Literal

from shared.triggers.envelope import BatchEnvelope, Message, validate
from shared.triggers.queues import QueueEvent, has_trigger_type, open_batch


class RabbitMqEvent(QueueEvent):
    """A batch from RABBITMQ."""

    trigger_type: Literal["RABBITMQ"]


class RabbitMqEnvelope(BatchEnvelope):
    """Each message of each record."""

    trigger = "rabbitmq"

    @classmethod
    def recognizes(cls, event: object) -> bool:
        """By `trigger_type`."""
        return has_trigger_type(event, "RABBITMQ")

    @classmethod
    def open(cls, event: object) -> list[Message]:
        """The messages."""
        return open_batch(validate(event, RabbitMqEvent), cls.trigger)

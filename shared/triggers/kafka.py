"""Distributed Message Service for Kafka and open-source Kafka, which deliver the same (`trigger_type` KAFKA)."""

from typing import Literal

from shared.triggers.envelope import BatchEnvelope, Message, validate
from shared.triggers.queues import QueueEvent, has_trigger_type, open_batch


class KafkaEvent(QueueEvent):
    """A batch from KAFKA."""

    trigger_type: Literal["KAFKA"]


class KafkaEnvelope(BatchEnvelope):
    """Each message of each record."""

    trigger = "kafka"

    @classmethod
    def recognizes(cls, event: object) -> bool:
        """By `trigger_type`."""
        return has_trigger_type(event, "KAFKA")

    @classmethod
    def open(cls, event: object) -> list[Message]:
        """The messages."""
        return open_batch(validate(event, KafkaEvent), cls.trigger)

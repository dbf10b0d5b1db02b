"""What FunctionGraph delivers, taken apart the way Powertools' parser does it.

    from shared.triggers import SmnEnvelope, parse

    def handler(event, context):
        for order in parse(event, model=Order, envelope=SmnEnvelope):
            ...

`model` is any pydantic model, `envelope` says which trigger carries it. Without an envelope the event itself is
validated, against one of the event models here or a model of your own.
"""

from shared.triggers.apig import ApigEnvelope, ApigEvent
from shared.triggers.direct import DirectEnvelope
from shared.triggers.envelope import BatchEnvelope, Envelope, Message, SingleEnvelope
from shared.triggers.eventgrid import CloudEvent, EventGridBatchEnvelope, EventGridEnvelope
from shared.triggers.kafka import KafkaEnvelope, KafkaEvent
from shared.triggers.parser import parse
from shared.triggers.rabbitmq import RabbitMqEnvelope, RabbitMqEvent
from shared.triggers.recognition import recognize
from shared.triggers.rocketmq import RocketMqEnvelope, RocketMqEvent
from shared.triggers.smn import SmnEnvelope, SmnEvent
from shared.triggers.timer import TimerEnvelope, TimerEvent


__all__ = [
    "ApigEnvelope",
    "ApigEvent",
    "BatchEnvelope",
    "CloudEvent",
    "DirectEnvelope",
    "Envelope",
    "EventGridBatchEnvelope",
    "EventGridEnvelope",
    "KafkaEnvelope",
    "KafkaEvent",
    "Message",
    "RabbitMqEnvelope",
    "RabbitMqEvent",
    "RocketMqEnvelope",
    "RocketMqEvent",
    "SingleEnvelope",
    "SmnEnvelope",
    "SmnEvent",
    "TimerEnvelope",
    "TimerEvent",
    "parse",
    "recognize",
]

"""Events of every trigger for create_backup: valid messages, invalid ones beside them, and what each asks for."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from fnmatch import fnmatchcase
from random import Random
from typing import Any

from localcloud.seed import SeedInstance
from tests.chaos.oracle import PLANTED_SECRET
from tests.triggers import documented as doc


ABSENT = "0" * 31 + "9in02"
BATCHES = ("smn", "kafka", "rabbitmq", "rocketmq", "eventgrid")
TRIGGERS = (*BATCHES, "timer", "apig", "direct")


@dataclass(frozen=True, slots=True)
class Message:
    """One message, and what it asks for.

    Attributes:
        marker: the beginning of the description of its backups. No two messages share it.
        body: the payload, or a text that is no JSON.
        targets: the instances that get a backup.
        absent: the instances that do not exist.
        unready: the selected instances whose status does not allow a backup.
        is_valid: whether it is a valid request; otherwise it is rejected.
        name: the name that it asks for.
    """

    marker: str
    body: dict[str, Any] | str
    targets: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    unready: tuple[str, ...] = ()
    is_valid: bool = True
    name: str | None = None

    @property
    def has_key(self) -> bool:
        """Whether an idempotency key in the message identifies it."""
        return isinstance(self.body, dict) and "idempotency_key" in self.body


@dataclass(frozen=True, slots=True)
class Event:
    """An event, as its trigger delivers it.

    Attributes:
        hours: the event's time, as hours from now. Under a time in the future no backup may be made.
    """

    trigger: str
    messages: Sequence[Message]
    request_id: str
    hours: float = 0.0

    @property
    def accepted(self) -> list[Message]:
        """The messages that are carried out. One with a key of its own has no time, except on a timer."""
        return [
            message
            for message in self.messages
            if message.is_valid and (self.hours <= 0 or (message.has_key and self.trigger != "timer"))
        ]

    @property
    def wanted(self) -> list[tuple[Message, str]]:
        """Every message and instance for which there has to be a backup."""
        return [(message, instance_id) for message in self.accepted for instance_id in message.targets]

    @property
    def rejections(self) -> int:
        """How many of its messages are rejected."""
        return len(self.messages) - len(self.accepted)

    def build(self, now: float) -> Any:
        """Return the event, with a time relative to `now`, in seconds since the epoch."""
        moment = datetime.fromtimestamp(now, timezone(timedelta(hours=8))) + timedelta(hours=self.hours)
        time = moment.isoformat(timespec="seconds")
        bodies = [message.body for message in self.messages]
        texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
        if self.trigger == "timer":
            return doc.timer(texts[0], time=time, trigger_name=self.request_id)
        if self.trigger == "smn":
            return doc.smn(*(doc.smn_record(text, f"{self.request_id}-{n}") for n, text in enumerate(texts)))
        if self.trigger in {"kafka", "rabbitmq", "rocketmq"}:
            queue = {"kafka": doc.kafka, "rabbitmq": doc.rabbitmq, "rocketmq": doc.rocketmq}[self.trigger]
            return {**queue(*texts), "event_time": int(moment.timestamp())}
        if self.trigger == "eventgrid":
            return [doc.eventgrid(body, id=f"{self.request_id}-{n}", time=time) for n, body in enumerate(bodies)]
        if self.trigger == "apig":
            headers = {"authorization": f"Bearer {PLANTED_SECRET}", "idempotency-key": self.request_id}
            return doc.apig(texts[0], headers=dict(headers))
        return bodies[0]


@dataclass(slots=True)
class EventSource:
    """Draws events for the instances of one round."""

    rng: Random
    instances: Sequence[SeedInstance]
    name: str
    drawn: int = 0

    def draw(self, number: int) -> Event:
        """Draw an event. Its messages ask for different instances."""
        rng = self.rng
        trigger = rng.choice(TRIGGERS)
        free = [one.id for one in self.instances if one.status == "normal"]
        rng.shuffle(free)
        messages: list[Message] = []
        for _ in range(rng.choice((1, 1, 2, 3)) if trigger in BATCHES else 1):
            if free and rng.random() < 0.8:
                messages.append(self._valid(trigger, free, alone=not messages and trigger not in BATCHES))
            else:
                messages.append(self._invalid(trigger))
        hours = rng.choice((-20.0, -1.0, -0.01, -0.01))
        if trigger in {"timer", "eventgrid", "kafka"} and rng.random() < 0.12:
            hours = rng.choice((26.0, 300.0))
        return Event(trigger, messages, f"{self.name}-{number}-{rng.getrandbits(32):08x}", hours)

    def _valid(self, trigger: str, free: list[str], *, alone: bool) -> Message:
        """Draw a valid message, and take its instances from `free`."""
        rng, marker = self.rng, self._marker()
        form = rng.choice(("ids", "ids", "ids", "id", "backup", *(("select",) if alone else ())))
        if form == "select":
            return self._selection(marker)
        single = form != "ids"
        targets = [free.pop() for _ in range(1 if single else min(len(free), rng.randint(1, 6)))]
        body: dict[str, Any] = {"description": marker}
        name = f"chaos-{marker}"[:25] if rng.random() < 0.3 or form == "backup" else None
        absent: tuple[str, ...] = ()
        if form == "ids":
            absent = (ABSENT,) if rng.random() < 0.2 else ()
            body["instance_ids"] = [*targets, *absent]
        elif form == "id":
            body["instance_id"] = targets[0]
        if name:
            body["name"] = name
        if form == "backup":
            body = {"backup": {**body, "instance_id": targets[0]}}
        if trigger == "direct" or (trigger in {"kafka", "smn"} and rng.random() < 0.3):
            body["idempotency_key"] = marker
        return Message(marker, body, tuple(targets), absent, name=name)

    def _selection(self, marker: str) -> Message:
        rng = self.rng
        exclude = rng.choice(([], [rng.choice(self.instances).name]))
        select: dict[str, Any] = {"tags": {"env": rng.choice((["prod"], ["test"], []))}}
        if rng.random() < 0.3:
            select["name"] = "d*"
        if exclude:
            select["exclude"] = exclude
        wanted = select["tags"]["env"] or ["prod", "test"]
        found = [
            one
            for one in self.instances
            if one.tags.get("env") in wanted
            and fnmatchcase(one.name, select.get("name", "*"))
            and one.name not in exclude
        ]
        ready = tuple(one.id for one in found if one.status == "normal")
        unready = tuple(one.id for one in found if one.status != "normal")
        body = {"select": select, "description": marker, "idempotency_key": marker}
        return Message(marker, body, ready, unready=unready, is_valid=bool(found))

    def _invalid(self, trigger: str) -> Message:
        rng, marker = self.rng, self._marker()
        one = self.instances[0].id
        bodies: list[dict[str, Any] | str] = [
            {"instance_ids": [], "description": marker},
            {"instance_ids": [one], "colour": "red", "description": marker},
            {"instance_ids": [one], "instance_id": one, "description": marker},
            {"instance_ids": [one], "password": PLANTED_SECRET, "description": marker},
            {"instance_ids": [one, ""], "min_interval": "soon", "description": marker},
        ]
        if trigger not in {"eventgrid", "direct"}:
            bodies += [f"no JSON {marker} {PLANTED_SECRET}", ""]
        body = rng.choice(bodies)
        return Message(marker, body, is_valid=False)

    def _marker(self) -> str:
        self.drawn += 1
        return f"m{self.name}-{self.drawn}-{self.rng.getrandbits(24):06x}"

"""Draws hostile events from a seed: documented events with odd values, shapes, texts, sizes, times and wrappings."""

import base64
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel

from cli.paths import CHECKOUT
from shared import limits
from shared.audit.request import AuditRequest
from shared.create.request import BackupRequest
from shared.drill.request import DrillRequest
from shared.notify import HEADLINES
from shared.prune.request import PruneRequest
from shared.track.request import TrackRequest
from tests.fakes import INSTANCES
from tests.triggers import documented as doc


CANARY = "a-secret-of-the-caller"
"""In headers and in fields that no request has; it must not go out."""

FORGED = "FORGED"
"""What a sender writes at the beginning of a line to make it look like one of ours."""

MODELS: dict[str, type[BaseModel]] = {
    "create_backup": BackupRequest,
    "track_backups": TrackRequest,
    "prune_backups": PruneRequest,
    "audit_backups": AuditRequest,
    "drill_backups": DrillRequest,
}
FUNCTIONS = tuple(MODELS)

TEXTS = (
    *("", " ", "x" * 65, "x" * 300, "NaN", "null", "{}", "[]", "*", "[", "[!", "%s%n", "{0.__class__}", "é", "💥"),
    *(
        "\ud800",
        "\udfff\ud800",
        f"\u202e{FORGED}",
        f"\n{FORGED}",
        f"\nRegion: {FORGED}",
        f"\r{FORGED}: https://x.example",
    ),
    *(f"\u2028{FORGED}", f"\u0085{FORGED}", f"{FORGED}: act now", "\x00", "\x1b[31m", "\u200b", "\ufeff", "\U000e0041"),
    *("Region", "Project: x", "../../etc/passwd", "'; DROP", "<script>", "=", "%", "====", "e30", "ey JpIjox"),
    *("daily=7", "last=0", "last=1 last=1", "max_age=999999999w", "daily=\ud800", "daily=1 " * 30, "yearly=99999999"),
    *("12h", "P1Y", "PT12H", "PT99999999999H", "-1d", "0", "9" * 18 + "d", "1e400", "٣", "backup", *sorted(HEADLINES)),
    *INSTANCES[:2],
)
TIMES = (
    *(
        "2026-11-24T03:00:00Z",
        "2026-11-24T03:04:59Z",
        "2026-11-24T04:00:00+00:00",
        "2099-01-01T00:00:00Z",
        "2026-11-24",
    ),
    *(
        "0001-01-01T00:00:00+23:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-23:00",
        "1969-12-31T23:59:59Z",
        "24:00",
    ),
    *("2026-11-24T03:00:00", "2026-06-01T02:00:00.123456789Z", "2016-12-31T23:59:60Z", "1e308", "", "now", "-1"),
)
NUMBERS = (
    *(
        0,
        -1,
        1,
        2**31,
        2**63,
        -(2**63),
        2**64,
        10**400,
        1e308,
        -1e308,
        float("inf"),
        float("-inf"),
        float("nan"),
        0.1,
        -0.0,
    ),
    *(1576737962, 253402300800, 10**18, 86400, True, False),
)
FIELDS = sorted({name for model in MODELS.values() for name in model.model_fields})
KEYS = (
    *FIELDS,
    *("type", "specversion", "id", "source", "time", "data", "data_base64", "context", "message", "message_id", "smn"),
    *("trigger_type", "trigger_name", "user_event", "event_time", "records", "record", "messages", "topic_id", "body"),
    *("headers", "httpMethod", "requestContext", "isBase64Encoded", "Message", "exclude", "tags", "name", "mode"),
    *("", "__class__", "\ud800", "x" * 400, f"{FORGED}: act now", f"\n{FORGED}", "Region", "Request ID", "\u202e"),
)

VALID: dict[str, tuple[dict[str, Any], ...]] = {
    "create_backup": (
        {"instance_ids": list(INSTANCES[:3])},
        {"instance_id": INSTANCES[0], "name": "before-release", "description": "Release 42", "idempotency_key": "k"},
        {"backup": {"instance_id": INSTANCES[1], "name": "mybackup1", "description": "d"}},
        {"select": {"name": "*", "exclude": ["db-1"]}, "min_interval": "12h"},
        {"select": {"tags": {"env": ["production"]}, "mode": ["ReplicaSet"]}},
        {"instance_ids": [INSTANCES[4]], "handed_on": {"identity": ["smn", "m"], "recurring": True, "hops": 1}},
    ),
    "track_backups": (
        {},
        {"job_id": "job-1"},
        {"backup_id": f"{1:032x}br02"},
        {"idempotency_key": "k"},
        {"since": "2026-11-20T00:00:00Z", "until": "2026-11-23T00:00:00Z"},
    ),
    "prune_backups": (
        {},
        {"dry_run": True},
        {"instance_ids": list(INSTANCES[:2]), "force": True},
        {"retention": "last=1 daily=2 weekly=2 max_age=30d"},
    ),
    "audit_backups": (
        {},
        {"policies": [{"name": "nightly", "select": {"name": "*"}, "expected_interval": "1d", "grace": "2h"}]},
        {"policies": [{"name": "two", "instance_ids": list(INSTANCES[:2]), "expected_interval": "PT12H"}]},
        {"covered_elsewhere": [{"tags": {"env": []}}], "idempotency_key": "k"},
    ),
    "drill_backups": (
        {},
        {"dry_run": True, "select": {"name": "db-*", "exclude": ["db-1"]}},
        {"instance_ids": list(INSTANCES[:2]), "expect": {INSTANCES[0]: {"shop": 2, "shop.orders": 10}}},
        {"instance_ids": [INSTANCES[0]], "at": "2026-11-24T02:59:00Z", "idempotency_key": "k"},
        {"instance_ids": [INSTANCES[8]], "at": "2026-11-24T03:00:30Z"},
        {"expect": {INSTANCES[1]: {"shop": 0}}},
    ),
}

SAMPLES = tuple(
    json.dumps(event)
    for event in (
        *(json.loads(path.read_text(encoding="utf-8")) for path in sorted((CHECKOUT / "events").glob("*.json"))),
        *(build() for build in (doc.timer, doc.smn, doc.kafka, doc.old_kafka, doc.rabbitmq, doc.rabbitmq_with_topic)),
        *(build() for build in (doc.rocketmq, doc.eventgrid, doc.apig)),
        *doc.FOREIGN.values(),
    )
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """An event, the function that gets it, and whether the function has to ignore it."""

    function: str
    event: Any
    is_ours: bool = False


def draw(seed: str, index: int) -> Drawn:
    """Return the event with this number. The same seed and number give the same event.

    It is one that FunctionGraph's runtime can deliver: it went through JSON.
    """
    drawing = _Draw(random.Random(f"{seed}-{index}"))
    while True:
        try:
            drawn = drawing.drawn()
            return replace(drawn, event=json.loads(json.dumps(drawn.event)))
        except (RecursionError, ValueError):
            continue


class _Draw:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.function = rng.choice(FUNCTIONS)
        self.has_secret = False  # then nothing is changed any more, which could move it into a field that may be quoted

    def drawn(self) -> Drawn:
        self.has_secret = False
        if self.rng.random() < 0.06:
            wrap = self.rng.choice(list(doc.WRAPPINGS.values()))
            return Drawn(self.function, wrap(self.note()), is_ours=True)
        kinds = (self.built, self.sample, self.batch, self.nested, self.long, self.anything)
        event = self.rng.choices(kinds, (58, 14, 14, 7, 2, 5))[0]()
        for _ in range(self.rng.choice((0, 0, 0, 0, 1, 1, 2, 4))):
            event = self.mutated(event)
        if isinstance(event, dict) and "httpMethod" in event and isinstance(event.get("headers"), dict):
            event["headers"] |= {"Authorization": CANARY, "Cookie": f"session={CANARY}"}
        return Drawn(self.function, event)

    # The kinds of events.

    def built(self) -> Any:
        """A payload from one of the triggers."""
        return self.wrapped(self.payload())

    def sample(self) -> Any:
        """A documented event, changed."""
        return self.mutated(json.loads(self.rng.choice(SAMPLES)))

    def batch(self) -> Any:
        """Several messages in one event."""
        payloads = [self.text(self.payload()) for _ in range(self.rng.randint(2, 6))]
        if self.rng.random() < 0.5:
            return doc.smn(*(doc.smn_record(payload, f"m{number}") for number, payload in enumerate(payloads)))
        if self.rng.random() < 0.3:
            return [doc.eventgrid(payload, id=f"e{number}") for number, payload in enumerate(payloads)]
        return self.rng.choice((doc.kafka, doc.old_kafka, doc.rabbitmq, doc.rocketmq))(*payloads)

    def nested(self) -> Any:
        """A CloudEvent or an event of a trigger inside a payload, or one of our own notifications, changed."""
        inner = self.note() if self.rng.random() < 0.5 else self.wrapped(self.payload())
        return self.wrapped(self.mutated(inner) if self.rng.random() < 0.8 else inner)

    def long(self) -> Any:
        """A list, text or object around one of the limits, or around what is nested too deep."""
        around = self.rng.choice((-1, 0, 1, 2))
        count = around + self.rng.choice((limits.MAX_FAULTS, limits.MAX_PATTERNS, limits.MAX_POLICIES, 1000))
        odd = self.rng.random() < 0.5
        kinds: tuple[Callable[[], Any], ...] = (
            lambda: {"instance_ids": [self.value() if odd else f"i-{number}" for number in range(count)]},
            lambda: {"select": {"name": "*", "exclude": [self.rng.choice(TEXTS) or "x" for _ in range(count)]}},
            lambda: {"select": {"tags": {f"k{n}": ["v"] * (n % 60) for n in range(count)}}},
            lambda: {"policies": [{**self.valid(), "name": f"p{number}"} for number in range(count)]},
            lambda: {"expect": {f"i-{n}": {f"db.c{k}": k for k in range(n % 60)} for n in range(count)}},
            lambda: {"instance_ids": [INSTANCES[0]], "expect": {INSTANCES[0]: {f"db{n}": n for n in range(count)}}},
            lambda: {"retention": "x" * (limits.MAX_RETENTION + around)},
            lambda: {self.rng.choice(KEYS) + str(number): 1 for number in range(count)},
            lambda: {"description": self.rng.choice(TEXTS) * 250, "instance_id": INSTANCES[0]},
            lambda: {"instance_id": "x" * (limits.MAX_PAYLOAD - 20 + around)},
            lambda: self.deep(limits.MAX_DEPTH + around),
        )
        if self.rng.random() < 0.05:
            return doc.kafka(*(["x"] if odd else [doc.TEXT]) * (limits.MAX_MESSAGES + around))
        return self.wrapped(self.rng.choice(kinds)())

    def anything(self) -> Any:
        """Any JSON value."""
        return self.value(4)

    # Their parts.

    def valid(self) -> dict[str, Any]:
        """A valid request, mostly to the function that gets the event."""
        function = self.function if self.rng.random() < 0.9 else self.rng.choice(FUNCTIONS)
        chosen: dict[str, Any] = json.loads(json.dumps(self.rng.choice(VALID[function])))
        return chosen

    def payload(self) -> Any:
        payload = self.valid()
        for _ in range(self.rng.choice((0, 0, 0, 1, 1, 2, 3))):
            if self.rng.random() < 0.5:
                payload[self.rng.choice(FIELDS)] = self.value()
            else:
                changed = self.mutated(payload)
                payload = changed if isinstance(changed, dict) else payload
        if self.rng.random() < 0.1:
            payload[self.rng.choice(("password", "Authorization", "headers"))] = CANARY
            self.has_secret = True
        return payload

    def note(self) -> dict[str, Any]:
        """A notification of this application."""
        return {**doc.eventgrid({"code": "x"}), "type": self.rng.choice(sorted(HEADLINES))}

    def text(self, payload: Any) -> str:
        """JSON of a payload, sometimes not quite."""
        text = json.dumps(payload)
        chance = self.rng.random()
        if chance < 0.92:
            return text
        if chance < 0.95:
            return json.dumps(text)
        at = self.rng.randint(0, len(text))
        inserted = (
            f'"{self.rng.choice(FIELDS)}": NaN, ',
            "Infinity",
            "\ufeff",
            "\x00",
            "9" * 5000,
            ",",
            "//",
            "[" * 1100,
        )
        twice = f'{{"instance_id": "a", "instance_id": {json.dumps(self.value())}, {text[1:]}'
        return self.rng.choice((text[:at], text[:at] + self.rng.choice(inserted) + text[at:], twice, f"\ufeff{text}"))

    def wrapped(self, payload: Any) -> Any:
        """An event with this payload."""
        text = self.text(payload)
        odd = self.rng.random() < 0.15
        kinds: tuple[Callable[[], Any], ...] = (
            lambda: payload,
            lambda: doc.timer(text, **({"time": self.time()} if odd else {"time": "2026-11-24T02:59:00Z"})),
            lambda: doc.smn(self.smn_record(text, odd=odd)),
            lambda: (
                self.rng.choice((doc.kafka, doc.old_kafka, doc.rabbitmq, doc.rocketmq))(text)
                | ({"event_time": self.time()} if odd else {})
            ),
            lambda: doc.kafka(payload if odd else {"message": text}),
            lambda: doc.eventgrid(payload, **({"time": self.time()} if odd else {})),
            lambda: doc.eventgrid(None, data_base64=self.base64(text)),
            lambda: doc.eventgrid({"context": text}),
            lambda: (
                doc.apig("", {"Idempotency-Key": self.rng.choice(TEXTS)} if odd else None) | {"body": self.base64(text)}
            ),
            lambda: doc.apig() | {"body": text, "isBase64Encoded": self.rng.choice((False, None, True))},
        )
        return self.rng.choice(kinds)()

    def smn_record(self, text: str, *, odd: bool) -> dict[str, Any]:
        record = doc.smn_record(text)
        if odd:
            record["smn"][self.rng.choice(sorted(record["smn"]))] = self.rng.choice((self.time, self.value))()
        return record

    def base64(self, text: str) -> str:
        encoded = base64.b64encode(text.encode(errors="replace")).decode()
        if self.rng.random() < 0.8:
            return encoded
        rubbish = ("é", "%", encoded[:-1], encoded + "=", encoded.replace("e", "\n"), "//79", "8J+SqfCf", "\ud800", "")
        return self.rng.choice(rubbish)

    def time(self) -> Any:
        return self.rng.choice(TIMES if self.rng.random() < 0.7 else NUMBERS)

    def value(self, depth: int = 2) -> Any:
        chance = self.rng.random()
        if depth and chance < 0.15:
            return [self.value(depth - 1) for _ in range(self.rng.randint(0, 4))]
        if depth and chance < 0.3:
            return {self.rng.choice(KEYS): self.value(depth - 1) for _ in range(self.rng.randint(0, 4))}
        if chance < 0.32:
            return self.deep(self.rng.choice((19, 20, 21, 100, 500, 900, 940, 960, 970, 980)))
        return self.rng.choice(self.rng.choice((TEXTS, TEXTS, TEXTS, NUMBERS, TIMES, (None,))))

    def deep(self, levels: int) -> Any:
        inner: Any = 1
        as_list = self.rng.random() < 0.5
        for _ in range(levels):
            inner = [inner] if as_list else {"a": inner}
        return inner

    # Changes anywhere in an event.

    def mutated(self, value: Any) -> Any:
        """Change one place of a value: any place, also inside texts that are JSON. The value itself may be changed."""
        if self.has_secret:
            return value
        holders: list[Any] = []
        level = [value]
        while level and len(holders) < 200:
            one = level.pop()
            if isinstance(one, (dict, list)) and one:
                holders.append(one)
                level += one.values() if isinstance(one, dict) else one
        if not holders:
            return self.value()
        holder = self.rng.choice(holders)
        key = self.rng.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
        old = holder[key]
        chance = self.rng.random()
        if chance < 0.1:
            del holder[key]
        elif chance < 0.25 and isinstance(holder, dict):
            holder[self.rng.choice(KEYS)] = holder.pop(key) if chance < 0.2 else self.value()
        elif chance < 0.3 and isinstance(holder, list):
            holder += [old] * self.rng.choice((1, 2, 30))
        else:
            holder[key] = self.changed(old)
        return value

    def changed(self, old: Any) -> Any:
        chance = self.rng.random()
        if isinstance(old, str):
            if chance < 0.4 and old[:1] in {"{", "["}:
                try:
                    return self.text(self.mutated(json.loads(old)))
                except (ValueError, RecursionError):
                    return old
            if chance < 0.6:
                at = self.rng.randint(0, len(old))
                return old[:at] + self.rng.choice(TEXTS) + old[at:]
        if chance < 0.7:
            kinds = (
                [old],
                {self.rng.choice(KEYS): old},
                [old, old],
                str(old)[:200],
                list(old) if isinstance(old, (str, dict)) else 0,
            )
            return self.rng.choice(kinds)
        return self.value()

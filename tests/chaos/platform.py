"""The platform of a chaos run: a local cloud on HTTP, and the five functions in processes of their own.

An invocation can be killed at one of its calls or after some time, and the cloud's clock can jump at one of its calls.
"""

import json
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
from typing_extensions import Self

from cli.cloud import Cloud
from cli.cloud import Connection as CliConnection
from localcloud import LocalCloud
from localcloud.functiongraph.runtime.instance import Instance
from localcloud.functiongraph.runtime.model import FunctionSpec, Invocation
from localcloud.requests_log import RequestRecord, RequestsLog
from localcloud.seed import Seed


FUNCTIONS = ("create_backup", "track_backups", "prune_backups", "audit_backups", "drill_backups")
READ_TIMEOUT = 0.8  # seconds
TIMEOUT = 10.0
"""Seconds that an invocation has."""

_MOST_IDLE = 6  # processes of one worker


@dataclass(frozen=True, slots=True)
class Interference:
    """What is done to one invocation from outside.

    Attributes:
        kill_at_call: SIGKILL when the cloud has carried out that call, counted from 1, before its response.
        kill_after: SIGKILL after that many seconds.
        jump_at_create: the cloud's clock jumps when the cloud has carried out that create call, counted from 1.
        jump: by how many seconds.
    """

    kill_at_call: int | None = None
    kill_after: float | None = None
    jump_at_create: int | None = None
    jump: float = 0.0


NOTHING = Interference()


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery of an event, and what came of it.

    Attributes:
        began: the cloud's time when it began, in seconds since the epoch.
        calls: the calls of the function, in the order in which the cloud received them.
        messages: what it published, as CloudEvents.
        secrets: what must never show in a log or a message.
    """

    function: str
    event: Any
    request_id: str
    invocation: Invocation
    was_killed: bool
    began: float
    ended: float
    calls: Sequence[Mapping[str, Any]]
    messages: Sequence[dict[str, Any]]
    published: Sequence[str]
    log: Sequence[str]
    secrets: Sequence[str]

    @property
    def report(self) -> dict[str, Any]:
        """What the function returned; with an API gateway, the body of the response. Empty if it raised."""
        result: Any = self.invocation.result
        if isinstance(result, dict) and "statusCode" in result:
            result = json.loads(result["body"])
        return result if isinstance(result, dict) else {}

    @property
    def error(self) -> str | None:
        """The type of the exception in which it ended."""
        return self.invocation.error.error_type if self.invocation.error else None

    def describe(self) -> str:
        """Return it in one line."""
        calls = len(self.calls)
        ended = "killed" if self.was_killed else self.error or self.report.get("status", "returned")
        return f"{self.function} {self.request_id[:8]}: {calls} calls, {len(self.messages)} published, {ended}"


@dataclass(slots=True)
class _Watch:
    """An invocation that runs."""

    instance: Instance
    interference: Interference
    calls: int = 0
    creates: int = 0
    killed: bool = False

    def kill(self) -> None:
        self.killed = True
        self.instance.kill()


class _WatchedLog(RequestsLog):
    """The cloud's log of calls, which tells of each call when it was carried out and not yet answered."""

    def __init__(self, platform: "Platform", log: RequestsLog) -> None:
        self.records = log.records
        self._platform = platform

    def add(self, record: RequestRecord) -> None:
        super().add(record)
        self._platform.on_call(record)


@dataclass(slots=True)
class _Warm:
    """An instance of a function, with the lines of its present invocation."""

    instance: Instance
    lines: list[str] = field(default_factory=list)


class Platform:
    """One local cloud and the instances of the functions. A context manager. One round uses it at a time.

    `code` is the folder with `shared` and `functions`.
    """

    def __init__(self, code: Path) -> None:
        self._code = code
        self._idle: list[tuple[tuple[str, frozenset[tuple[str, str]]], _Warm]] = []
        self._watched: dict[str, _Watch] = {}
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self.cloud = LocalCloud()
        self.deliveries: list[Delivery] = []
        self._follows_clock = False

    def __enter__(self) -> Self:
        self._stack.enter_context(self.cloud)
        self._stack.callback(self._end_all)
        inside = self.cloud._cloud
        inside.requests = _WatchedLog(self, inside.requests)
        client = self._stack.enter_context(httpx.Client(timeout=30, trust_env=False))
        self._client = Cloud(self.cloud.url, client, self.cloud.connection()["token"])
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    @property
    def connection(self) -> CliConnection:
        """The connection of a client."""
        return self._client.connection

    def begin(self, seed: Seed, *, follows_clock: bool = False, **switches: Any) -> None:
        """Begin a round: the cloud is as the seed and the switches say. Warm instances stay.

        `follows_clock` is whether the functions have the cloud's clock, or that of the machine, which is behind it
        after a jump.
        """
        self._follows_clock = follows_clock
        self.cloud._cloud.seed = seed
        self.cloud.reset()
        self.cloud.switch(**switches)
        self.deliveries = []

    def now(self) -> float:
        """The cloud's time, in seconds since the epoch."""
        return self.cloud._cloud.region.clock.now()

    def state(self) -> Any:
        """Every instance, backup and job of the cloud."""
        return self._client.state()

    def messages(self) -> list[dict[str, Any]]:
        """Everything published in this round, as CloudEvents."""
        return [json.loads(str(message["message"])) for message in self._client.messages()]

    def deliver(
        self,
        function: str,
        event: Any,
        request_id: str,
        interference: Interference = NOTHING,
        **settings: str,
    ) -> Delivery:
        """Deliver an event once, to an idle instance with these settings or else to a new one."""
        key = (function, frozenset(settings.items()))
        warm = self._take(key, settings)
        credentials = self._client.temporary_credentials()
        watch = _Watch(warm.instance, interference)
        with self._lock:
            self._watched[credentials.access_key] = watch
        timer = threading.Timer(interference.kill_after or 0, watch.kill)
        if interference.kill_after is not None:
            timer.start()
        began = self.now()
        try:
            offset = self.cloud.clock_offset() if self._follows_clock else 0.0
            invocation = warm.instance.invoke(json.dumps(event), credentials, request_id, clock_offset=offset)
        finally:
            timer.cancel()
            if timer.ident:
                timer.join()
            with self._lock:
                del self._watched[credentials.access_key]
        log = tuple(warm.lines)
        self._return(key, warm, was_killed=watch.killed)
        own = [call for call in self.cloud.requests() if call["access_key"] == credentials.access_key]
        published = self._client.messages(credentials.access_key)
        delivery = Delivery(
            function=function,
            event=event,
            request_id=request_id,
            invocation=invocation,
            was_killed=watch.killed,
            began=began,
            ended=self.now(),
            calls=own,
            messages=[json.loads(str(message["message"])) for message in published],
            published=[json.dumps(message) for message in published],
            log=log,
            secrets=(credentials.secret_key, credentials.security_token),
        )
        with self._lock:
            self.deliveries.append(delivery)
        return delivery

    def on_call(self, record: RequestRecord) -> None:
        """Interfere with the invocation that made a call. The server's thread calls this before it responds."""
        with self._lock:
            watch = self._watched.get(record.access_key or "")
        if watch is None:
            return
        watch.calls += 1
        watch.creates += record.method == "POST" and record.path.endswith("/backups")
        if watch.creates == watch.interference.jump_at_create:
            watch.interference = replace(watch.interference, jump_at_create=None)
            self.cloud._cloud.region.clock.offset += watch.interference.jump
        if watch.calls == watch.interference.kill_at_call:
            watch.kill()

    def _take(self, key: tuple[str, frozenset[tuple[str, str]]], settings: Mapping[str, str]) -> _Warm:
        with self._lock:
            for position, (found, warm) in enumerate(self._idle):
                if found == key:
                    del self._idle[position]
                    warm.lines.clear()
                    return warm
        lines: list[str] = []
        endpoints = dict.fromkeys(("DDS_ENDPOINT", "SMN_ENDPOINT"), self.cloud.url)
        given = {
            "NOTIFY_TOPIC_URN": self.connection.topic_urn,
            "READ_TIMEOUT": str(READ_TIMEOUT),
            "LOG_LEVEL": "DEBUG",
            **({"SETTLING_TIME": "1"} if key[0] == "create_backup" else {}),
            **endpoints,
            **settings,
        }
        return _Warm(Instance(self._spec(key[0]), given, self.connection.project_id, log=lines.append), lines)

    def _return(self, key: tuple[str, frozenset[tuple[str, str]]], warm: _Warm, *, was_killed: bool) -> None:
        if was_killed:  # perhaps at the very end, when it had answered already
            warm.instance.end()
        with self._lock:
            self._idle.append((key, warm))
            surplus = self._idle[:-_MOST_IDLE]
            del self._idle[:-_MOST_IDLE]
        for _, other in surplus:
            other.instance.end()

    def _spec(self, function: str) -> FunctionSpec:
        if function not in FUNCTIONS:
            raise ValueError(f"no function {function!r}: expected one of {', '.join(FUNCTIONS)}")
        return FunctionSpec(
            name=function,
            handler="index.handler",
            initializer="index.initializer",
            initializer_timeout=60.0,
            timeout=TIMEOUT,
            memory_size=256,
            code_root=self._code,
            code_uri=self._code / "functions" / function,
        )

    def _end_all(self) -> None:
        for _, warm in self._idle:
            warm.instance.end()

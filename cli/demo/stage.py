"""Where the stories of the demo take place: the local cloud's time, its databases, and DDS as a person uses it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol

from cli.cloud import Cloud
from cli.dds import Dds, open_dds
from cli.json_value import Json, JsonObject
from localcloud.functiongraph.runtime.instance import Instance
from localcloud.seed import RWUSER
from shared.format import timestamp


if TYPE_CHECKING:
    from pymongo.collection import Collection


MINUTE = 60.0
LONGEST = 4 * 3600.0
"""Seconds of the cloud's time after which the demo stops to wait."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a story: when it happened in the cloud's time, to whom, and what."""

    time: datetime
    who: str
    what: str

    def as_json(self) -> JsonObject:
        return {"time": timestamp(self.time), "who": self.who, "what": self.what}


class Teller(Protocol):
    """Shows the stories."""

    def heading(self, text: str) -> None: ...
    def happened(self, step: Step, style: str = "") -> None: ...
    def mailed(self, text: str) -> None:
        """Show an e-mail as its subscriber receives it."""


@dataclass(slots=True)
class Story:
    """What has happened, and every deviation from what had to happen."""

    steps: list[Step] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    messages: list[JsonObject] = field(default_factory=list)

    def as_json(self) -> JsonObject:
        return {"steps": [step.as_json() for step in self.steps], "messages": list[Json](self.messages)}


class Stage:
    """The local cloud on which one story takes place. Its certificate authority is in the file *ca*."""

    def __init__(self, cloud: Cloud, dds: Dds, ca: Path, teller: Teller) -> None:
        self.cloud = cloud
        self.dds = dds
        self.ca = ca
        self.teller = teller
        self.story = Story()

    def now(self) -> datetime:
        """Return the cloud's time."""
        return datetime.now(timezone.utc) + timedelta(seconds=self.cloud.clock_offset())

    def begin(self, heading: str) -> Story:
        """Begin another story."""
        self.story = Story()
        self.teller.heading(heading)
        return self.story

    def tell(self, who: str, what: str, style: str = "", *, time: datetime | None = None) -> None:
        """Add a step to the story and show it."""
        step = Step(time or self.now(), who, what)
        self.story.steps.append(step)
        self.teller.happened(step, style)

    def expect(self, what: str, found: object, expected: object) -> None:
        """Add a failure to the story if something else was found than expected."""
        if found != expected:
            self.story.failures.append(f"{what}: found {found}, expected {expected}")

    def wait(self, is_over: Callable[[], bool]) -> None:
        """Advance the clock minute by minute until something is over, or LONGEST has passed."""
        moved = 0.0
        while not is_over() and moved < LONGEST:
            self.cloud.advance(MINUTE)
            moved += MINUTE

    def wait_until(self, moment: datetime) -> None:
        """Advance the clock to a moment."""
        self.cloud.advance(max(0.0, (moment - self.now()).total_seconds()))

    def instance(self, instance_id: str) -> Any:
        """Return the state of an instance, None if there is no such one."""
        return next((one for one in self.cloud.state()["instances"] if one["id"] == instance_id), None)

    def is_ready(self, instance_id: str) -> bool:
        """Whether an instance is normal and in no operation."""
        found = self.instance(instance_id)
        return bool(found and found["status"] == "normal" and not found["actions"])

    @contextmanager
    def collection(self, instance_id: str, database: str, name: str) -> Iterator["Collection[dict[str, Any]]"]:
        """Connect to an instance with MongoDB's driver, and yield a collection."""
        from pymongo import MongoClient

        uri = self.instance(instance_id)["uri"]
        tls: dict[str, Any] = {"tlsCAFile": str(self.ca), "tlsAllowInvalidHostnames": True} if "tls=true" in uri else {}
        client: MongoClient[dict[str, Any]] = MongoClient(uri, password=RWUSER, tz_aware=True, **tls)
        with client:
            yield client[database][name]

    def invoke(self, instance: Instance, event: JsonObject) -> Any:
        """Invoke a function at the cloud's time. Returns its report, {} if it failed.

        The messages that it has published join the story's.
        """
        credentials = self.cloud.temporary_credentials()
        invocation = instance.invoke(json.dumps(event), credentials, clock_offset=self.cloud.clock_offset())
        if invocation.error:
            self.story.failures.append(f"{invocation.error.error_type}: {invocation.error.error_message}")
        self.story.messages += self.cloud.messages(credentials.access_key)
        return invocation.result or {}


@contextmanager
def open_stage(cloud: Cloud, teller: Teller) -> Iterator[Stage]:
    """Yield the stage on a local cloud."""
    with TemporaryDirectory(prefix="ddsbackup-") as folder:
        ca = Path(folder, "ca.pem")
        ca.write_text(cloud.authority(), encoding="ascii")
        yield Stage(cloud, open_dds(cloud.connection.endpoint, None), ca, teller)

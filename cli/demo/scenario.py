"""The demo itself: deliver events, follow the backups to their end, and verify the result."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from cli.cloud import Cloud
from cli.event.samples import CARRIERS, requests_of, sample_event
from cli.json_value import Json, JsonObject
from localcloud.functiongraph.runtime.instance import Instance
from localcloud.functiongraph.runtime.model import Invocation


STEP = 5.0
"""Seconds by which each step advances the cloud's clock."""

LONGEST = 4 * 3600.0
"""Seconds of the cloud's time after which the demo stops waiting for a backup."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event, its invocation, and the messages that the invocation published."""

    trigger: str
    event: JsonObject
    invocation: Invocation
    messages: tuple[JsonObject, ...]

    @property
    def document(self) -> dict[str, Any]:
        """The report that the function returned. With the API gateway it is the body of the response."""
        result: Any = self.invocation.result
        if isinstance(result, dict) and "statusCode" in result:
            result = json.loads(result["body"])
        return result if isinstance(result, dict) else {}

    @property
    def results(self) -> list[dict[str, Any]]:
        """The outcome of each instance that the event names."""
        results: list[dict[str, Any]] = self.document.get("results", [])
        return results

    def as_json(self) -> JsonObject:
        error = self.invocation.error
        return {
            "trigger": self.trigger,
            "event": self.event,
            "ok": self.invocation.ok,
            "result": self.invocation.result,
            "error": error.as_json() if error else None,
            "report": self.invocation.report.as_json(),
            "messages": list[Json](self.messages),
        }


def deliver(cloud: Cloud, instance: Instance, trigger: str, event: JsonObject) -> Delivery:
    """Invoke the function with *event*. New credentials for each invocation tell its messages from others."""
    credentials = cloud.temporary_credentials()
    invocation = instance.invoke(json.dumps(event), credentials)
    return Delivery(trigger, event, invocation, tuple(cloud.messages(credentials.access_key)))


@dataclass(slots=True)
class Watched:
    """A backup with its progress in percent and every status that was seen, oldest first."""

    id: str
    name: str
    instance_id: str
    instance_name: str
    job_id: str
    progress: int = 0
    statuses: list[str] = field(default_factory=list)


class BackupWatch:
    """Follows the manual backups that are created after it, while it advances the clock."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._earlier = {backup["id"] for backup in self._state("backups")}
        self.backups: dict[str, Watched] = {}
        self.seconds = 0.0
        """The time by which the clock was advanced."""

    def busy(self) -> set[str]:
        """Return the instances that are in an operation."""
        return {instance["id"] for instance in self._state("instances") if instance["actions"]}

    def look(self) -> list[Watched]:
        """Record the status of every new backup. Returns those that are still running."""
        progress = {job["id"]: int(job["progress"].rstrip("%") or 0) for job in self._state("jobs")}
        for backup in self._state("backups"):
            if backup["id"] in self._earlier or backup["type"] != "Manual":
                continue
            facts = {key: backup[key] for key in ("id", "name", "instance_id", "instance_name", "job_id")}
            watched = self.backups.setdefault(backup["id"], Watched(**facts))
            watched.progress = 100 if backup["status"] == "COMPLETED" else progress.get(watched.job_id, 0)
            if backup["status"] not in watched.statuses[-1:]:
                watched.statuses.append(backup["status"])
        return [backup for backup in self.backups.values() if backup.statuses[-1] == "BUILDING"]

    def until_done(self, show: Callable[[], None]) -> None:
        """Advance the clock step by step until no backup is running. Calls *show* before each step and at the end."""
        moved = 0.0
        while self.look() and moved < LONGEST:
            show()
            self._cloud.advance(STEP)
            moved += STEP
        self.seconds += moved
        show()

    def _state(self, kind: str) -> list[Any]:
        return list(self._cloud.state()[kind])


class Observer(Protocol):
    """Shows every step, in this order."""

    def delivered(self, delivery: Delivery) -> None: ...
    def clock_moves(self, watch: BackupWatch) -> None:
        """Call ``watch.until_done`` and show the progress."""

    def notified(self, deliveries: Sequence[Delivery]) -> None: ...
    def completed(self, watch: BackupWatch) -> None: ...
    def redelivered(self, delivery: Delivery, new_backups: int) -> None: ...


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """Everything that happened. *new_backups* is the number of backups that the redelivery created."""

    deliveries: tuple[Delivery, ...]
    backups: tuple[Watched, ...]
    redelivery: Delivery
    new_backups: int

    def failures(self) -> Iterator[str]:
        """Yield every deviation from the expected result."""
        made = {backup.id: backup for backup in self.backups}
        told = [str(message["message"]) for delivery in self.deliveries for message in delivery.messages]
        for delivery in self.deliveries:
            yield from _unexpected(delivery, "CREATED")
            for result in delivery.results:
                what = f"{delivery.trigger}, {result['instance_id']}"
                job_id, backup_id = result.get("job_id"), result.get("backup_id")
                if not job_id or not any(job_id in message for message in told):
                    yield f"{what}: job id {job_id} did not arrive on the topic"
                if backup_id not in made:
                    yield f"{what}: there is no backup {backup_id}"
                elif made[backup_id].statuses != ["BUILDING", "COMPLETED"]:
                    yield f"{what}: backup {backup_id} was {', then '.join(made[backup_id].statuses)}"
        yield from _unexpected(self.redelivery, "ALREADY_EXISTS")
        if self.new_backups:
            yield f"the redelivery made {self.new_backups} backups, expected none"

    def as_json(self) -> JsonObject:
        failures = list[Json](self.failures())
        return {
            "ok": not failures,
            "failures": failures,
            "events": [delivery.as_json() for delivery in self.deliveries],
            "backups": [asdict(backup) for backup in self.backups],
            "redelivery": {**self.redelivery.as_json(), "new_backups": self.new_backups},
        }


def _unexpected(delivery: Delivery, expected: str) -> Iterator[str]:
    error = delivery.invocation.error
    if error:
        yield f"{delivery.trigger}: {error.error_type}: {error.error_message}"
    elif delivery.document.get("status") != "SUCCEEDED" or not delivery.results:
        yield f"{delivery.trigger}: status {delivery.document.get('status')}, expected SUCCEEDED"
    for result in delivery.results:
        if result["outcome"] != expected:
            why = result.get("message") or result.get("code")
            yield f"{delivery.trigger}, {result['instance_id']}: {result['outcome']}, expected {expected} ({why})"


def run_scenario(cloud: Cloud, instance: Instance, observer: Observer) -> ScenarioResult:
    """Deliver the sample event of every trigger, follow the backups to their end, then redeliver the first event."""
    watch = BackupWatch(cloud)
    deliveries: list[Delivery] = []
    for trigger in CARRIERS:
        event = sample_event(trigger)
        requests = json.dumps(requests_of(trigger, event))
        if any(busy in requests for busy in watch.busy()):  # DDS runs one backup of an instance at a time
            observer.clock_moves(watch)
        deliveries.append(deliver(cloud, instance, trigger, event))
        watch.look()
        observer.delivered(deliveries[-1])
    observer.notified(deliveries)
    observer.clock_moves(watch)
    observer.completed(watch)
    before = len(watch.backups)
    redelivery = deliver(cloud, instance, deliveries[0].trigger, deliveries[0].event)
    watch.look()
    new_backups = len(watch.backups) - before
    observer.redelivered(redelivery, new_backups)
    return ScenarioResult(tuple(deliveries), tuple(watch.backups.values()), redelivery, new_backups)

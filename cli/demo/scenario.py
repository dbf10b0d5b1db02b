"""The demo itself: what is done, and whether all of it happened. Showing it is the business of an observer."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

from cli.cloud import Cloud
from cli.demo.backups import BackupWatch, Watched
from cli.demo.delivery import Delivery, deliver
from cli.json_value import Json, JsonObject
from cli.payloads import CARRIERS, requests_of
from cli.samples import sample_event
from localcloud.functiongraph.runtime.instance import Instance


class Observer(Protocol):
    """Who is told about every step, in this order."""

    def delivered(self, delivery: Delivery) -> None: ...
    def clock_moves(self, watch: BackupWatch) -> None:
        """Call ``watch.until_all_are_made``, showing what there is to see."""

    def notified(self, deliveries: Sequence[Delivery]) -> None: ...
    def made(self, watch: BackupWatch) -> None: ...
    def redelivered(self, delivery: Delivery, new_backups: int) -> None: ...


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """All that happened."""

    deliveries: tuple[Delivery, ...]
    backups: tuple[Watched, ...]
    redelivery: Delivery
    new_backups: int
    """How many backups the redelivery made."""

    def failures(self) -> Iterator[str]:
        """Yield what did not happen as it should; nothing when all went well."""
        made = {backup.id: backup for backup in self.backups}
        told = [str(message["message"]) for delivery in self.deliveries for message in delivery.messages]
        for delivery in self.deliveries:
            yield from _not_as(delivery, "CREATED")
            for result in delivery.results:
                what = f"{delivery.trigger}, {result['instance_id']}"
                job_id, backup_id = result.get("job_id"), result.get("backup_id")
                if not job_id or not any(job_id in message for message in told):
                    yield f"{what}: job id {job_id} did not arrive on the topic"
                if backup_id not in made:
                    yield f"{what}: there is no backup {backup_id}"
                elif made[backup_id].statuses != ["BUILDING", "COMPLETED"]:
                    yield f"{what}: backup {backup_id} was {', then '.join(made[backup_id].statuses)}"
        yield from _not_as(self.redelivery, "ALREADY_EXISTS")
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


def run_scenario(cloud: Cloud, instance: Instance, observer: Observer) -> ScenarioResult:
    """Send the sample event of every trigger, see the backups made, then send the first event again."""
    watch = BackupWatch(cloud)
    deliveries: list[Delivery] = []
    for trigger in CARRIERS:
        event = sample_event(trigger)
        requests = json.dumps(requests_of(trigger, event))
        if any(busy in requests for busy in watch.busy()):  # DDS makes one backup of an instance at a time
            observer.clock_moves(watch)
        deliveries.append(deliver(cloud, instance, trigger, event))
        watch.look()
        observer.delivered(deliveries[-1])
    observer.notified(deliveries)
    observer.clock_moves(watch)
    observer.made(watch)
    before = len(watch.backups)
    redelivery = deliver(cloud, instance, deliveries[0].trigger, deliveries[0].event)
    watch.look()
    new_backups = len(watch.backups) - before
    observer.redelivered(redelivery, new_backups)
    return ScenarioResult(tuple(deliveries), tuple(watch.backups.values()), redelivery, new_backups)


def _not_as(delivery: Delivery, expected: str) -> Iterator[str]:
    error = delivery.invocation.error
    if error:
        yield f"{delivery.trigger}: {error.error_type}: {error.error_message}"
    elif delivery.document.get("status") != "SUCCEEDED" or not delivery.results:
        yield f"{delivery.trigger}: status {delivery.document.get('status')}, expected SUCCEEDED"
    for result in delivery.results:
        if result["outcome"] != expected:
            why = result.get("message") or result.get("code")
            yield f"{delivery.trigger}, {result['instance_id']}: {result['outcome']}, expected {expected} ({why})"

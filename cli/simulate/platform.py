"""FunctionGraph of a simulation: fires timers, delivers messages, invokes the functions, and tries again what fails."""

import gc
import heapq
import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, cast

from cli.errors import WrongCall
from cli.simulate.cloud import Services
from cli.simulate.faults import DAY, SilentTimer
from cli.simulate.functions import Deployed, deploy
from cli.simulate.ledger import Invocation, Ledger
from cli.simulate.world import World
from cli.template.document import fill_in
from cli.template.model import Event, Template
from localcloud.clock import text
from localcloud.errors import CloudError
from localcloud.functiongraph.async_invocations import DEFAULT_MAX_EVENT_AGE, DEFAULT_MAX_RETRIES, RETRY_DELAY
from localcloud.functiongraph.schedule import Cron, Every, read_schedule
from localcloud.functiongraph.state import Trigger
from localcloud.functiongraph.timers import timer_event
from localcloud.functiongraph.triggers import SMN_PROTOCOL
from localcloud.smn.publish import publish
from localcloud.smn.schemas import NewTopic, Publish
from localcloud.smn.service import create_topic
from localcloud.smn.state import Message, Protocol, Subscription


_DELIVERY = 1.0  # seconds from a message to its subscribers


@dataclass(frozen=True, slots=True)
class _Delivery:
    """An event on its way to a function."""

    function: Deployed
    event: Any
    request_id: str
    source: str
    accepted: float
    attempt: int = 1


class Platform:
    """The functions of a template in a world."""

    def __init__(
        self, template: Template, world: World, ledger: Ledger, *, call_seconds: float, changes: Mapping[str, str]
    ) -> None:
        self.world = world
        self.ledger = ledger
        self.services = Services(world.dds, world.smn, call_seconds, world.refuse)
        self.unfired: Counter[int] = Counter()
        self._clock = world.clock
        self._start = world.clock.now()
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._urns = self._make_topics(template)
        world.smn.on_message = self._on_message
        deployment = deploy(template, self._urns, self.services, world, changes)
        self.functions = {one.spec.name: one for one in deployment}
        self.left_out = [one.name for one in template.functions if one.name not in self.functions]
        for deployed in self.functions.values():
            self._subscribe(deployed)

    def play(self, days: int, faults: Any, on_day: Callable[[int], None]) -> None:
        """Let the days pass. `on_day` is called with the number of days that are over."""
        end = self._start + days * DAY
        for moment, _, fault, until in faults:
            self._at(moment, partial(self.world.apply, fault, until))
            if until > moment:
                self._at(until, partial(self.world.end, fault))
        for number, fault in enumerate(self.world.faults):
            if isinstance(fault, SilentTimer):
                self._silence(number, fault, days)
        for deployed in self.functions.values():
            for event in deployed.spec.events:
                if event.type == "TIMER" and event.status != "DISABLED":
                    self._schedule(deployed, event, end)
        for day in range(1, days + 1):
            self._at(self._start + day * DAY, partial(self._end_day, day, on_day))
        with _quiet(), _few_collections():
            while self._queue and self._queue[0][0] <= end:
                moment, _, action = heapq.heappop(self._queue)
                self._clock.advance_to(moment)
                action()

    def _at(self, moment: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (moment, next(self._numbers), action))

    def _end_day(self, day: int, on_day: Callable[[int], None]) -> None:
        self.world.dds.present()
        self.ledger.end_day(self.world)
        self.world.forget()
        on_day(day)

    # Timers.

    def _schedule(self, deployed: Deployed, event: Event, end: float) -> None:
        kind, schedule_text = str(event.properties["schedule_type"]), str(event.properties["schedule"])
        try:
            schedule = read_schedule(kind, schedule_text, self._start)
        except ValueError as error:
            raise WrongCall(f"the schedule of {deployed.spec.name} {event.name} is not valid: {error}") from error
        data = {"name": event.name, "user_event": str(event.properties.get("user_event", ""))}
        trigger = Trigger("", "", "TIMER", "ACTIVE", data, self._start, self._start, self._start)
        self._next(deployed, trigger, schedule, schedule.due_times(self._start, end))

    def _next(self, deployed: Deployed, trigger: Trigger, schedule: Every | Cron, moments: Iterator[float]) -> None:
        if (moment := next(moments, None)) is not None:
            self._at(moment, partial(self._fire, deployed, trigger, schedule, moment, moments))

    def _fire(
        self, deployed: Deployed, trigger: Trigger, schedule: Every | Cron, moment: float, moments: Iterator[float]
    ) -> None:
        self._next(deployed, trigger, schedule, moments)
        if deployed.kind == "create_backup":
            self.ledger.slots.append(moment)
        for begin, end, number in deployed.silent:
            if begin <= moment < end:
                self.unfired[number] += 1
                return
        self._deliver(self._accept(deployed, timer_event(trigger, schedule, moment), "TIMER"))

    def _silence(self, number: int, fault: SilentTimer, days: int) -> None:
        found = [one for one in self.functions.values() if fault.function in {one.spec.name, one.kind}]
        if not found:
            raise WrongCall(
                f"faults.{number}.function: found {fault.function!r}, expected one of {', '.join(self.functions)}"
            )
        for deployed in found:
            deployed.silent += [(begin, begin + DAY, number) for begin in fault.moments(self._start, days)]

    # Events.

    def _accept(self, deployed: Deployed, event: Any, source: str) -> _Delivery:
        return _Delivery(deployed, event, str(self.world.region.new_id()), source, self._clock.now())

    def _deliver(self, delivery: _Delivery) -> None:
        deployed = delivery.function
        began, cpu = self._clock.now(), time.process_time()
        error = deployed.invoke(delivery.event, delivery.request_id, self.world)
        deployed.cpu += time.process_time() - cpu
        self.world.look()
        retry = self._retry(delivery) if error else None
        self.ledger.invocation(
            Invocation(deployed.spec.name, deployed.kind, began, self._clock.now(), delivery.attempt, error),
            deployed.last,
            is_final=retry is None,
        )
        if retry:
            self._at(self._clock.now() + RETRY_DELAY, partial(self._deliver, retry))
        elif error:
            self._give_up(delivery, error)

    def _retry(self, delivery: _Delivery) -> _Delivery | None:
        config = delivery.function.spec.async_invoke
        retries = config.max_retry_attempts if config else None
        age = config.max_event_age if config else None
        most = DEFAULT_MAX_RETRIES if retries is None else retries
        due = self._clock.now() + RETRY_DELAY
        if delivery.attempt > most or due > delivery.accepted + (DEFAULT_MAX_EVENT_AGE if age is None else age):
            return None
        facts = delivery.function, delivery.event, delivery.request_id, delivery.source, delivery.accepted
        return _Delivery(*facts, delivery.attempt + 1)

    def _give_up(self, delivery: _Delivery, error: str) -> None:
        """Tell the destination of failures, as FunctionGraph does itself. Nothing repeats that."""
        config = delivery.function.spec.async_invoke
        target = config.on_failure if config else None
        if target is None or target.destination != "SMN":
            return
        urn = str(fill_in(target.param["topic_urn"], self._urns))
        body = {"timestamp": text(self._clock.now()), "request_payload": delivery.event, "response_payload": error}
        try:
            if refusal := self.world.refuse("SMN", "SMN.PublishMessage"):
                raise refusal
            publish(self.world.smn, urn, Publish(message=json.dumps(body)), None)
        except CloudError:
            self.ledger.lost_failures += 1

    # Messages.

    def _on_message(self, message: Message) -> None:
        self.ledger.message(message, self._clock.now())
        for delivery in message.deliveries:
            if delivery.protocol == SMN_PROTOCOL and delivery.endpoint in self.functions:
                accepted = self._accept(self.functions[delivery.endpoint], delivery.content, "SMN")
                self._at(self._clock.now() + _DELIVERY, partial(self._deliver, accepted))

    def _make_topics(self, template: Template) -> dict[str, str]:
        urns = {}
        for topic in template.topics:
            made, _ = create_topic(self.world.smn, NewTopic(name=topic.name, display_name=topic.display_name))
            urns[topic.resource] = made.id
            for number, one in enumerate(topic.subscriptions):
                filters = {name: list(values) for name, values in one.filter_policy.items()}
                protocol = cast("Protocol", one.protocol)  # the template allows fewer
                self.world.smn.subscriptions.put(
                    Subscription(f"{made.id}:{number}", made.id, protocol, one.endpoint, "", 1, filters or None)
                )
        return urns

    def _subscribe(self, deployed: Deployed) -> None:
        for event in deployed.spec.events:
            if event.type == "SMN" and event.status != "DISABLED":
                urn = str(fill_in(str(event.properties["topic_urn"]), self._urns))
                name = deployed.spec.name
                self.world.smn.subscriptions.put(Subscription(f"{urn}:{name}", urn, SMN_PROTOCOL, name, "", 1))


@contextmanager
def _few_collections() -> Iterator[None]:
    """Look for unused objects less often: hardly any of them form circles, and what lasts only grows."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Write no log lines: the ledger has what happens."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)

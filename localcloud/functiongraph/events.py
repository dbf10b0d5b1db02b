"""Asynchronous invocation: events that were accepted, delivered one attempt after the other."""

import asyncio
import logging
import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from localcloud.errors import CloudError
from localcloud.functiongraph.facts import AsyncConfig, AsyncEvent, Destination, Function, Invocation
from localcloud.functiongraph.functions import Functions
from localcloud.functiongraph.instances import Instances
from localcloud.functiongraph.invocations import Invocations
from localcloud.store import Store


# How many are delivered at a time: a machine is no region.
AT_A_TIME = 4
# Seconds before a retry. FunctionGraph documents none.
RETRY_WAIT = 60.0
# FunctionGraph API, Configuring Asynchronous Execution Notification, and User Guide: by default there is no retry.
DEFAULT_EVENT_AGE = 3600
DEFAULT_RETRIES = 0
Tell = Callable[[Function, AsyncEvent, Invocation, Destination], Invocation]
_log = logging.getLogger("localcloud")


class Events:
    """The events that are to be delivered. They survive a restart: whoever was told 202 can rely on it.

    `tell` sends the result of the last attempt to its destination, if there is one, and returns the invocation with
    what was told.
    """

    def __init__(self, functions: Functions, instances: Instances, invocations: Invocations, store: Store) -> None:
        self.tell: Tell = lambda _function, _event, invocation, _destination: invocation
        self.waiting = store.table("async_event", AsyncEvent)
        self._functions = functions
        self._instances = instances
        self._invocations = invocations
        self._store = store
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def accept(self, function: Function, event: str, source: str) -> str:
        """Take an event, a JSON text, for delivery as soon as may be; returns its request id."""
        now = self._functions.region.clock.now()
        accepted = AsyncEvent(str(uuid.uuid4()), function.id, function.func_id, event, source, accepted=now, due=now)
        self.waiting.put(accepted)
        self.deliver()
        return accepted.id

    def deliver(self) -> None:
        """Begin with the events that are due, as many as there is room for."""
        now = self._functions.region.clock.now()
        for event in list(self.waiting):
            if event.due > now or event.id in self._tasks or len(self._tasks) >= AT_A_TIME:
                continue
            function = self._functions.functions.get(event.function_urn)
            if function is None or function.func_id != event.func_id:
                self.waiting.remove(event.id)
            elif self._instances.has_room(function):
                task = asyncio.get_running_loop().create_task(self._attempt(function, event))
                self._tasks[event.id] = task
                task.add_done_callback(partial(self._done, event.id))

    def clear(self) -> None:
        """Forget them all, also those that are being delivered."""
        self.waiting.clear()

    def _done(self, event_id: str, task: asyncio.Task[None]) -> None:
        del self._tasks[event_id]
        if task.cancelled():
            return
        if task.exception() is not None:
            _log.error("event %s was not delivered", event_id, exc_info=task.exception())
            self.waiting.remove(event_id)
        self._store.commit()
        self.deliver()

    async def _attempt(self, function: Function, event: AsyncEvent) -> None:
        try:
            invocation = await self._invocations.run(function, event.event, event.source, event.id, event.attempt)
        except CloudError:
            return  # no room after all: it stays due
        if self.waiting.get(event.id) is None:
            return  # forgotten meanwhile
        config = self._functions.async_configs.get(function.id)
        next_attempt = None if invocation.ok else self._next(event, config)
        if next_attempt is not None:
            self.waiting.put(next_attempt)
            return
        self.waiting.remove(event.id)
        destination = (config.on_success if invocation.ok else config.on_failure) if config else None
        if destination is not None:
            self._invocations.keep(self.tell(function, event, invocation, destination), function)

    def _next(self, event: AsyncEvent, config: AsyncConfig | None) -> AsyncEvent | None:
        retries = config.max_retry_attempts if config else DEFAULT_RETRIES
        max_age = config.max_event_age if config else DEFAULT_EVENT_AGE
        due = self._functions.region.clock.now() + RETRY_WAIT
        if event.attempt > retries or due > event.accepted + max_age:
            return None
        return replace(event, attempt=event.attempt + 1, due=due)

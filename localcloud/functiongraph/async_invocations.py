"""Asynchronous invocation: accepted events, their retries, and the destinations of their results.

FunctionGraph API, Asynchronous Execution Notification; User Guide, Configuring Asynchronous Notification Policy.
"""

import asyncio
import json
import logging
import time
import uuid
from dataclasses import replace
from functools import partial
from typing import Any

from localcloud.clock import text
from localcloud.errors import CloudError
from localcloud.functiongraph import schemas
from localcloud.functiongraph.errors import functiongraph_error
from localcloud.functiongraph.instances import Instances
from localcloud.functiongraph.invocations import Invocations
from localcloud.functiongraph.state import (
    AsyncConfig,
    AsyncEvent,
    Destination,
    Function,
    FunctionGraphState,
    Invocation,
)
from localcloud.smn.publish import publish
from localcloud.smn.schemas import Publish
from localcloud.smn.state import SmnState


# The number of events that are delivered at a time.
MAX_DELIVERIES = 4
# Seconds before a retry. FunctionGraph documents none.
RETRY_DELAY = 60.0
# FunctionGraph API, Configuring Asynchronous Execution Notification, and User Guide: no retries by default.
DEFAULT_MAX_EVENT_AGE = 3600
DEFAULT_MAX_RETRIES = 0
# The parameter that a destination requires, by its type.
_DESTINATION_PARAM = {"OBS": "bucket", "SMN": "topic_urn", "DIS": "stream_name", "FunctionGraph": "func_urn"}
_log = logging.getLogger("localcloud")


class AsyncInvocations:
    """Delivers accepted events. They are stored, so an event answered with 202 survives a restart.

    Results go to SMN topics and functions. OBS and DIS do not exist here, so what they would get is only recorded.
    """

    def __init__(
        self, state: FunctionGraphState, instances: Instances, invocations: Invocations, smn: SmnState
    ) -> None:
        self._state = state
        self._instances = instances
        self._invocations = invocations
        self._smn = smn
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def configure(self, function: Function, new: schemas.NewAsyncConfig) -> AsyncConfig:
        """Set the asynchronous configuration of a function. Raises FSS.0400 for a wrong destination."""
        now = self._state.region.clock.now()
        earlier = self._state.async_configs.get(function.id)
        destinations = new.destination_config or schemas.DestinationConfigs()
        config = AsyncConfig(
            id=function.id,
            max_event_age=new.max_async_event_age_in_seconds,
            max_retry_attempts=new.max_async_retry_attempts,
            created=earlier.created if earlier else now,
            modified=now,
            on_success=_destination(destinations.on_success),
            on_failure=_destination(destinations.on_failure),
            enable_status_log=bool(new.enable_async_status_log),
        )
        self._state.async_configs.put(config)
        return config

    def configuration(self, function: Function) -> AsyncConfig:
        """The asynchronous configuration of a function. Raises FSS.0404 if there is none."""
        config = self._state.async_configs.get(function.id)
        if config is None:
            raise functiongraph_error("FSS.0404", "The function has no asynchronous configuration.")
        return config

    def accept(self, function: Function, event: str, source: str) -> str:
        """Accept an event, a JSON text, for delivery. Returns its request id."""
        now = self._state.region.clock.now()
        accepted = AsyncEvent(str(uuid.uuid4()), function.id, function.func_id, event, source, accepted=now, due=now)
        self._state.async_events.put(accepted)
        self.deliver()
        return accepted.id

    def deliver(self) -> None:
        """Start the delivery of due events, as far as the limits allow."""
        now = self._state.region.clock.now()
        for event in list(self._state.async_events):
            if event.due > now or event.id in self._tasks or len(self._tasks) >= MAX_DELIVERIES:
                continue
            function = self._state.functions.get(event.function_urn)
            if function is None or function.func_id != event.func_id:
                self._state.async_events.remove(event.id)
            elif self._instances.has_room(function):
                task = asyncio.get_running_loop().create_task(self._attempt(function, event))
                self._tasks[event.id] = task
                task.add_done_callback(partial(self._done, event.id))

    def next_due(self) -> float | None:
        """When the next event is due that is not due yet, in epoch seconds; None if there is none."""
        now = self._state.region.clock.now()
        return min((event.due for event in self._state.async_events if event.due > now), default=None)

    async def settle(self, seconds: float) -> None:
        """Wait until every due event that the limits allow is delivered, at most so many seconds."""
        end = time.monotonic() + seconds
        self.deliver()
        while self._tasks and (left := end - time.monotonic()) > 0:
            await asyncio.wait(set(self._tasks.values()), timeout=left, return_when=asyncio.FIRST_COMPLETED)

    def pending(self, function: Function) -> int:
        """The number of accepted events of a function that are not finished."""
        return sum(event.function_urn == function.id for event in self._state.async_events)

    def _done(self, event_id: str, task: asyncio.Task[None]) -> None:
        del self._tasks[event_id]
        if task.cancelled():
            return
        if task.exception() is not None:
            _log.error("event %s was not delivered", event_id, exc_info=task.exception())
            self._state.async_events.remove(event_id)
        self._state.store.commit()
        self.deliver()

    async def _attempt(self, function: Function, event: AsyncEvent) -> None:
        try:
            invocation = await self._invocations.run(function, event.event, event.source, event.id, event.attempt)
        except CloudError:
            return  # the concurrency limit was reached meanwhile: the event stays due
        if self._state.async_events.get(event.id) is None:
            return  # removed by a reset meanwhile
        config = self._state.async_configs.get(function.id)
        retry = None if invocation.ok else self._retry(event, config)
        if retry is not None:
            self._state.async_events.put(retry)
            return
        self._state.async_events.remove(event.id)
        destination = (config.on_success if invocation.ok else config.on_failure) if config else None
        if destination is not None:
            sent = self._notify(destination, self._notification(function, event, invocation))
            self._invocations.record(replace(invocation, destination=sent), function)

    def _retry(self, event: AsyncEvent, config: AsyncConfig | None) -> AsyncEvent | None:
        """The event with its next attempt; None if it has no retry left or would be too old."""
        retries = config.max_retry_attempts if config else DEFAULT_MAX_RETRIES
        max_age = config.max_event_age if config else DEFAULT_MAX_EVENT_AGE
        due = self._state.region.clock.now() + RETRY_DELAY
        if event.attempt > retries or due > event.accepted + max_age:
            return None
        return replace(event, attempt=event.attempt + 1, due=due)

    def _notify(self, destination: Destination, payload: dict[str, Any]) -> dict[str, Any]:
        """Send the payload to the destination. Returns the record of it, with the error if it was refused."""
        error = None
        try:
            self._send(destination, json.dumps(payload))
        except CloudError as refused:
            error = f"{refused.code}: {refused.message}"
        return {
            "destination": destination.destination,
            "param": destination.param,
            "payload": payload,
            "error": error,
        }

    def _send(self, destination: Destination, payload: str) -> None:
        if destination.destination == "SMN":
            publish(self._smn, destination.param["topic_urn"], Publish(message=payload), None)
        elif destination.destination == "FunctionGraph":
            self.accept(self._state.function(destination.param["func_urn"]), payload, "Destination")

    def _notification(self, function: Function, event: AsyncEvent, invocation: Invocation) -> dict[str, Any]:
        error = invocation.error
        response = error or invocation.result
        return {
            # FunctionGraph writes this time, although it is not valid.
            "timestamp": text(self._state.region.clock.now(), "%Y-%m-%dT%H:%M:%S.000Z+00:00"),
            "request_context": {
                "request_id": event.id,
                "function_urn": function.latest_urn,
                "condition": "",
                "approximate_invoke_count": event.attempt,
            },
            "request_payload": event.event,
            "response_context": {
                "status_code": 500 if error else 200,
                "function_error": error["errorMessage"] if error else "",
            },
            "response_payload": response if isinstance(response, str) else json.dumps(response),
        }


def _destination(given: schemas.DestinationConfig | None) -> Destination | None:
    if given is None or not given.destination:
        return None
    try:
        param = json.loads(given.param or "")
    except ValueError as error:
        raise functiongraph_error("FSS.0400", f"param of {given.destination} is not JSON: {error}") from error
    required = _DESTINATION_PARAM[given.destination]
    if not isinstance(param, dict) or not isinstance(param.get(required), str):
        raise functiongraph_error("FSS.0400", f"param of {given.destination} needs {required}.")
    return Destination(given.destination, param)

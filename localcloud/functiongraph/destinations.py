"""Who hears of the end of an asynchronous invocation (User Guide, Configuring Asynchronous Notification Policy)."""

import json
from dataclasses import replace
from typing import Any

from localcloud.clock import text
from localcloud.errors import CloudError
from localcloud.functiongraph.events import Events
from localcloud.functiongraph.facts import AsyncEvent, Destination, Function, Invocation
from localcloud.functiongraph.functions import Functions
from localcloud.functiongraph.urns import LATEST
from localcloud.smn.publish import publish
from localcloud.smn.schemas import Publish
from localcloud.smn.state import SmnState


class Destinations:
    """SMN topics and functions are told; for OBS and DIS, which are not here, it is only remembered."""

    def __init__(self, functions: Functions, smn: SmnState, events: Events) -> None:
        self._functions = functions
        self._smn = smn
        self._events = events

    def tell(
        self, function: Function, event: AsyncEvent, invocation: Invocation, destination: Destination
    ) -> Invocation:
        """Tell the destination; returns the invocation with what was told, or why it could not be."""
        payload = self._payload(function, event, invocation)
        told: dict[str, Any] = {
            "destination": destination.destination,
            "param": destination.param,
            "payload": payload,
            "error": None,
        }
        try:
            self._send(destination, json.dumps(payload))
        except CloudError as error:
            told["error"] = f"{error.code}: {error.message}"
        return replace(invocation, destination=told)

    def _send(self, destination: Destination, payload: str) -> None:
        if destination.destination == "SMN":
            publish(self._smn, destination.param["topic_urn"], Publish(message=payload), None)
        elif destination.destination == "FunctionGraph":
            function = self._functions.find(destination.param["func_urn"])
            self._events.accept(function, payload, "Destination")

    def _payload(self, function: Function, event: AsyncEvent, invocation: Invocation) -> dict[str, Any]:
        error = invocation.error
        answer = error or invocation.result
        return {
            # Not a valid time: that is how FunctionGraph writes it.
            "timestamp": text(self._functions.region.clock.now(), "%Y-%m-%dT%H:%M:%S.000Z+00:00"),
            "request_context": {
                "request_id": event.id,
                "function_urn": f"{function.id}:{LATEST}",
                "condition": "",
                "approximate_invoke_count": event.attempt,
            },
            "request_payload": event.event,
            "response_context": {
                "status_code": 500 if error else 200,
                "function_error": error["errorMessage"] if error else "",
            },
            "response_payload": answer if isinstance(answer, str) else json.dumps(answer),
        }

"""Running a function on an event, and the record of it."""

import json
from collections.abc import Callable

from pydantic_core import to_json

from localcloud.clock import text
from localcloud.errors import CloudError
from localcloud.functiongraph.instances import Instances
from localcloud.functiongraph.runtime.model import Credentials, Json
from localcloud.functiongraph.state import Function, FunctionGraphState, Invocation


MAX_RECORDS = 1000
# FunctionGraph, context: the credentials of an agency are valid for a day. In seconds.
CREDENTIALS_LIFETIME = 86_400.0
NO_CREDENTIALS = Credentials("", "", "", "")
Assume = Callable[[str, float], Credentials]


class Invocations:
    """Runs functions and records the last thousand invocations.

    `assume` issues credentials of an agency, given its name and the lifetime in seconds. It raises CloudError if there
    is no such agency; the function then runs without credentials, as on the platform.
    """

    def __init__(self, state: FunctionGraphState, instances: Instances, assume: Assume) -> None:
        self._state = state
        self._instances = instances
        self._assume = assume

    async def run(self, function: Function, event: str, source: str, request_id: str, attempt: int = 1) -> Invocation:
        """Run a function on an event, a JSON text. Raises FSS.0429 if its concurrency limit is reached."""
        credentials = self._credentials(function)
        # The function calls this cloud with these credentials while it runs.
        self._state.store.commit()
        started = text(self._state.region.clock.now())
        finished = await self._instances.run(function, event, credentials, request_id)
        outcome = finished.invocation
        invocation = Invocation(
            id=f"{request_id}/{attempt}",
            request_id=request_id,
            attempt=attempt,
            function_urn=function.latest_urn,
            source=source,
            event=_storable(json.loads(event)),
            started=started,
            finished=text(self._state.region.clock.now()),
            ok=outcome.ok,
            result=_storable(outcome.result),
            error=outcome.error.as_json() if outcome.error else None,
            report=outcome.report.as_json(),
            log=list(finished.log),
            access_key=credentials.access_key,
        )
        self.record(invocation, function)
        return invocation

    def record(self, invocation: Invocation, function: Function) -> None:
        """Store an invocation unless its function is gone. Drop the oldest one if there are too many."""
        if not self._state.exists(function.id, function.func_id):
            return
        records = self._state.invocations
        records.put(invocation)
        if len(records) > MAX_RECORDS:
            records.remove(next(iter(records)).id)

    def _credentials(self, function: Function) -> Credentials:
        if function.agency is None:
            return NO_CREDENTIALS
        try:
            return self._assume(function.agency, CREDENTIALS_LIFETIME)
        except CloudError:
            return NO_CREDENTIALS


def _storable(value: Json) -> Json:
    """The value, or its JSON text if it cannot be stored: too deeply nested, or with a lone surrogate."""
    try:
        to_json(value)
    except (ValueError, RecursionError):
        return json.dumps(value)
    return value

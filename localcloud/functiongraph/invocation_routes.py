"""The HTTP side of invocations."""

import asyncio
import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Header, Request, Response
from pydantic import BaseModel

from localcloud.functiongraph.answer import sync_answer
from localcloud.functiongraph.errors import functiongraph_error
from localcloud.functiongraph.state import FunctionGraphState


# FunctionGraph, Notes and Constraints: the bodies of synchronous and asynchronous calls.
MAX_SYNC_BODY = 6 * 1024 * 1024
MAX_ASYNC_BODY = 256 * 1024
Event = Annotated[dict[str, Any] | None, Body(description="The event.", examples=[{"name": "you"}])]
_ANSWER = {
    "description": "What the function returned (v0), or that with request_id, log and status (v1)",
    "content": {"application/json": {"schema": {}}, "text/plain": {"schema": {"type": "string"}}},
}


class AcceptedEvent(BaseModel):
    request_id: str


def routes(state: FunctionGraphState) -> APIRouter:
    """Invocations, `/v2/{project_id}/fgs/functions/{function_urn}/invocations`."""
    router = APIRouter(prefix="/v2/{project_id}/fgs/functions/{function_urn}", tags=["FunctionGraph functions"])

    @router.post("/invocations", response_class=Response, responses={200: _ANSWER})
    async def invoke_function(
        function_urn: str,
        request: Request,
        body: Event = None,
        log_type: Annotated[Literal["tail", ""], Header(alias="X-Cff-Log-Type")] = "",
        version: Annotated[Literal["v0", "v1"], Header(alias="X-CFF-Request-Version")] = "v0",
    ) -> Response:
        """Run a function on an event and answer what it returns. One that fails is 200 with X-Is-Func-Err: true."""
        function = state.functions.find(function_urn)
        event = await _event(request, body, MAX_SYNC_BODY)
        request_id = str(uuid.uuid4())
        try:
            invocation = await state.invocations.run(function, event, "InvokeFunction", request_id)
        except asyncio.CancelledError:  # the server stops, and does not wait
            raise functiongraph_error("FSS.0503") from None
        return sync_answer(invocation, version, with_log=log_type == "tail")

    @router.post("/invocations-async", status_code=202)
    async def async_invoke_function(function_urn: str, request: Request, body: Event = None) -> AcceptedEvent:
        """Take an event and run the function on it later."""
        function = state.functions.find(function_urn)
        event = await _event(request, body, MAX_ASYNC_BODY)
        return AcceptedEvent(request_id=state.events.accept(function, event, "AsyncInvokeFunction"))

    return router


async def _event(request: Request, body: dict[str, Any] | None, at_most: int) -> str:
    """The event as it was sent; without a body it is empty. Raises FSS.1201 for more than `at_most` bytes."""
    sent = await request.body()
    if len(sent) > at_most:
        raise functiongraph_error("FSS.1201", f"It has {len(sent)} bytes, at most {at_most} are allowed.")
    return "{}" if body is None else sent.decode()

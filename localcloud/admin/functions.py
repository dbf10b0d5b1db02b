"""`/_local`: functions and what became of their invocations."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from localcloud.functiongraph.facts import Function, Invocation
from localcloud.functiongraph.runtime.interpreters import interpreter_for
from localcloud.functiongraph.state import FunctionGraphState
from localcloud.functiongraph.urns import LATEST
from localcloud.functiongraph.views import async_config_view, trigger_view


class LocalFunction(BaseModel):
    """A function, with how many events wait for it and how many instances it has. `python` is what it runs on."""

    func_urn: str
    func_name: str
    runtime: str
    python: str
    note: str | None
    handler: str
    code_size: int
    digest: str
    agency: str | None
    instances: int
    waiting: int
    async_config: dict[str, Any] | None
    triggers: list[dict[str, Any]]


def routes(state: FunctionGraphState) -> APIRouter:
    """What can be looked at; none of it needs authentication."""
    router = APIRouter(prefix="/_local", tags=["inside the local cloud"])

    @router.get("/functions")
    async def functions() -> list[LocalFunction]:
        """The functions with their triggers."""
        return [_local(state, function) for function in state.functions.functions]

    @router.get("/invocations")
    async def invocations(function_urn: str | None = None, request_id: str | None = None) -> list[Invocation]:
        """The last thousand invocations that came to an end, the oldest first, with outcome, report and log."""
        return [
            invocation
            for invocation in state.invocations.records
            if function_urn in (None, invocation.function_urn, invocation.function_urn.removesuffix(f":{LATEST}"))
            and request_id in (None, invocation.request_id)
        ]

    return router


def _local(state: FunctionGraphState, function: Function) -> LocalFunction:
    interpreter = interpreter_for(function.runtime)
    config = state.functions.async_configs.get(function.id)
    return LocalFunction(
        func_urn=f"{function.id}:{LATEST}",
        func_name=function.name,
        runtime=function.runtime,
        python=interpreter.executable,
        note=interpreter.note,
        handler=function.handler,
        code_size=function.code_size,
        digest=function.digest,
        agency=function.agency,
        instances=state.instances.count(function.id),
        waiting=sum(event.function_urn == function.id for event in state.events.waiting),
        async_config=async_config_view(config) if config else None,
        triggers=[trigger_view(trigger) for trigger in state.functions.triggers_of(function)],
    )

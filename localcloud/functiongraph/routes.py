"""The HTTP API of FunctionGraph, `/v2/{project_id}/fgs`."""

import asyncio
import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Header, Query, Request, Response

from localcloud.functiongraph import schemas
from localcloud.functiongraph.errors import functiongraph_error
from localcloud.functiongraph.functions import MAX_FUNCTIONS
from localcloud.functiongraph.service import FunctionGraph
from localcloud.functiongraph.state import Function
from localcloud.functiongraph.views import async_config_view, function_view, sync_response, trigger_view


PREFIX = "/v2/{project_id}/fgs"
MB = 1024 * 1024
# FunctionGraph, Notes and Constraints.
MAX_CODE_MB = 10_240
MAX_INSTANCES = 1000
MAX_SYNC_BODY = 6 * 1024 * 1024
MAX_ASYNC_BODY = 256 * 1024
Number = Annotated[int, Query(ge=0, le=2**31 - 1)]
Event = Annotated[dict[str, Any] | None, Body(description="The event.", examples=[{"name": "you"}])]
_SYNC_RESPONSE = {
    "description": "The function's result (v0), or JSON with result, request_id, log and status (v1)",
    "content": {"application/json": {"schema": {}}, "text/plain": {"schema": {"type": "string"}}},
}


def routers(functiongraph: FunctionGraph) -> list[APIRouter]:
    """The calls of FunctionGraph."""
    parts = (_functions, _quotas, _async_configs, _triggers, _invocations)
    return [part(functiongraph) for part in parts]


def _functions(functiongraph: FunctionGraph) -> APIRouter:
    state, functions = functiongraph.state, functiongraph.functions
    router = APIRouter(prefix=PREFIX, tags=["FunctionGraph functions"])

    def view(function: Function) -> dict[str, Any]:
        return function_view(state.region, function)

    def code(function: Function) -> schemas.FunctionCode:
        return schemas.FunctionCode(**view(function), func_code=schemas.FuncCode(file="", link=""))

    @router.post("/functions")
    async def create_function(body: schemas.NewFunction) -> schemas.FunctionConfig:
        """Create a function from a package: a zip with the handler's file at its root."""
        return schemas.FunctionConfig(**view(functions.create(body)))

    @router.get("/functions")
    async def list_functions(
        marker: Number = 0,
        maxitems: Number = MAX_FUNCTIONS,
        package_name: str | None = None,
        func_name: str | None = None,
    ) -> schemas.Functions:
        """List functions. Their URNs have no version, as in the API's example."""
        found = [
            function
            for function in state.functions
            if package_name in (None, function.package) and (func_name or "") in function.name
        ]
        page = found[marker : marker + min(maxitems or MAX_FUNCTIONS, MAX_FUNCTIONS)]
        return schemas.Functions(
            functions=[schemas.ListedFunction(**view(function) | {"func_urn": function.id}) for function in page],
            next_marker=marker + len(page),
            count=len(found),
        )

    @router.delete("/functions/{function_urn}", status_code=204)
    async def delete_function(function_urn: str) -> None:
        """Delete a function and its triggers. The URN must have no version."""
        functions.delete(function_urn)

    @router.get("/functions/{function_urn}/config")
    async def show_function_config(function_urn: str) -> schemas.FunctionConfig:
        """Show a function."""
        return schemas.FunctionConfig(**view(state.function(function_urn)))

    @router.put("/functions/{function_urn}/config")
    async def update_function_config(function_urn: str, body: schemas.NewConfiguration) -> schemas.FunctionConfig:
        """Change the configuration of a function. Omitted fields stay, except func_vpc. The runtime cannot change."""
        function = functions.configure(function_urn, body)
        return schemas.FunctionConfig(**view(function) | {"func_urn": function.id})

    @router.get("/functions/{function_urn}/code")
    async def show_function_code(function_urn: str) -> schemas.FunctionCode:
        """Show a function's code with its size, name and digest."""
        function = state.function(function_urn)
        package = state.packages.get(function.id)
        file = package.file if package and state.region.switches.code_in_answer else ""
        return schemas.FunctionCode(**view(function), func_code=schemas.FuncCode(file=file, link=""))

    @router.put("/functions/{function_urn}/code")
    async def update_function_code(function_urn: str, body: schemas.NewCode) -> schemas.FunctionCode:
        """Replace the package of a function."""
        return code(functions.replace_code(function_urn, body))

    return router


def _quotas(functiongraph: FunctionGraph) -> APIRouter:
    functions = functiongraph.state.functions
    router = APIRouter(prefix=PREFIX, tags=["FunctionGraph functions"])

    @router.get("/quotas")
    async def list_quotas() -> schemas.Quotas:
        """List the quotas of the account and their use."""
        code_mb = sum(function.code_size for function in functions) // MB
        resources = [
            schemas.Quota(quota=MAX_FUNCTIONS, used=len(functions), type="fgs_func_num"),
            schemas.Quota(quota=MAX_CODE_MB, used=code_mb, type="fgs_func_code_size", unit="MB"),
            schemas.Quota(quota=MAX_INSTANCES, used=0, type="fgs_func_qos_limit"),
        ]
        return schemas.Quotas(quotas=schemas.QuotaList(resources=resources))

    return router


def _async_configs(functiongraph: FunctionGraph) -> APIRouter:
    state, async_invocations = functiongraph.state, functiongraph.async_invocations
    router = APIRouter(prefix=f"{PREFIX}/functions/{{function_urn}}", tags=["FunctionGraph functions"])

    @router.put("/async-invoke-config")
    async def update_function_async_invoke_config(
        function_urn: str, body: schemas.NewAsyncConfig
    ) -> schemas.AsyncConfig:
        """Set retries, maximum age of an event, and the destinations of results."""
        config = async_invocations.configure(state.function(function_urn), body)
        return schemas.AsyncConfig(**async_config_view(config))

    @router.get("/async-invoke-config")
    async def show_function_async_invoke_config(function_urn: str) -> schemas.AsyncConfig:
        """Show the asynchronous configuration of a function."""
        config = async_invocations.configuration(state.function(function_urn))
        return schemas.AsyncConfig(**async_config_view(config))

    @router.delete("/async-invoke-config", status_code=204)
    async def delete_function_async_invoke_config(function_urn: str) -> None:
        """Delete the asynchronous configuration: the platform's defaults apply again."""
        state.async_configs.remove(async_invocations.configuration(state.function(function_urn)).id)

    @router.get("/async-invoke-configs")
    async def list_function_async_invoke_config(
        function_urn: str, marker: Number = 0, limit: Number = 10
    ) -> schemas.AsyncConfigs:
        """List the asynchronous configurations of a function's versions. Here there is one version only."""
        config = state.async_configs.get(state.function(function_urn).id)
        found = [config] if config else []
        page = found[marker : marker + min(limit or 10, 100)]
        return schemas.AsyncConfigs(
            async_invoke_configs=[schemas.AsyncConfig(**async_config_view(one)) for one in page],
            count=len(found),
            page_info=schemas.PageInfo(next_marker=marker + len(page), previous_marker=marker, current_count=len(page)),
        )

    return router


def _triggers(functiongraph: FunctionGraph) -> APIRouter:
    state, triggers = functiongraph.state, functiongraph.triggers
    router = APIRouter(prefix=f"{PREFIX}/triggers/{{function_urn}}", tags=["FunctionGraph triggers"])
    one = "/{trigger_type_code}/{trigger_id}"

    @router.post("", status_code=201)
    async def create_function_trigger(function_urn: str, body: schemas.NewTrigger) -> schemas.Trigger:
        """Create a trigger. Kafka and DDS triggers are DISABLED unless the request says ACTIVE."""
        return schemas.Trigger(**trigger_view(triggers.create(state.function(function_urn), body)))

    @router.get("")
    async def list_function_triggers(function_urn: str) -> list[schemas.Trigger]:
        """List the triggers of a function."""
        function = state.function(function_urn)
        return [schemas.Trigger(**trigger_view(trigger)) for trigger in state.triggers_of(function)]

    @router.delete("", status_code=204)
    async def batch_delete_function_triggers(function_urn: str) -> None:
        """Delete every trigger of a function."""
        for trigger in state.triggers_of(state.function(function_urn)):
            triggers.delete(trigger)

    @router.get(one)
    async def show_function_trigger(function_urn: str, trigger_type_code: str, trigger_id: str) -> schemas.Trigger:
        """Show a trigger."""
        trigger = triggers.find(state.function(function_urn), trigger_type_code, trigger_id)
        return schemas.Trigger(**trigger_view(trigger))

    @router.put(one)
    async def update_trigger(
        function_urn: str, trigger_type_code: str, trigger_id: str, body: schemas.TriggerChange
    ) -> schemas.Trigger:
        """Enable or disable a trigger."""
        trigger = triggers.find(state.function(function_urn), trigger_type_code, trigger_id)
        return schemas.Trigger(**trigger_view(triggers.change(trigger, body)))

    @router.delete(one, status_code=204)
    async def delete_function_trigger(function_urn: str, trigger_type_code: str, trigger_id: str) -> None:
        """Delete a trigger."""
        triggers.delete(triggers.find(state.function(function_urn), trigger_type_code, trigger_id))

    return router


def _invocations(functiongraph: FunctionGraph) -> APIRouter:
    state = functiongraph.state
    router = APIRouter(prefix=f"{PREFIX}/functions/{{function_urn}}", tags=["FunctionGraph functions"])

    @router.post("/invocations", response_class=Response, responses={200: _SYNC_RESPONSE})
    async def invoke_function(
        function_urn: str,
        request: Request,
        body: Event = None,
        log_type: Annotated[Literal["tail", ""], Header(alias="X-Cff-Log-Type")] = "",
        version: Annotated[Literal["v0", "v1"], Header(alias="X-CFF-Request-Version")] = "v0",
    ) -> Response:
        """Run a function on an event and return its result. A failure is status 200 with X-Is-Func-Err: true."""
        function = state.function(function_urn)
        event = await _event(request, body, MAX_SYNC_BODY)
        request_id = str(uuid.uuid4())
        try:
            invocation = await functiongraph.invocations.run(function, event, "InvokeFunction", request_id)
        except asyncio.CancelledError:  # the server stops and does not wait
            raise functiongraph_error("FSS.0503") from None
        return sync_response(invocation, version, with_log=log_type == "tail")

    @router.post("/invocations-async", status_code=202)
    async def async_invoke_function(function_urn: str, request: Request, body: Event = None) -> schemas.AcceptedEvent:
        """Accept an event and run the function on it later."""
        function = state.function(function_urn)
        event = await _event(request, body, MAX_ASYNC_BODY)
        request_id = functiongraph.async_invocations.accept(function, event, "AsyncInvokeFunction")
        return schemas.AcceptedEvent(request_id=request_id)

    return router


async def _event(request: Request, body: dict[str, Any] | None, max_bytes: int) -> str:
    """The event as it was sent; an empty object without a body. Raises FSS.1201 for more than `max_bytes`."""
    sent = await request.body()
    if len(sent) > max_bytes:
        raise functiongraph_error("FSS.1201", f"It has {len(sent)} bytes, at most {max_bytes} are allowed.")
    return "{}" if body is None else sent.decode()

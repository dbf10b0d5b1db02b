"""The HTTP side of asynchronous configurations: retries, maximum age, destinations."""

import json
from typing import Annotated

from fastapi import APIRouter, Query

from localcloud.functiongraph import async_schemas as schemas
from localcloud.functiongraph.errors import functiongraph_error
from localcloud.functiongraph.facts import AsyncConfig, Destination
from localcloud.functiongraph.functions import Functions
from localcloud.functiongraph.views import async_config_view


_NEEDED = {"OBS": "bucket", "SMN": "topic_urn", "DIS": "stream_name", "FunctionGraph": "func_urn"}


def routes(state: Functions) -> APIRouter:
    """Asynchronous configurations, `/v2/{project_id}/fgs/functions/{function_urn}/async-invoke-config`."""
    router = APIRouter(prefix="/v2/{project_id}/fgs/functions/{function_urn}", tags=["FunctionGraph functions"])

    @router.put("/async-invoke-config")
    async def update_function_async_invoke_config(
        function_urn: str, body: schemas.NewAsyncConfig
    ) -> schemas.AsyncConfig:
        """Say how often a failed event is retried, how old it may become, and who hears of its end."""
        function = state.find(function_urn)
        now = state.region.clock.now()
        earlier = state.async_configs.get(function.id)
        destinations = body.destination_config or schemas.DestinationConfigs()
        config = AsyncConfig(
            id=function.id,
            max_event_age=body.max_async_event_age_in_seconds,
            max_retry_attempts=body.max_async_retry_attempts,
            created=earlier.created if earlier else now,
            modified=now,
            on_success=_destination(destinations.on_success),
            on_failure=_destination(destinations.on_failure),
            enable_status_log=bool(body.enable_async_status_log),
        )
        state.async_configs.put(config)
        return schemas.AsyncConfig(**async_config_view(config))

    @router.get("/async-invoke-config")
    async def show_function_async_invoke_config(function_urn: str) -> schemas.AsyncConfig:
        """The asynchronous configuration of a function."""
        return schemas.AsyncConfig(**async_config_view(_find(state, function_urn)))

    @router.delete("/async-invoke-config", status_code=204)
    async def delete_function_async_invoke_config(function_urn: str) -> None:
        """Go back to the platform's defaults."""
        state.async_configs.remove(_find(state, function_urn).id)

    @router.get("/async-invoke-configs")
    async def list_function_async_invoke_config(
        function_urn: str,
        marker: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
        limit: Annotated[int, Query(ge=0, le=2**31 - 1)] = 10,
    ) -> schemas.AsyncConfigs:
        """The asynchronous configurations of all versions of a function: here there is one version."""
        config = state.async_configs.get(state.find(function_urn).id)
        found = [config] if config else []
        page = found[marker : marker + min(limit or 10, 100)]
        return schemas.AsyncConfigs(
            async_invoke_configs=[schemas.AsyncConfig(**async_config_view(one)) for one in page],
            count=len(found),
            page_info=schemas.PageInfo(next_marker=marker + len(page), previous_marker=marker, current_count=len(page)),
        )

    return router


def _find(state: Functions, function_urn: str) -> AsyncConfig:
    config = state.async_configs.get(state.find(function_urn).id)
    if config is None:
        raise functiongraph_error("FSS.0404", "The function has no asynchronous configuration.")
    return config


def _destination(given: schemas.DestinationConfig | None) -> Destination | None:
    if given is None or not given.destination:
        return None
    try:
        param = json.loads(given.param or "")
    except ValueError as error:
        raise functiongraph_error("FSS.0400", f"param of {given.destination} is no JSON: {error}") from error
    needed = _NEEDED[given.destination]
    if not isinstance(param, dict) or not isinstance(param.get(needed), str):
        raise functiongraph_error("FSS.0400", f"param of {given.destination} needs {needed}.")
    return Destination(given.destination, param)

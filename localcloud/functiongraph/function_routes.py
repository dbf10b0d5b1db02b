"""The HTTP side of functions."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from localcloud.functiongraph import schemas
from localcloud.functiongraph.facts import Function
from localcloud.functiongraph.functions import MAX_FUNCTIONS, Functions
from localcloud.functiongraph.triggers import Triggers
from localcloud.functiongraph.views import function_view


MB = 1024 * 1024
# FunctionGraph, Notes and Constraints.
MAX_CODE_MB = 10_240
MAX_INSTANCES = 1000


def routes(state: Functions, triggers: Triggers) -> APIRouter:
    """Functions, `/v2/{project_id}/fgs/functions`, and quotas."""
    router = APIRouter(prefix="/v2/{project_id}/fgs", tags=["FunctionGraph functions"])

    @router.post("/functions")
    async def create_function(body: schemas.NewFunction) -> schemas.FunctionConfig:
        """Create a function from a package, a zip with the handler's file at its root."""
        return schemas.FunctionConfig(**_view(state, state.create(body)))

    @router.get("/functions")
    async def list_functions(
        marker: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
        maxitems: Annotated[int, Query(ge=0, le=2**31 - 1)] = MAX_FUNCTIONS,
        package_name: str | None = None,
        func_name: str | None = None,
    ) -> schemas.Functions:
        """List functions. As in the API's example, their URNs are without a version."""
        found = [
            function
            for function in state.functions
            if package_name in (None, function.package) and (func_name or "") in function.name
        ]
        page = found[marker : marker + min(maxitems or MAX_FUNCTIONS, MAX_FUNCTIONS)]
        return schemas.Functions(
            functions=[schemas.ListedFunction(**_view(state, one) | {"func_urn": one.id}) for one in page],
            next_marker=marker + len(page),
            count=len(found),
        )

    @router.delete("/functions/{function_urn}", status_code=204)
    async def delete_function(function_urn: str) -> None:
        """Delete a function with its triggers. Its URN has to be without a version."""
        for trigger in state.delete(function_urn):
            triggers.unsubscribe(trigger)

    @router.get("/functions/{function_urn}/config")
    async def show_function_config(function_urn: str) -> schemas.FunctionConfig:
        """One function."""
        return schemas.FunctionConfig(**_view(state, state.find(function_urn)))

    @router.put("/functions/{function_urn}/config")
    async def update_function_config(function_urn: str, body: schemas.NewConfiguration) -> schemas.FunctionConfig:
        """Change the configuration of a function; what is left out stays, but for func_vpc, and so does the runtime."""
        function = state.configure(function_urn, body)
        return schemas.FunctionConfig(**_view(state, function) | {"func_urn": function.id})

    @router.get("/functions/{function_urn}/code")
    async def show_function_code(function_urn: str) -> schemas.FunctionCode:
        """What is known of the code of a function."""
        return _code(state, state.find(function_urn))

    @router.put("/functions/{function_urn}/code")
    async def update_function_code(function_urn: str, body: schemas.NewCode) -> schemas.FunctionCode:
        """Put another package in place of the code of a function."""
        return _code(state, state.recode(function_urn, body))

    @router.get("/quotas")
    async def list_quotas() -> schemas.Quotas:
        """What the account may have, and what it has."""
        code_mb = sum(function.code_size for function in state.functions) // MB
        resources = [
            schemas.Quota(quota=MAX_FUNCTIONS, used=len(state.functions), type="fgs_func_num"),
            schemas.Quota(quota=MAX_CODE_MB, used=code_mb, type="fgs_func_code_size", unit="MB"),
            schemas.Quota(quota=MAX_INSTANCES, used=0, type="fgs_func_qos_limit"),
        ]
        return schemas.Quotas(quotas=schemas.QuotaList(resources=resources))

    return router


def _view(state: Functions, function: Function) -> dict[str, Any]:
    return function_view(state.region, function)


def _code(state: Functions, function: Function) -> schemas.FunctionCode:
    return schemas.FunctionCode(**_view(state, function), func_code=schemas.FuncCode(file="", link=""))

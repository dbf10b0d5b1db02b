"""The HTTP side of triggers."""

from fastapi import APIRouter

from localcloud.functiongraph import trigger_schemas as schemas
from localcloud.functiongraph.functions import Functions
from localcloud.functiongraph.triggers import Triggers
from localcloud.functiongraph.views import trigger_view


def routes(functions: Functions, triggers: Triggers) -> APIRouter:
    """Triggers, `/v2/{project_id}/fgs/triggers`."""
    router = APIRouter(prefix="/v2/{project_id}/fgs/triggers/{function_urn}", tags=["FunctionGraph triggers"])
    one = "/{trigger_type_code}/{trigger_id}"

    @router.post("", status_code=201)
    async def create_function_trigger(function_urn: str, body: schemas.NewTrigger) -> schemas.Trigger:
        """Create a trigger. Kafka and DDS triggers are DISABLED unless they are said to be ACTIVE."""
        return schemas.Trigger(**trigger_view(triggers.create(functions.find(function_urn), body)))

    @router.get("")
    async def list_function_triggers(function_urn: str) -> list[schemas.Trigger]:
        """The triggers of a function."""
        function = functions.find(function_urn)
        return [schemas.Trigger(**trigger_view(trigger)) for trigger in functions.triggers_of(function)]

    @router.delete("", status_code=204)
    async def batch_delete_function_triggers(function_urn: str) -> None:
        """Delete every trigger of a function."""
        for trigger in functions.triggers_of(functions.find(function_urn)):
            triggers.delete(trigger)

    @router.get(one)
    async def show_function_trigger(function_urn: str, trigger_type_code: str, trigger_id: str) -> schemas.Trigger:
        """One trigger."""
        trigger = triggers.find(functions.find(function_urn), trigger_type_code, trigger_id)
        return schemas.Trigger(**trigger_view(trigger))

    @router.put(one)
    async def update_trigger(
        function_urn: str, trigger_type_code: str, trigger_id: str, body: schemas.TriggerChange
    ) -> schemas.Trigger:
        """Turn a trigger on or off."""
        trigger = triggers.find(functions.find(function_urn), trigger_type_code, trigger_id)
        return schemas.Trigger(**trigger_view(triggers.change(trigger, body)))

    @router.delete(one, status_code=204)
    async def delete_function_trigger(function_urn: str, trigger_type_code: str, trigger_id: str) -> None:
        """Delete a trigger."""
        triggers.delete(triggers.find(functions.find(function_urn), trigger_type_code, trigger_id))

    return router

"""The HTTP API that controls the local cloud, `/_local`: look inside, move the clock, set faults, reset.

The gateway lets in the owner of the local cloud only (`localcloud.callers`).
"""

from dataclasses import asdict
from typing import Annotated, Any, cast

from fastapi import APIRouter, Body, HTTPException, Request
from fastapi.responses import PlainTextResponse

from localcloud.admin import schemas
from localcloud.clock import text
from localcloud.cloud import Cloud
from localcloud.dds.content_faults import BackupFault, ContentFault
from localcloud.dds.snapshot import snapshot
from localcloud.errors import CloudError
from localcloud.faults import FaultRuleState
from localcloud.functiongraph.runtime.interpreters import interpreter_for
from localcloud.functiongraph.service import FunctionGraph
from localcloud.functiongraph.state import LATEST, Function
from localcloud.functiongraph.views import async_config_view, trigger_view
from localcloud.mongo.tls import authority_pem
from localcloud.region import Switches
from localcloud.smn.service import confirm
from localcloud.smn.state import Message


_FAULT = {"method": "POST", "path": "/backups$", "times": 2, "answer": {"status": 503}}


def _example(body: Any) -> Any:
    """The example of a body, for the page /docs."""
    return Body(openapi_examples={"example": {"value": body}})


def router(cloud: Cloud) -> APIRouter:
    """Every call under `/_local`."""
    made = APIRouter(prefix="/_local", tags=["inside the local cloud"])
    for add in (_add_functions, _add_inspection, _add_control, _add_faults, _add_resources):
        add(made, cloud)
    return made


def _add_functions(router: APIRouter, cloud: Cloud) -> None:
    @router.get("/functions")
    async def functions() -> list[schemas.DeployedFunction]:
        """List the functions with their triggers."""
        functiongraph = cloud.functiongraph
        return [_function(functiongraph, function) for function in functiongraph.state.functions]

    @router.get("/invocations")
    async def invocations(
        function_urn: str | None = None, request_id: str | None = None
    ) -> list[schemas.FinishedInvocation]:
        """List the last thousand finished invocations, oldest first, with outcome, report and log."""
        return [
            cast("schemas.FinishedInvocation", asdict(invocation))
            for invocation in cloud.functiongraph.state.invocations
            if function_urn in (None, invocation.function_urn, invocation.function_urn.removesuffix(f":{LATEST}"))
            and request_id in (None, invocation.request_id)
        ]


def _function(functiongraph: FunctionGraph, function: Function) -> schemas.DeployedFunction:
    interpreter = interpreter_for(function.runtime)
    config = functiongraph.state.async_configs.get(function.id)
    return schemas.DeployedFunction(
        func_urn=function.latest_urn,
        func_name=function.name,
        runtime=function.runtime,
        python=interpreter.executable,
        note=interpreter.note,
        handler=function.handler,
        code_size=function.code_size,
        digest=function.digest,
        agency=function.agency,
        instances=functiongraph.instances.count(function.id),
        waiting=functiongraph.async_invocations.pending(function),
        async_config=async_config_view(config) if config else None,
        triggers=[trigger_view(trigger) for trigger in functiongraph.state.triggers_of(function)],
    )


def _add_inspection(router: APIRouter, cloud: Cloud) -> None:
    @router.get("/connection")
    async def connection(request: Request) -> schemas.Connection:
        """Show what a client needs: endpoint, credentials, topic and instances."""
        return cloud.connection(str(request.base_url).rstrip("/"))

    @router.get("/state")
    async def state() -> schemas.State:
        """Show every instance, backup, job and restore, and the recycle bin."""
        return cast("schemas.State", snapshot(cloud.dds))

    @router.get("/ca.pem", response_class=PlainTextResponse)
    async def authority() -> str:
        """Show the certificate of the authority that signs those of the instances: the CA file of MongoDB clients."""
        return authority_pem()

    @router.get("/messages")
    async def messages() -> list[schemas.PublishedMessage]:
        """List the published messages, oldest first, with what each subscription would have received."""
        return [_message(message) for message in cloud.smn.messages]

    @router.get("/requests")
    async def requests() -> list[schemas.ReceivedRequest]:
        """List the last ten thousand requests to the services, oldest first."""
        return [cast("schemas.ReceivedRequest", asdict(record)) for record in cloud.requests.records]


def _message(message: Message) -> schemas.PublishedMessage:
    fields = asdict(message)
    return cast("schemas.PublishedMessage", {"message_id": fields.pop("id"), **fields})


def _add_control(router: APIRouter, cloud: Cloud) -> None:
    def present() -> schemas.Time:
        clock = cloud.region.clock
        return schemas.Time(now=text(clock.now()), offset=clock.offset)

    @router.get("/clock")
    async def show_clock() -> schemas.Time:
        """Show the time of the local cloud."""
        return present()

    @router.post("/clock")
    async def move_clock(body: Annotated[schemas.Advance, _example({"advance": 86_400})]) -> schemas.Jump:
        """Move the clock forward. Timers that become due fire one after the other, each at its own time.

        The clock stands at the due time when a function starts. The next timer fires when that function has finished,
        and whatever it invoked through SMN or asynchronously. So the response may take a while: a jump fires at most
        10,000 times and takes at most 5 minutes. It then skips the timers that are left, and says which.
        """
        timers = await cloud.advance(body.advance)
        return schemas.Jump(
            **present(),
            timers=[cast("schemas.TimerRuns", asdict(runs)) for runs in timers],
            unfinished=len(cloud.functiongraph.state.async_events),
        )

    @router.post("/reset")
    async def reset() -> schemas.Time:
        """Go back to the seed and the switches of the start. The credentials stay the same."""
        cloud.reset()
        return present()

    @router.get("/switches")
    async def show_switches() -> Switches:
        """Show the switches."""
        return cloud.region.switches

    @router.patch("/switches")
    async def change_switches(body: Annotated[Switches, _example({"job_delay": 5})]) -> Switches:
        """Change switches. Omitted ones stay."""
        return cloud.switch(body.model_dump(exclude_unset=True))


def _add_faults(router: APIRouter, cloud: Cloud) -> None:
    @router.get("/faults", response_model_exclude_unset=True)
    async def show_faults() -> list[FaultRuleState]:
        """List the fault rules with their counters."""
        return cloud.faults.show()

    @router.put("/faults", response_model_exclude_unset=True)
    async def set_faults(body: Annotated[list[FaultRuleState], _example([_FAULT])]) -> list[FaultRuleState]:
        """Replace all fault rules. The first rule that acts on a call wins."""
        cloud.faults.set([rule.rule() for rule in body])
        return cloud.faults.show()

    @router.delete("/faults")
    async def delete_faults() -> list[FaultRuleState]:
        """Remove all fault rules."""
        cloud.faults.set([])
        return []


def _add_resources(router: APIRouter, cloud: Cloud) -> None:
    @router.patch("/instances/{instance_id}", responses={404: {"description": "No such instance."}})
    async def change_instance(
        instance_id: str, body: Annotated[schemas.InstanceChange, _example({"status": "abnormal"})]
    ) -> schemas.InstanceState:
        """Change an instance, for example so that it is abnormal or busy, or its backups fail. Omitted fields stay."""
        changes = body.model_dump(exclude_unset=True)
        if "busy_for" in changes:
            seconds = changes.pop("busy_for")
            changes["busy_until"] = None if seconds is None else cloud.dds.present() + seconds
        try:
            cloud.change_instance(instance_id, changes)
        except CloudError as error:
            raise HTTPException(404, f"there is no instance {instance_id}") from error
        state = cast("schemas.State", snapshot(cloud.dds))
        return next(instance for instance in state["instances"] if instance["id"] == instance_id)

    @router.put("/backups/{backup_id}/fault", responses={404: {"description": "No such backup."}})
    async def set_backup_fault(
        backup_id: str, body: Annotated[ContentFault, _example({"lacks_collection": "shop.orders"})]
    ) -> ContentFault:
        """Make the content of a backup faulty, which shows once it is restored. An empty object ends the fault."""
        try:
            cloud.dds.backup(backup_id, cloud.dds.present())
        except CloudError as error:
            raise HTTPException(404, f"there is no backup {backup_id}") from error
        cloud.dds.backup_faults.put(BackupFault(backup_id, body))
        return body

    @router.post("/subscriptions/{subscription_urn}/confirm", responses={404: {"description": "No such subscription."}})
    async def confirm_subscription(subscription_urn: str) -> dict[str, int]:
        """Confirm a subscription, as the owner of its endpoint does with the confirmation message."""
        try:
            return {"status": confirm(cloud.smn, subscription_urn).status}
        except CloudError as error:
            raise HTTPException(404, f"there is no subscription {subscription_urn}") from error

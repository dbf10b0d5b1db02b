"""The gateway in front of the services: authentication, faults, the log of calls, X-Request-Id."""

import asyncio
import json
import logging
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from localcloud.answers import Answer, error_answer, fault_answer, garbled
from localcloud.arrival import Arrival, arrive, read_body
from localcloud.auth.authenticate import authenticate
from localcloud.auth.authorize import authorize
from localcloud.clock import text
from localcloud.cloud import Cloud
from localcloud.connection import cut
from localcloud.dds.errors import dds_error
from localcloud.errors import SIGN_IN, CloudError, Service, gateway_error, service_of
from localcloud.faults import Fault, FaultRule
from localcloud.functiongraph.errors import functiongraph_error
from localcloud.requests_log import RequestRecord
from localcloud.smn.errors import smn_error


# The gateway takes bodies of up to 12 MB; FunctionGraph's are packages of 50 MB in base64, with room for the rest.
MAX_BODY = 12 * 1024 * 1024
MAX_PACKAGE_BODY = 70 * 1024 * 1024
# What goes to them may hold passwords, and need not be kept.
UNSEEN = {Service.IAM, Service.IAM5, Service.FUNCTIONGRAPH}
_log = logging.getLogger("localcloud")


class Gateway:
    """ASGI in, ASGI out: calls of the cloud are checked and logged, all others (`/_local`, `/docs`) pass through."""

    def __init__(self, app: ASGIApp, cloud: Cloud) -> None:
        self._app = app
        self._cloud = cloud

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP call. Lifespan events are not served (uvicorn is told so)."""
        body = await read_body(receive)
        if body is None:
            return
        arrival = arrive(scope, receive, send, body)
        service = service_of(arrival.path)
        if service is None:
            answer = await _run(self._app, arrival)
            self._cloud.store.commit()
            await _send(arrival, answer)
        else:
            await self._cloud_call(arrival, service)

    async def _cloud_call(self, arrival: Arrival, service: Service) -> None:
        fault = self._cloud.faults.act(arrival.call.method, arrival.path)
        rule = fault.rule if fault else None
        answer = await self._answer(arrival, service, rule)
        self._remember(arrival, service, fault, answer)
        # Whatever the client is told is safe by now, and so is what it is not told.
        self._cloud.store.commit()
        if rule is None:
            await _send(arrival, answer)
        else:
            await _send_spoilt(arrival, answer, rule)

    async def _answer(self, arrival: Arrival, service: Service, rule: FaultRule | None) -> Answer:
        if rule is not None and rule.drop == "before":
            return Answer(0, b"")  # nothing is sent of it
        if rule is not None and rule.drop is None:
            instead = fault_answer(rule, service, arrival.request_id)
            if instead is not None:
                return instead
        return await self._work(arrival, service)

    async def _work(self, arrival: Arrival, service: Service) -> Answer:
        try:
            self._admit(arrival, service)
        except CloudError as error:
            return error_answer(error, service, arrival.request_id)
        return await _run(self._app, arrival)

    def _admit(self, arrival: Arrival, service: Service) -> None:
        call = arrival.call
        if len(call.body) > (MAX_PACKAGE_BODY if service is Service.FUNCTIONGRAPH else MAX_BODY):
            raise gateway_error(413)
        signing_in = call.method == "POST" and arrival.path in SIGN_IN
        authenticated = not signing_in or bool({"authorization", "x-auth-token"} & call.headers.keys())
        agency_id = authenticate(call, self._cloud.credentials, self._cloud.region.clock) if authenticated else None
        arrival.scope["state"] |= {"authenticated": authenticated, "agency_id": agency_id}
        project_id = self._cloud.region.project_id
        if call.headers.get("x-project-id", project_id) != project_id:
            raise gateway_error(403, "the project of X-Project-Id", code="APIGW.0310")
        if service not in {Service.IAM, Service.IAM5} and arrival.path.split("/")[2:3] not in ([], [project_id]):
            raise _not_this_project(service)
        if agency_id is not None and self._cloud.region.switches.enforce_policies:
            authorize(call.method, arrival.path, self._cloud.iam.documents(agency_id), service)

    def _remember(self, arrival: Arrival, service: Service, fault: Fault | None, answer: Answer) -> None:
        call = arrival.call
        status = None if fault is not None and fault.rule.drop else answer.status
        self._cloud.requests.add(
            RequestRecord(
                id=arrival.request_id,
                time=text(self._cloud.region.clock.now()),
                method=call.method,
                path=arrival.path,
                query=call.target.partition("?")[2],
                status=status,
                access_key=arrival.scope["state"]["access_key"],
                fault=int(fault.id) if fault else None,
                body=None if service in UNSEEN else _json(call.body),
            )
        )
        _log.info("%s %s %s", call.method, arrival.path, "connection cut" if status is None else status)


def _not_this_project(service: Service) -> CloudError:
    if service is Service.DDS:
        return dds_error("DBS.280408")
    return smn_error("SMN.0001") if service is Service.SMN else functiongraph_error("FSS.0403")


async def _run(app: ASGIApp, arrival: Arrival) -> Answer:
    answer = Answer(500, b"")

    async def receive() -> Message:
        return {"type": "http.request", "body": arrival.call.body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]}
        else:
            answer.body += message.get("body", b"")

    await app(arrival.scope, receive, send)
    return answer


async def _send(arrival: Arrival, answer: Answer, truncate: int | None = None) -> None:
    headers = answer.headers | {"content-length": str(len(answer.body)), "x-request-id": arrival.request_id}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await arrival.send({"type": "http.response.start", "status": answer.status, "headers": raw})
    if truncate is None or truncate >= len(answer.body):
        await arrival.send({"type": "http.response.body", "body": answer.body})
        return
    await arrival.send({"type": "http.response.body", "body": answer.body[:truncate], "more_body": True})
    await cut(arrival.scope, arrival.receive, flush=True)


async def _outlived(delay: float) -> bool:
    """Wait; False if the server stops meanwhile, which lets go of whoever waits for an answer."""
    try:
        await asyncio.sleep(delay)
    except asyncio.CancelledError:
        return False
    return True


async def _send_spoilt(arrival: Arrival, answer: Answer, rule: FaultRule) -> None:
    is_stopped = not await _outlived(rule.delay)
    if rule.drop is not None or is_stopped:
        await cut(arrival.scope, arrival.receive)
        return
    if rule.garble:
        answer.body = garbled(answer.body)
    await _send(arrival, answer, truncate=rule.truncate)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body.decode("utf-8", "replace")

"""The gateway in front of the services: the guard, authentication, authorization, fault rules, the log of calls."""

import asyncio
import json
import logging
import re
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from localcloud.auth.authentication import Call, authenticate
from localcloud.auth.authorization import Target, authorize, instance_in, resources_of
from localcloud.callers import CallerRefused, Guard, check_control
from localcloud.clock import text
from localcloud.cloud import Cloud
from localcloud.dds.errors import dds_error
from localcloud.errors import SIGN_IN, CloudError, Service, gateway_error, service_of
from localcloud.exchange import Exchange, Response, error_response, json_response, open_exchange, read_body
from localcloud.faults import Fault, FaultRule, fault_response, garbled
from localcloud.functiongraph.errors import functiongraph_error
from localcloud.requests_log import RequestRecord
from localcloud.smn.errors import smn_error


# The gateway accepts bodies of up to 12 MB. Those of FunctionGraph can be packages of 50 MB in base64, and a bit more.
MAX_BODY = 12 * 1024 * 1024
MAX_PACKAGE_BODY = 70 * 1024 * 1024
# The parser and the serializers of Python and pydantic recurse. Real requests and events are far less deep.
MAX_DEPTH = 500
# The bodies of calls to these services can contain passwords, so they are not logged.
UNLOGGED = {Service.IAM, Service.IAM5, Service.FUNCTIONGRAPH}
_PASSWORDS = {"password", "user_pwd"}
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKETS = re.compile(rb"[\[{\]}]")
_log = logging.getLogger("localcloud")


class Gateway:
    """The ASGI application in front of `app`. Paths that belong to no service (`/_local`, `/docs`) are no API calls.

    `guard` checks every request before anything else.
    """

    def __init__(self, app: ASGIApp, cloud: Cloud, guard: Guard) -> None:
        self._app = app
        self._cloud = cloud
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle an HTTP request. uvicorn is configured not to send lifespan events."""
        service = service_of(scope["path"])
        try:
            self._guard.check(scope)
            body = await read_body(scope, receive, MAX_PACKAGE_BODY if service is Service.FUNCTIONGRAPH else MAX_BODY)
            if body is None:
                return
            exchange = open_exchange(scope, receive, send, body)
            if depth_of(body) > MAX_DEPTH:
                raise gateway_error(400, f"the body is nested more than {MAX_DEPTH} levels deep")
            if service is None and scope["path"].startswith("/_local/"):
                check_control(exchange.call, self._cloud.credentials, self._cloud.region.clock, scope)
        except CloudError as refused:
            await self._refuse(open_exchange(scope, receive, send, b""), service, refused)
            return
        if service is None:
            response = await exchange.run(self._app)
            self._cloud.store.commit()
            await exchange.respond(response)
        else:
            await self._serve(exchange, service)

    async def _refuse(self, exchange: Exchange, service: Service | None, error: CloudError) -> None:
        body = {"error_msg": error.message, "error_code": error.code, "request_id": exchange.request_id}
        response = json_response(error.status, body)
        if service is not None and not isinstance(error, CallerRefused):
            self._log_call(exchange, service, None, response)
            self._cloud.store.commit()
        await exchange.respond(response)

    async def _serve(self, exchange: Exchange, service: Service) -> None:
        fault = self._cloud.faults.act(exchange.call.method, exchange.path)
        rule = fault.rule if fault else None
        response = await self._response(exchange, service, rule)
        self._log_call(exchange, service, fault, response)
        # Commit before responding: a crash must not undo what the client has seen.
        self._cloud.store.commit()
        if rule is None:
            await exchange.respond(response)
        else:
            await _respond_with_fault(exchange, response, rule)

    async def _response(self, exchange: Exchange, service: Service, rule: FaultRule | None) -> Response:
        if rule is not None and rule.drop == "before":
            return Response(0)  # never sent
        if rule is not None and rule.drop is None:
            instead = fault_response(rule, service, exchange.request_id)
            if instead is not None:
                return instead
        try:
            self._admit(exchange, service)
        except CloudError as error:
            return error_response(error, service, exchange.request_id)
        return await exchange.run(self._app)

    def _admit(self, exchange: Exchange, service: Service) -> None:
        call = exchange.call
        region = self._cloud.region
        signs_in = call.method == "POST" and exchange.path in SIGN_IN
        authenticated = not signs_in or bool({"authorization", "x-auth-token"} & call.headers.keys())
        agency_id = authenticate(call, self._cloud.credentials, region.clock) if authenticated else None
        exchange.scope["state"] |= {"authenticated": authenticated, "agency_id": agency_id}
        if call.headers.get("x-project-id", region.project_id) != region.project_id:
            raise gateway_error(403, "the project of X-Project-Id", code="APIGW.0310")
        in_project = exchange.path.split("/")[2:3] in ([], [region.project_id])
        if service not in {Service.IAM, Service.IAM5} and not in_project:
            raise _wrong_project(service)
        if agency_id is not None and region.switches.enforce_policies:
            documents = self._cloud.iam.documents(agency_id)
            authorize(call.method, exchange.path, documents, service, self._target(call, exchange.path))

    def _target(self, call: Call, path: str) -> Target:
        region = self._cloud.region
        instance_id = instance_in(path)
        instance = None if instance_id is None else self._cloud.dds.instances.get(instance_id)
        project = None if instance is None else instance.enterprise_project_id
        if (call.method, path) == ("POST", f"/v3/{region.project_id}/instances"):
            body = _json(call.body)
            project = str(body.get("enterprise_project_id") or "0") if isinstance(body, dict) else None
        return Target(resources_of(path, region.id, region.domain_id), project)

    def _log_call(self, exchange: Exchange, service: Service, fault: Fault | None, response: Response) -> None:
        call = exchange.call
        status = None if fault is not None and fault.rule.drop else response.status
        self._cloud.requests.add(
            RequestRecord(
                id=exchange.request_id,
                time=text(self._cloud.region.clock.now()),
                method=call.method,
                path=exchange.path,
                query=call.target.partition("?")[2],
                status=status,
                access_key=exchange.scope["state"]["access_key"],
                fault=int(fault.id) if fault else None,
                body=None if service in UNLOGGED else _json(call.body),
            )
        )
        _log.info("%s %s %s", call.method, exchange.path, "connection cut" if status is None else status)


def _wrong_project(service: Service) -> CloudError:
    if service is Service.DDS:
        return dds_error("DBS.280408")
    return smn_error("SMN.0001") if service is Service.SMN else functiongraph_error("FSS.0403")


async def _respond_with_fault(exchange: Exchange, response: Response, rule: FaultRule) -> None:
    try:
        await asyncio.sleep(rule.delay)
    except asyncio.CancelledError:
        # The server is stopping. It does not wait for delayed responses.
        await exchange.cut()
        return
    if rule.drop is not None:
        await exchange.cut()
        return
    if rule.garble:
        response.body = garbled(response.body)
    await exchange.respond(response, truncate=rule.truncate)


def depth_of(body: bytes) -> int:
    """How deep the objects and lists of a JSON text are nested, without parsing it. An upper bound if it is small."""
    brackets = body.count(b"[") + body.count(b"{")
    if brackets <= MAX_DEPTH:
        return brackets
    depth = deepest = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _json(body: bytes) -> Any:
    """The body for the log, without the password of an instance."""
    try:
        content = json.loads(body) if body else None
    except ValueError:
        return body.decode("utf-8", "replace")
    if isinstance(content, dict):
        return {key: "******" if key in _PASSWORDS else value for key, value in content.items()}
    return content

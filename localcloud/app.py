"""The ASGI application: every service on one port, distinguished by path."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from threading import Lock
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from localcloud.admin import routes as admin_routes
from localcloud.callers import Guard
from localcloud.cloud import Cloud
from localcloud.dds import errors as dds_errors
from localcloud.dds import instance_routes
from localcloud.dds import routes as dds_routes
from localcloud.docs_page import HEADERS, docs_page
from localcloud.errors import CloudError, Service, error_body, gateway_error, service_of
from localcloud.functiongraph import errors as functiongraph_errors
from localcloud.functiongraph import routes as functiongraph_routes
from localcloud.gateway import Gateway
from localcloud.iam import routes as iam_routes
from localcloud.openapi import describe
from localcloud.smn import errors as smn_errors
from localcloud.smn import routes as smn_routes


DESCRIPTION = """
IAM, DDS, SMN and FunctionGraph on one port, for the unmodified SDKs. `GET /_local/connection` returns endpoint and
credentials. Calls are authenticated as by the real gateway, with `X-Auth-Token` or `SDK-HMAC-SHA256`. The paths under
`/_local` control the local cloud. They need the same credentials, unless these are fixed.
"""


def make_app(cloud: Cloud, allow_hosts: Iterable[str] = ()) -> ASGIApp:
    """The application that serves `cloud`, behind its gateway. `allow_hosts` are names beside those of loopback."""
    app = Services(cloud)
    app.router.routes += admin_routes.router(cloud).routes
    for path in ("/", "/_local"):
        app.add_api_route(path, _home, include_in_schema=False)
    app.add_exception_handler(CloudError, _cloud_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return HTMLResponse(docs_page(app.openapi()), headers=HEADERS)

    return Gateway(app, cloud, Guard(allow_hosts))


_MAKING_ROUTES = Lock()
"""Several local clouds of a process may make routes at the same time, and pydantic completes their models only once."""


class Services(FastAPI):
    """The services of `cloud`. The routes of a service are made at its first call: those of all take 0.1 s of CPU.

    They are added one by one: FastAPI makes each route again for every router that it includes.
    """

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(
            title="Local Huawei Cloud",
            version="1",
            description=DESCRIPTION,
            redirect_slashes=False,  # the SDKs treat a redirect as a success
            docs_url=None,  # FastAPI's pages load scripts from the internet
            redoc_url=None,
        )
        self._routers: dict[Service, Callable[[], Iterable[APIRouter]]] = {
            Service.IAM: partial(iam_routes.routers, cloud.iam),
            Service.IAM5: partial(iam_routes.identity_routers, cloud.iam),
            Service.DDS: lambda: [*dds_routes.routers(cloud.dds), *instance_routes.routers(cloud.dds)],
            Service.SMN: partial(smn_routes.routers, cloud.smn),
            Service.FUNCTIONGRAPH: partial(functiongraph_routes.routers, cloud.functiongraph),
        }
        self._document: dict[str, Any] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call."""
        service = service_of(scope["path"])
        if service is not None:
            self._make_routes(service)
        await super().__call__(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document of all services."""
        if not self._document:
            for service in Service:
                self._make_routes(service)
            self._document = describe(self)
        return self._document

    def _make_routes(self, service: Service) -> None:
        make = self._routers.get(service)
        if make is not None:
            with _MAKING_ROUTES:
                self.router.routes += [route for router in make() for route in router.routes]
            del self._routers[service]


async def _home() -> Response:
    return RedirectResponse("/docs")


async def _cloud_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, CloudError)  # noqa: S101 - registered for this class only
    service = service_of(request.url.path) or Service.DDS
    request_id = request.state.request_id
    return JSONResponse(error_body(service, error.status, error.code, error.message, request_id), error.status)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
    service = service_of(request.url.path)
    if service is None:
        problems = [{key: problem[key] for key in ("loc", "msg", "type")} for problem in error.errors()]
        return JSONResponse({"detail": problems}, 422)
    return await _cloud_error(request, _INVALID_REQUEST[service](error.errors()))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    if error.status_code == 400:
        # FastAPI's error for a body that is not text.
        problem = {"type": "json_invalid", "loc": ("body",), "msg": "the body is not JSON"}
        return await _invalid(request, RequestValidationError([problem]))
    if service_of(request.url.path) is None:
        return await http_exception_handler(request, error)
    # The gateway knows APIs by method and path: a wrong method is an unknown API.
    return await _cloud_error(request, gateway_error(404))


def _invalid_iam_request(problems: Sequence[dict[str, Any]]) -> CloudError:
    field = ".".join(map(str, problems[0]["loc"][1:]))
    return CloudError(400, "Bad Request", f"{field}: {problems[0]['msg']}")


# The error of each service for FastAPI's list of validation errors.
_INVALID_REQUEST = {
    Service.IAM: _invalid_iam_request,
    Service.IAM5: _invalid_iam_request,
    Service.DDS: dds_errors.invalid_request,
    Service.SMN: smn_errors.invalid_request,
    Service.FUNCTIONGRAPH: functiongraph_errors.invalid_request,
}

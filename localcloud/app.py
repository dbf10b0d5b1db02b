"""The ASGI application: every service on one port, told apart by path."""

from fastapi import FastAPI, Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

from localcloud.admin import control, fault_rules, functions, inspection, resources
from localcloud.cloud import Cloud
from localcloud.dds import errors as dds_errors
from localcloud.dds import routes as dds_routes
from localcloud.errors import CloudError, Service, error_body, gateway_error, service_of
from localcloud.functiongraph import async_routes, function_routes, invocation_routes, trigger_routes
from localcloud.functiongraph import errors as functiongraph_errors
from localcloud.gateway import Gateway
from localcloud.iam import routes as iam_routes
from localcloud.openapi import describe
from localcloud.smn import errors as smn_errors
from localcloud.smn import routes as smn_routes


DESCRIPTION = """
IAM, DDS, SMN and FunctionGraph on one port, for the unmodified SDKs: `GET /_local/connection` has endpoint and
credentials for them. Calls are authenticated as the real gateway does it, by `X-Auth-Token` or `SDK-HMAC-SHA256`; what
is under `/_local` is for you, and needs none.
"""


def make_app(cloud: Cloud) -> ASGIApp:
    """The application that serves `cloud`, the gateway in front."""
    app = FastAPI(
        title="Local Huawei Cloud",
        version="1",
        description=DESCRIPTION,
        generate_unique_id_function=lambda route: route.name,
        redirect_slashes=False,  # an SDK takes a redirect for a success
    )
    app.include_router(iam_routes.routes(cloud.iam))
    app.include_router(dds_routes.routes(cloud.dds))
    app.include_router(smn_routes.routes(cloud.smn))
    functiongraph = cloud.functiongraph
    app.include_router(function_routes.routes(functiongraph.functions, functiongraph.triggers))
    app.include_router(async_routes.routes(functiongraph.functions))
    app.include_router(trigger_routes.routes(functiongraph.functions, functiongraph.triggers))
    app.include_router(invocation_routes.routes(functiongraph))
    app.include_router(functions.routes(functiongraph))
    app.include_router(inspection.routes(cloud))
    app.include_router(control.routes(cloud))
    app.include_router(fault_rules.routes(cloud))
    app.include_router(resources.routes(cloud))
    for path in ("/", "/_local"):
        app.add_api_route(path, _home, include_in_schema=False)
    app.add_exception_handler(CloudError, _cloud_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    describe(app)
    return Gateway(app, cloud)


async def _home() -> Response:
    return RedirectResponse("/docs")


async def _cloud_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, CloudError)  # noqa: S101 - registered for nothing else
    service = service_of(request.url.path) or Service.DDS
    request_id = request.state.request_id
    return JSONResponse(error_body(service, error.status, error.code, error.message, request_id), error.status)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for nothing else
    service = service_of(request.url.path)
    if service is None:
        problems = [{key: problem[key] for key in ("loc", "msg", "type")} for problem in error.errors()]
        return JSONResponse({"detail": problems}, 422)
    if service is Service.DDS:
        return await _cloud_error(request, dds_errors.invalid_request(error.errors()))
    if service is Service.SMN:
        return await _cloud_error(request, smn_errors.invalid_request(error.errors()))
    if service is Service.FUNCTIONGRAPH:
        return await _cloud_error(request, functiongraph_errors.invalid_request(error.errors()))
    problem = error.errors()[0]
    where = ".".join(map(str, problem["loc"][1:]))
    return await _cloud_error(request, CloudError(400, "Bad Request", f"{where}: {problem['msg']}"))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    if error.status_code == 400:
        # FastAPI's word for a body that is no text.
        problem = {"type": "json_invalid", "loc": ("body",), "msg": "the body is no JSON"}
        return await _invalid(request, RequestValidationError([problem]))
    if service_of(request.url.path) is None:
        return await http_exception_handler(request, error)
    # The gateway knows methods and paths together: a wrong method is an unknown API to it.
    return await _cloud_error(request, gateway_error(404))

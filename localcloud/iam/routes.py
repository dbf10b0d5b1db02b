"""The HTTP side of IAM: tokens, temporary access keys, projects, the account."""

from fastapi import APIRouter, Request, Response

from localcloud.auth.credentials import Credentials
from localcloud.iam import projects, schemas, service
from localcloud.iam.agencies import Agencies


def routes(agencies: Agencies, credentials: Credentials) -> APIRouter:
    """IAM, `/v3/auth`, `/v3/projects` and `/v3.0/OS-CREDENTIAL/securitytokens`."""
    router = APIRouter(tags=["IAM"])
    region = agencies.region

    @router.post("/v3/auth/tokens", status_code=201, response_model_exclude_none=True)
    async def create_token(body: schemas.CreateToken, request: Request, response: Response) -> schemas.TokenAnswer:
        """A token for X-Auth-Token, in the header X-Subject-Token. Any user and password will do."""
        token, answer = service.create_token(
            agencies, credentials, body.auth, authenticated=request.state.authenticated, url=_url(request)
        )
        response.headers["X-Subject-Token"] = token.id
        return answer

    @router.post("/v3.0/OS-CREDENTIAL/securitytokens", status_code=201)
    async def create_temporary_access_key(
        body: schemas.CreateTemporaryKey, request: Request
    ) -> schemas.TemporaryKeyAnswer:
        """A temporary access key with its security token."""
        return service.create_temporary_key(
            agencies,
            credentials,
            body.auth,
            caller=request.state.agency_id,
            authenticated=request.state.authenticated,
        )

    @router.get("/v3/projects")
    async def list_projects(request: Request, name: str | None = None) -> schemas.Projects:
        """The project."""
        return projects.projects(region, name, _url(request))

    @router.get("/v3/auth/domains")
    async def list_auth_domains(request: Request) -> schemas.Domains:
        """The account."""
        return projects.domains(region, _url(request))

    return router


def _url(request: Request) -> str:
    return str(request.base_url).rstrip("/")

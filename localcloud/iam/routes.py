"""The HTTP side of IAM."""

from fastapi import APIRouter, Request, Response

from localcloud.auth.credentials import Credentials
from localcloud.iam import schemas, service
from localcloud.region import Region


def routes(region: Region, credentials: Credentials) -> APIRouter:
    """IAM, `/v3/auth/tokens`, `/v3/projects` and `/v3.0/OS-CREDENTIAL/securitytokens`."""
    router = APIRouter(tags=["IAM"])

    @router.post("/v3/auth/tokens", status_code=201, response_model_exclude_none=True)
    async def create_token(body: schemas.CreateToken, request: Request, response: Response) -> schemas.TokenAnswer:
        """A token for X-Auth-Token, in the header X-Subject-Token. Any user and password will do."""
        token, answer = service.create_token(
            region,
            credentials,
            body.auth,
            authenticated=request.state.authenticated,
            url=str(request.base_url).rstrip("/"),
        )
        response.headers["X-Subject-Token"] = token.id
        return answer

    @router.get("/v3/projects")
    async def list_projects(request: Request, name: str | None = None) -> schemas.Projects:
        """The project."""
        return service.projects(region, name, str(request.base_url).rstrip("/"))

    @router.post("/v3.0/OS-CREDENTIAL/securitytokens", status_code=201)
    async def create_temporary_access_key(
        body: schemas.CreateTemporaryKey, request: Request
    ) -> schemas.TemporaryKeyAnswer:
        """A temporary access key with its security token."""
        return service.create_temporary_key(region, credentials, body.auth, authenticated=request.state.authenticated)

    return router

"""What IAM does. It knows no users: any name and password will do, as in other local clouds."""

import uuid
from typing import Any

from localcloud.auth.authenticate import check_token
from localcloud.auth.credentials import Credentials, Token
from localcloud.clock import text
from localcloud.errors import CloudError
from localcloud.iam import schemas
from localcloud.region import Region


DAY = 86_400
TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
_NAMESPACE = uuid.UUID("a2c9d1be-4f5d-5f0f-9d43-7e4c0d1f2b68")
SERVICES = {"iam": "identity", "dds": "ddsv3", "smn": "smn"}


def create_token(
    region: Region, credentials: Credentials, auth: schemas.TokenAuth, *, authenticated: bool, url: str
) -> tuple[Token, schemas.TokenAnswer]:
    """A token for X-Auth-Token, good for a day, with the project and the endpoints at `url`.

    Raises 401 for an agency's token asked for by nobody or a project that does not exist, 400 for a method without
    its part of the body.
    """
    identity = auth.identity
    method = identity.methods[0]
    if method == "password":
        if identity.password is None:
            raise _bad_request("identity.password is missing")
        user = _user(region, identity.password.user.name, identity.password.user.domain.name)
        seconds = DAY
    else:
        if identity.assume_role is None:
            raise _bad_request("identity.assume_role is missing")
        if not authenticated:
            raise unauthorized()
        user = _user(region, _agency(region, identity.assume_role), region.domain_name)
        seconds = identity.assume_role.duration_seconds or DAY
    scope = auth.scope or schemas.Scope(project={"id": region.project_id})
    if scope.project is not None:
        _check_project(region, scope.project)
    now = region.clock.now()
    token = credentials.issue_token(now + seconds)
    domain = schemas.Domain(id=region.domain_id, name=region.domain_name)
    in_project = scope.project is not None
    return token, schemas.TokenAnswer(
        token=schemas.Token(
            methods=[method],
            issued_at=text(now, TIME),
            expires_at=text(now + seconds, TIME),
            project=schemas.TokenProject(id=region.project_id, name=region.id, domain=domain) if in_project else None,
            domain=None if in_project else domain,
            user=user,
            roles=[schemas.Role(id="0", name="te_admin")],
            catalog=_catalog(region, url),
        )
    )


def create_temporary_key(
    region: Region, credentials: Credentials, auth: schemas.KeyAuth, *, authenticated: bool
) -> schemas.TemporaryKeyAnswer:
    """An access key with a security token that expires after duration_seconds (900 to 86400, 900 by default).

    Who has no credentials in the headers needs identity.token.id. Raises 401 without either.
    """
    identity = auth.identity
    if not authenticated:
        check_token(identity.token.id if identity.token else None, credentials, region.clock.now())
    if identity.methods == ["assume_role"]:
        if identity.assume_role is None:
            raise _bad_request("identity.assume_role is missing")
        _agency(region, identity.assume_role)
        seconds = identity.assume_role.duration_seconds or 900
    else:
        seconds = identity.token.duration_seconds if identity.token else 900
    expires_at = region.clock.now() + seconds
    key = credentials.issue_key(expires_at)
    return schemas.TemporaryKeyAnswer(
        credential=schemas.TemporaryKey(
            access=key.id,
            secret=key.secret,
            securitytoken=key.security_token or "",
            expires_at=text(expires_at, TIME),
        )
    )


def projects(region: Region, name: str | None, url: str) -> schemas.Projects:
    """The project, unless another name is asked for."""
    found = [
        schemas.Project(
            id=region.project_id,
            name=region.id,
            description="",
            domain_id=region.domain_id,
            parent_id=region.domain_id,
            enabled=True,
            is_domain=False,
            links=schemas.Links(self=f"{url}/v3/projects/{region.project_id}"),
        )
    ]
    return schemas.Projects(
        projects=[project for project in found if name in (None, project.name)],
        links=schemas.Links(self=f"{url}/v3/projects"),
    )


def unauthorized() -> CloudError:
    """The 401 of IAM."""
    return CloudError(401, "Unauthorized", "The request you have made requires authentication.")


def _bad_request(message: str) -> CloudError:
    return CloudError(400, "Bad Request", message)


def _agency(region: Region, role: schemas.AssumeRole) -> str:
    if role.domain_name is None and role.domain_id is None:
        raise _bad_request("assume_role needs domain_name or domain_id")
    agency = role.agency_name or role.xrole_name
    if not agency:
        raise _bad_request("assume_role needs agency_name")
    return f"{region.domain_name}/{agency}"


def _check_project(region: Region, project: dict[str, Any]) -> None:
    if not project.keys() & {"id", "name"}:
        raise _bad_request("scope.project needs id or name")
    if project.get("id", region.project_id) != region.project_id or project.get("name", region.id) != region.id:
        raise CloudError(401, "Unauthorized", "The project of the scope does not exist.")


def _user(region: Region, name: str, domain: str) -> schemas.TokenUser:
    return schemas.TokenUser(
        id=uuid.uuid5(_NAMESPACE, name).hex, name=name, domain=schemas.Domain(id=region.domain_id, name=domain)
    )


def _catalog(region: Region, url: str) -> list[schemas.CatalogEntry]:
    paths = {"iam": "/v3", "dds": f"/v3/{region.project_id}", "smn": f"/v2/{region.project_id}"}
    return [
        schemas.CatalogEntry(
            id=uuid.uuid5(_NAMESPACE, name).hex,
            name=name,
            type=kind,
            endpoints=[
                schemas.Endpoint(
                    id=uuid.uuid5(_NAMESPACE, f"{name}/endpoint").hex,
                    interface="public",
                    region=region.id,
                    region_id=region.id,
                    url=url + paths[name],
                )
            ],
        )
        for name, kind in SERVICES.items()
    ]

"""Tokens and temporary access keys.

There are no users: any name is accepted. The password is the secret key; with fixed credentials any one is accepted.
"""

import hmac
import uuid
from typing import Any

from localcloud.auth.authentication import check_token
from localcloud.auth.credentials import Owner, Token
from localcloud.clock import text
from localcloud.iam import agencies, schemas
from localcloud.iam.errors import bad_request, forbidden, unauthorized
from localcloud.iam.state import IamState
from localcloud.region import Region


DAY = 86_400
TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
_NAMESPACE = uuid.UUID("a2c9d1be-4f5d-5f0f-9d43-7e4c0d1f2b68")
SERVICES = {"iam": "identity", "dds": "ddsv3", "smn": "smn"}


def create_token(
    state: IamState, auth: schemas.TokenAuth, *, authenticated: bool, url: str
) -> tuple[Token, schemas.TokenResponse]:
    """Issue a token for X-Auth-Token, valid for a day by default. The catalog has endpoints below `url`.

    Raises 401 for a wrong password, an agency token requested without credentials and an unknown project, 404 for an
    unknown agency, 400 for a method whose part of the body is missing.
    """
    region = state.region
    identity = auth.identity
    method = identity.methods[0]
    agency_id = None
    if method == "password":
        if identity.password is None:
            raise bad_request("identity.password is missing")
        _check_password(state.credentials.owner, identity.password.user.password)
        user = _user(region, identity.password.user.name, identity.password.user.domain.name)
        seconds = DAY
    else:
        role, name = _assumed(identity.assume_role)
        if not authenticated:
            raise unauthorized()
        agency_id = agencies.named(state, name).id
        user = _user(region, f"{region.domain_name}/{name}", region.domain_name)
        seconds = role.duration_seconds or DAY
    scope = auth.scope or schemas.Scope(project={"id": region.project_id})
    if scope.project is not None:
        _check_project(region, scope.project)
    now = region.clock.now()
    token = state.credentials.issue_token(now + seconds, agency_id)
    domain = schemas.Domain(id=region.domain_id, name=region.domain_name)
    in_project = scope.project is not None
    return token, schemas.TokenResponse(
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
    state: IamState, auth: schemas.KeyAuth, *, caller: str | None, authenticated: bool
) -> schemas.TemporaryKeyResponse:
    """Issue an access key with a security token that expires after duration_seconds (900 to 86400, default 900).

    `caller` is the id of the agency that makes the call, None for a user. An agency gets a key of its own. A call
    without credentials in its headers needs identity.token.id. Raises 401 without either, 404 for an unknown agency,
    403 for an agency that assumes another one while policies are enforced: no policy can allow that here.
    """
    clock = state.region.clock
    identity = auth.identity
    if not authenticated:
        caller = check_token(identity.token.id if identity.token else None, state.credentials, clock.now()).agency_id
    if identity.methods == ["assume_role"]:
        if caller is not None and state.region.switches.enforce_policies:
            raise forbidden()
        role, name = _assumed(identity.assume_role)
        caller = agencies.named(state, name).id
        seconds = role.duration_seconds or 900
    else:
        seconds = identity.token.duration_seconds if identity.token else 900
    expires_at = clock.now() + seconds
    key = state.credentials.issue_key(expires_at, caller)
    return schemas.TemporaryKeyResponse(
        credential=schemas.TemporaryKey(
            access=key.id,
            secret=key.secret,
            securitytoken=key.security_token or "",
            expires_at=text(expires_at, TIME),
        )
    )


def _assumed(role: schemas.AssumeRole | None) -> tuple[schemas.AssumeRole, str]:
    if role is None:
        raise bad_request("identity.assume_role is missing")
    if role.domain_name is None and role.domain_id is None:
        raise bad_request("assume_role requires domain_name or domain_id")
    agency = role.agency_name or role.xrole_name
    if not agency:
        raise bad_request("assume_role requires agency_name")
    return role, agency


def _check_password(owner: Owner, password: str) -> None:
    if not owner.is_fixed and not hmac.compare_digest(
        password.encode(errors="surrogatepass"), owner.secret_key.encode()
    ):
        raise unauthorized("The username or password is wrong: the password is the secret key of the local cloud.")


def _check_project(region: Region, project: dict[str, Any]) -> None:
    if not project.keys() & {"id", "name"}:
        raise bad_request("scope.project requires id or name")
    if project.get("id", region.project_id) != region.project_id or project.get("name", region.id) != region.id:
        raise unauthorized("The project of the scope does not exist.")


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

"""The bodies of IAM requests and answers (IAM API: Obtaining a User Token, an Agency Token, a Temporary Access Key)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field


Name = Annotated[str, Field(min_length=1)]


class ErrorDetail(BaseModel):
    code: int
    message: str
    title: str


class Error(BaseModel):
    """An error of IAM."""

    error: ErrorDetail


class Scope(BaseModel):
    """The project by id or name, or the domain; the only project when left out."""

    project: dict[str, Any] | None = None
    domain: dict[str, Any] | None = None


class DomainName(BaseModel):
    name: Name


class User(BaseModel):
    name: Name
    password: Name
    domain: DomainName


class Password(BaseModel):
    user: User


class AssumeRole(BaseModel):
    """agency_name, formerly xrole_name, names the agency."""

    domain_name: str | None = None
    domain_id: str | None = None
    agency_name: str | None = None
    xrole_name: str | None = None
    duration_seconds: Annotated[int | None, Field(ge=900, le=86_400)] = None


class TokenIdentity(BaseModel):
    methods: Annotated[list[Literal["password", "assume_role"]], Field(min_length=1, max_length=1)]
    password: Password | None = None
    assume_role: AssumeRole | None = None


class TokenAuth(BaseModel):
    identity: TokenIdentity
    scope: Scope | None = None


class CreateToken(BaseModel):
    auth: TokenAuth


class Endpoint(BaseModel):
    id: str
    interface: str
    region: str
    region_id: str
    url: str


class CatalogEntry(BaseModel):
    id: str
    name: str
    type: str
    endpoints: list[Endpoint]


class Domain(BaseModel):
    id: str
    name: str


class TokenProject(BaseModel):
    id: str
    name: str
    domain: Domain


class TokenUser(BaseModel):
    id: str
    name: str
    domain: Domain


class Role(BaseModel):
    id: str
    name: str


class Token(BaseModel):
    methods: list[str]
    issued_at: str
    expires_at: str
    project: TokenProject | None = None
    domain: Domain | None = None
    user: TokenUser
    roles: list[Role]
    catalog: list[CatalogEntry]


class TokenAnswer(BaseModel):
    token: Token


class SessionToken(BaseModel):
    id: str | None = None
    duration_seconds: Annotated[int, Field(ge=900, le=86_400)] = 900


class KeyIdentity(BaseModel):
    methods: Annotated[list[Literal["token", "assume_role"]], Field(min_length=1, max_length=1)]
    token: SessionToken | None = None
    assume_role: AssumeRole | None = None
    policy: dict[str, Any] | None = None


class KeyAuth(BaseModel):
    identity: KeyIdentity


class CreateTemporaryKey(BaseModel):
    auth: KeyAuth


class TemporaryKey(BaseModel):
    access: str
    secret: str
    securitytoken: str
    expires_at: str


class TemporaryKeyAnswer(BaseModel):
    credential: TemporaryKey


class Links(BaseModel):
    self: str
    next: str | None = None
    previous: str | None = None


class Project(BaseModel):
    id: str
    name: str
    description: str
    domain_id: str
    parent_id: str
    enabled: bool
    is_domain: bool
    links: Links


class Projects(BaseModel):
    projects: list[Project]
    links: Links


class Account(BaseModel):
    id: str
    name: str
    enabled: bool
    description: str
    links: Links


class Domains(BaseModel):
    domains: list[Account]
    links: Links

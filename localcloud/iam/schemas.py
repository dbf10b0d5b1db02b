"""The bodies of requests and responses about tokens, temporary access keys, projects and agencies.

Sources: IAM API, Obtaining a User Token, Obtaining an Agency Token, Obtaining a Temporary Access Key, Project
Management, Account Management, Agency Management.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, model_validator


Text = Annotated[str, Field(min_length=1)]
# The number of days has no documented limit. This one keeps the end within the years that a timestamp can have.
Days = Annotated[int, Field(ge=1, le=999_999)]
Duration = Literal["FOREVER", "ONEDAY"] | Days | Annotated[str, Field(pattern="^[1-9][0-9]{0,5}$")]
DAY_IN_HOURS = 24


class ErrorDetail(BaseModel):
    code: int
    message: str
    title: str


class Error(BaseModel):
    """An IAM error."""

    error: ErrorDetail


class Scope(BaseModel):
    """The project by id or name, or the domain. The default is the only project."""

    project: dict[str, Any] | None = None
    domain: dict[str, Any] | None = None


class DomainName(BaseModel):
    name: Text


class User(BaseModel):
    name: Text
    password: Text
    domain: DomainName


class Password(BaseModel):
    user: User


class AssumeRole(BaseModel):
    """The agency is `agency_name`, formerly `xrole_name`."""

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


class TokenResponse(BaseModel):
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


class TemporaryKeyResponse(BaseModel):
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


class Trust(BaseModel):
    """Who can act for the account, and for how long: FOREVER, ONEDAY, or a number of days."""

    trust_domain_id: Annotated[str | None, Field(min_length=1)] = None
    trust_domain_name: Annotated[str | None, Field(min_length=1)] = None
    description: Annotated[str | None, Field(max_length=255)] = None
    duration: Duration | None = None

    def hours(self) -> int | None:
        """The duration in hours, or None for FOREVER."""
        if self.duration in (None, "FOREVER"):
            return None
        return DAY_IN_HOURS * (1 if self.duration == "ONEDAY" else int(self.duration or 0))


class NewAgency(Trust):
    name: Annotated[str, Field(min_length=1, max_length=64)]
    domain_id: str

    @model_validator(mode="after")
    def _names_the_trusted(self) -> "NewAgency":
        if not (self.trust_domain_id or self.trust_domain_name):
            raise ValueError("'trust_domain_id' or 'trust_domain_name' is a required property")
        return self


class AgencyUpdate(Trust):
    @model_validator(mode="after")
    def _changes_a_field(self) -> "AgencyUpdate":
        if not self.model_fields_set:
            raise ValueError(f"at least one of {', '.join(type(self).model_fields)} is required")
        return self


class CreateAgency(BaseModel):
    agency: NewAgency


class UpdateAgency(BaseModel):
    agency: AgencyUpdate


class ChangedAgency(BaseModel):
    """An agency as creating and modifying it return it."""

    id: str
    name: str
    domain_id: str
    trust_domain_id: str
    description: str
    duration: str
    expire_time: str | None
    create_time: str


class Agency(ChangedAgency):
    """An agency as querying returns it."""

    trust_domain_name: str


class ChangedAgencyResponse(BaseModel):
    agency: ChangedAgency


class AgencyResponse(BaseModel):
    agency: Agency


class Agencies(BaseModel):
    agencies: list[Agency]

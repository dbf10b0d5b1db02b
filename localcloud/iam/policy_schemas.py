"""The bodies of custom policies (IAM API, Custom Policy Management)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


Action = Annotated[str, Field(pattern=r"^[a-z0-9*-]+:[A-Za-z0-9*_-]+:[A-Za-z0-9*_-]+$")]
Text = Annotated[str, Field(min_length=1)]


class AgencyResource(BaseModel):
    """The agencies that an agency custom policy is about."""

    uri: Annotated[list[str], Field(min_length=1)]


class Statement(BaseModel):
    """What is allowed or denied. Other resources and conditions cannot be evaluated here, and are refused."""

    model_config = ConfigDict(extra="forbid")

    effect: Annotated[Literal["Allow", "Deny"], Field(alias="Effect")]
    action: Annotated[list[Action], Field(alias="Action", min_length=1, max_length=100)]
    resource: Annotated[AgencyResource | None, Field(alias="Resource")] = None


class Policy(BaseModel):
    """The content of a custom policy."""

    model_config = ConfigDict(extra="forbid")

    version: Annotated[Literal["1.1"], Field(alias="Version")]
    statement: Annotated[list[Statement], Field(alias="Statement", min_length=1, max_length=8)]


class PolicyOption(BaseModel):
    """A custom policy as it is created and modified."""

    display_name: Text
    type: Literal["AX", "XA"]
    description: str
    description_cn: str = ""
    policy: Policy


class Role(BaseModel):
    role: PolicyOption


class Link(BaseModel):
    self: str


class CustomPolicy(BaseModel):
    """A custom policy as IAM answers it; times are milliseconds since the epoch."""

    id: str
    name: str
    display_name: str
    type: str
    description: str
    description_cn: str
    catalog: str
    domain_id: str
    policy: dict[str, Any]
    references: int
    created_time: str
    updated_time: str
    links: Link


class CustomPolicyAnswer(BaseModel):
    role: CustomPolicy


class Links(BaseModel):
    self: str
    next: str | None = None
    previous: str | None = None


class CustomPolicies(BaseModel):
    roles: list[CustomPolicy]
    links: Links
    total_number: int


class GrantedPolicies(BaseModel):
    roles: list[CustomPolicy]

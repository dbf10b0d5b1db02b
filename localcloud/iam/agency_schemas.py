"""The bodies of agencies (IAM API, Agency Management)."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator


Name = Annotated[str, Field(min_length=1, max_length=64)]
Description = Annotated[str, Field(max_length=255)]
Days = Annotated[int, Field(ge=1)]
Duration = Literal["FOREVER", "ONEDAY"] | Days | Annotated[str, Field(pattern="^[1-9][0-9]{0,5}$")]
DAY_IN_HOURS = 24


class Trust(BaseModel):
    """Who may act for the account, and for how long: for ever, for a day, or for so many days."""

    trust_domain_id: Annotated[str | None, Field(min_length=1)] = None
    trust_domain_name: Annotated[str | None, Field(min_length=1)] = None
    description: Description | None = None
    duration: Duration | None = None

    def hours(self) -> int | None:
        """The duration in hours, None for ever."""
        if self.duration in (None, "FOREVER"):
            return None
        return DAY_IN_HOURS * (1 if self.duration == "ONEDAY" else int(self.duration or 0))


class NewAgency(Trust):
    name: Name
    domain_id: str

    @model_validator(mode="after")
    def _trusts_somebody(self) -> "NewAgency":
        if not (self.trust_domain_id or self.trust_domain_name):
            raise ValueError("'trust_domain_id' or 'trust_domain_name' is a required property")
        return self


class AgencyUpdate(Trust):
    @model_validator(mode="after")
    def _changes_something(self) -> "AgencyUpdate":
        if not self.model_fields_set:
            raise ValueError(f"at least one of {', '.join(type(self).model_fields)} is required")
        return self


class CreateAgency(BaseModel):
    agency: NewAgency


class UpdateAgency(BaseModel):
    agency: AgencyUpdate


class ChangedAgency(BaseModel):
    """An agency as creating and modifying it answer."""

    id: str
    name: str
    domain_id: str
    trust_domain_id: str
    description: str
    duration: str
    expire_time: str | None
    create_time: str


class Agency(ChangedAgency):
    """An agency as querying answers."""

    trust_domain_name: str


class ChangedAgencyAnswer(BaseModel):
    agency: ChangedAgency


class AgencyAnswer(BaseModel):
    agency: Agency


class Agencies(BaseModel):
    agencies: list[Agency]

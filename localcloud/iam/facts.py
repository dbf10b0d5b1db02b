"""What is stored of IAM. Times are seconds since the epoch (UTC)."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency: who acts for the account. It lasts for so many hours, None for ever."""

    id: str
    name: str
    trust_domain_id: str
    trust_domain_name: str
    description: str
    hours: int | None
    created: float


@dataclass(frozen=True, slots=True)
class CustomPolicy:
    """A custom policy; `type` is XA for one of project-level services and AX for one of global services."""

    id: str
    name: str
    display_name: str
    type: str
    description: str
    description_cn: str
    document: dict[str, Any]
    created: float
    updated: float


@dataclass(frozen=True, slots=True)
class Grant:
    """A custom policy granted to an agency. `scope` is ``projects/ID``, ``domains/ID`` or ``all-projects``."""

    id: str
    scope: str
    agency_id: str
    policy_id: str


@dataclass(frozen=True, slots=True)
class IdentityPolicy:
    """A custom identity policy."""

    id: str
    name: str
    path: str
    description: str
    document: dict[str, Any]
    created: float


@dataclass(frozen=True, slots=True)
class Attachment:
    """An identity policy attached to an agency."""

    id: str
    agency_id: str
    policy_id: str
    attached: float

"""Agencies (IAM API, Agency Management) and the temporary access keys to act as one."""

import uuid
from dataclasses import replace

from localcloud.auth.credentials import AccessKey
from localcloud.clock import text
from localcloud.iam import schemas
from localcloud.iam.errors import conflict, not_found
from localcloud.iam.state import Agency, IamState


TIME = "%Y-%m-%dT%H:%M:%S.%f"
_NAMESPACE = uuid.UUID("6d5e1c0a-27b1-5c57-9a53-0a6f4a1d7c42")


def create(state: IamState, new: schemas.NewAgency) -> Agency:
    """Create an agency. Raises 404 for another account, 409 if the name is taken."""
    if new.domain_id != state.region.domain_id:
        raise not_found("domain", new.domain_id)
    if any(agency.name == new.name for agency in state.agencies):
        raise conflict(f"The agency {new.name} already exists.")
    trusted_id, trusted_name = _trusted(new)
    agency = Agency(
        id=uuid.uuid4().hex,
        name=new.name,
        trust_domain_id=trusted_id,
        trust_domain_name=trusted_name,
        description=new.description or "",
        hours=new.hours(),
        created=state.region.clock.now(),
    )
    state.agencies.put(agency)
    return agency


def update(state: IamState, agency_id: str, change: schemas.AgencyUpdate) -> Agency:
    """Change the given fields of an agency. Raises 404."""
    agency = state.agency(agency_id)
    if change.trust_domain_id or change.trust_domain_name:
        trusted_id, trusted_name = _trusted(change)
        agency = replace(agency, trust_domain_id=trusted_id, trust_domain_name=trusted_name)
    if change.description is not None:
        agency = replace(agency, description=change.description)
    if change.duration is not None:
        agency = replace(agency, hours=change.hours())
    state.agencies.put(agency)
    return agency


def delete(state: IamState, agency_id: str) -> None:
    """Delete an agency, and revoke and detach its policies. Raises 404."""
    state.agencies.remove(state.agency(agency_id).id)
    for grant in [grant for grant in state.grants if grant.agency_id == agency_id]:
        state.grants.remove(grant.id)
    for attachment in [attachment for attachment in state.attachments if attachment.agency_id == agency_id]:
        state.attachments.remove(attachment.id)


def named(state: IamState, name: str) -> Agency:
    """The agency with this name. Raises 404 if there is none or it has expired."""
    now = state.region.clock.now()
    for agency in state.agencies:
        if agency.name == name and (agency.expires_at is None or now < agency.expires_at):
            return agency
    raise not_found("agency", name)


def temporary_credentials(state: IamState, name: str, seconds: float) -> AccessKey:
    """A temporary access key with the permissions of the agency `name`, valid for `seconds`.

    Raises CloudError 404 if there is no such agency.
    """
    return state.credentials.issue_key(state.region.clock.now() + seconds, named(state, name).id)


def view(state: IamState, agency: Agency) -> schemas.Agency:
    """An agency as querying returns it."""
    return schemas.Agency(
        id=agency.id,
        name=agency.name,
        domain_id=state.region.domain_id,
        trust_domain_id=agency.trust_domain_id,
        trust_domain_name=agency.trust_domain_name,
        description=agency.description,
        duration="FOREVER" if agency.hours is None else str(agency.hours),
        create_time=text(agency.created, TIME),
        expire_time=None if agency.expires_at is None else text(agency.expires_at, TIME),
    )


def _trusted(trust: schemas.Trust) -> tuple[str, str]:
    # There is no list of accounts here, so a missing name is the id, and a missing id is derived from the name.
    name = trust.trust_domain_name or trust.trust_domain_id or ""
    return trust.trust_domain_id or uuid.uuid5(_NAMESPACE, name).hex, name

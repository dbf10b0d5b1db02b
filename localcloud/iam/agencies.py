"""Agencies (IAM API, Agency Management) and the credentials of those who act under them."""

import uuid
from dataclasses import replace

from localcloud.auth.credentials import AccessKey, Credentials
from localcloud.iam.agency_schemas import AgencyUpdate, NewAgency, Trust
from localcloud.iam.errors import conflict, not_found
from localcloud.iam.facts import Agency
from localcloud.region import Region
from localcloud.store import Store


HOUR = 3600
_NAMESPACE = uuid.UUID("6d5e1c0a-27b1-5c57-9a53-0a6f4a1d7c42")


class Agencies:
    """The agencies of the account."""

    def __init__(self, region: Region, store: Store, credentials: Credentials) -> None:
        self.region = region
        self.table = store.table("agency", Agency)
        self._credentials = credentials

    def create(self, new: NewAgency) -> Agency:
        """Create an agency. Raises 404 for another account, 409 when there is one of that name."""
        if new.domain_id != self.region.domain_id:
            raise not_found("domain", new.domain_id)
        if any(agency.name == new.name for agency in self.table):
            raise conflict(f"The agency {new.name} already exists.")
        agency = Agency(
            uuid.uuid4().hex, new.name, *_trusted(new), new.description or "", new.hours(), self.region.clock.now()
        )
        self.table.put(agency)
        return agency

    def update(self, agency_id: str, change: AgencyUpdate) -> Agency:
        """Change an agency; what is left out stays. Raises 404."""
        agency = self.find(agency_id)
        if change.trust_domain_id or change.trust_domain_name:
            trusted_id, trusted_name = _trusted(change)
            agency = replace(agency, trust_domain_id=trusted_id, trust_domain_name=trusted_name)
        if change.description is not None:
            agency = replace(agency, description=change.description)
        if change.duration is not None:
            agency = replace(agency, hours=change.hours())
        self.table.put(agency)
        return agency

    def find(self, agency_id: str) -> Agency:
        """The agency with this id. Raises 404."""
        agency = self.table.get(agency_id)
        if agency is None:
            raise not_found("agency", agency_id)
        return agency

    def named(self, name: str) -> Agency:
        """The agency of this name. Raises 404 when there is none or its time is over."""
        now = self.region.clock.now()
        for agency in self.table:
            if agency.name == name and (agency.hours is None or now < agency.created + agency.hours * HOUR):
                return agency
        raise not_found("agency", name)

    def temporary_credentials(self, name: str, seconds: float) -> AccessKey:
        """A temporary access key that may do what the policies of the agency `name` allow, good for so many seconds.

        Raises CloudError 404 when there is no such agency.
        """
        return self._credentials.issue_key(self.region.clock.now() + seconds, self.named(name).id)


def _trusted(trust: Trust) -> tuple[str, str]:
    # Accounts are not known here: whichever of id and name is left out is made up from the other, always alike.
    name = trust.trust_domain_name or trust.trust_domain_id or ""
    return trust.trust_domain_id or uuid.uuid5(_NAMESPACE, name).hex, name

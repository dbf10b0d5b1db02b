"""The HTTP side of agencies."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query

from localcloud.clock import text
from localcloud.iam import agency_schemas as schemas
from localcloud.iam.agencies import HOUR, Agencies
from localcloud.iam.facts import Agency
from localcloud.iam.pages import Page, page_of
from localcloud.iam.state import IamState


TIME = "%Y-%m-%dT%H:%M:%S.%f"
PerPage = Annotated[int | None, Query(ge=1, le=500)]


def routes(state: IamState) -> APIRouter:
    """Agencies, `/v3.0/OS-AGENCY/agencies`."""
    agencies = state.agencies
    router = APIRouter(prefix="/v3.0/OS-AGENCY/agencies", tags=["IAM agencies"])

    @router.post("", status_code=201)
    async def create_agency(body: schemas.CreateAgency) -> schemas.ChangedAgencyAnswer:
        """Create an agency: let an account or a service (FunctionGraph is op_svc_cff) act for this one."""
        agency = agencies.create(body.agency)
        return schemas.ChangedAgencyAnswer(agency=schemas.ChangedAgency(**_view(agencies, agency)))

    @router.get("")
    async def list_agencies(
        domain_id: str,
        name: str | None = None,
        trust_domain_id: str | None = None,
        page: Page = None,
        per_page: PerPage = None,
    ) -> schemas.Agencies:
        """List agencies."""
        found = [
            agency
            for agency in agencies.table
            if domain_id == agencies.region.domain_id
            and name in (None, agency.name)
            and trust_domain_id in (None, agency.trust_domain_id)
        ]
        shown = page_of(found, page, per_page)
        return schemas.Agencies(agencies=[schemas.Agency(**_view(agencies, agency)) for agency in shown])

    @router.get("/{agency_id}")
    async def show_agency(agency_id: str) -> schemas.AgencyAnswer:
        """One agency."""
        return schemas.AgencyAnswer(agency=schemas.Agency(**_view(agencies, agencies.find(agency_id))))

    @router.put("/{agency_id}")
    async def update_agency(agency_id: str, body: schemas.UpdateAgency) -> schemas.ChangedAgencyAnswer:
        """Change whom an agency trusts, for how long, and its description."""
        agency = agencies.update(agency_id, body.agency)
        return schemas.ChangedAgencyAnswer(agency=schemas.ChangedAgency(**_view(agencies, agency)))

    @router.delete("/{agency_id}", status_code=204)
    async def delete_agency(agency_id: str) -> None:
        """Delete an agency with its permissions; its credentials may do nothing more."""
        state.delete_agency(agency_id)

    return router


def _view(agencies: Agencies, agency: Agency) -> dict[str, Any]:
    ends = agency.created + agency.hours * HOUR if agency.hours is not None else None
    return asdict(agency) | {
        "domain_id": agencies.region.domain_id,
        "duration": "FOREVER" if agency.hours is None else str(agency.hours),
        "create_time": text(agency.created, TIME),
        "expire_time": None if ends is None else text(ends, TIME),
    }

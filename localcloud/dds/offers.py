"""What new instances can have: specifications and versions (DDS API, Querying Database Specifications)."""

from localcloud.dds import instance_schemas as schemas
from localcloud.dds.errors import dds_error
from localcloud.dds.specification import OFFERS, VERSIONS, Offer, zones
from localcloud.dds.state import DdsState


def flavor_infos(
    state: DdsState, engine_name: str | None, engine_version: str | None, offset: int, limit: int
) -> schemas.FlavorInfos:
    """The specifications of a version, or of all. No specification is for another engine."""
    found = [
        schemas.FlavorInfo(
            **_flavor(state, offer).model_dump(),
            engine_versions=[version for version in VERSIONS if _fits(offer, version)],
        )
        for offer in _offers(state)
        if engine_name in (None, "DDS-Community") and (engine_version is None or _fits(offer, engine_version))
    ]
    return schemas.FlavorInfos(flavors=found[offset : offset + limit], total_count=len(found))


def flavors(state: DdsState, region: str | None, engine_name: str | None) -> schemas.Flavors:
    """The specifications, all in this region."""
    is_here = region in (None, state.region.id) and engine_name in (None, "DDS-Community")
    return schemas.Flavors(flavors=[_flavor(state, offer) for offer in _offers(state)] if is_here else [])


def versions(datastore_name: str) -> schemas.Versions:
    """The versions of DDS. Raises DBS.280122 for another database."""
    if datastore_name != "DDS-Community":
        raise dds_error("DBS.280122")
    return schemas.Versions(versions=list(VERSIONS))


def _offers(state: DdsState) -> list[Offer]:
    return [offer for offer in OFFERS if offer.node_type != "single" or state.region.switches.single_nodes]


def _flavor(state: DdsState, offer: Offer) -> schemas.Flavor:
    return schemas.Flavor(
        type=offer.node_type,
        vcpus=str(offer.vcpus),
        ram=str(offer.ram),
        spec_code=offer.spec_code,
        az_status=dict.fromkeys(zones(state.region.id), "normal"),
    )


def _fits(offer: Offer, version: str) -> bool:
    # "The version 5.0 does not support single node instances" (Creating a DB Instance).
    return version in VERSIONS and not (offer.node_type == "single" and version == "5.0")

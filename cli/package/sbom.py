"""The bill of materials of a package, CycloneDX 1.6: without a time or a random number, the same for the same zip."""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from cli.package.contents import Files
from cli.package.licences import is_metadata, licence_names
from cli.package.wheels import Wheel


@dataclass(frozen=True, slots=True)
class Part:
    """What is packed of a wheel."""

    wheel: Wheel
    published: Files
    """All of its files."""
    packed: Files
    """What the package has at their paths; nothing if the wheel is left out."""


def sbom(name: str, digest: str, parts: Sequence[Part], facts: Mapping[str, str]) -> str:
    """Return the bill of materials, JSON, of the zip of the function *name* with the SHA-512 *digest*.

    *facts* say how it was packed, as properties. A wheel that is left out is no component, but a property too. Of the
    others the properties say how many files are packed, metadata not counted, and which of them were changed. The hash
    is that of the wheel: it stands with the reference to it and is not the component's.
    """
    left_out = [part for part in parts if not part.packed]
    function = Component(
        name=name,
        type=ComponentType.APPLICATION,
        bom_ref=name,
        hashes=[HashType(alg=HashAlgorithm.SHA_512, content=digest)],
        properties=_properties([*facts.items(), *(("left-out", str(_purl(part.wheel))) for part in left_out)]),
    )
    components = [_component(part) for part in parts if part.packed]
    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_OID, digest), components=components)
    bom.metadata.component = function
    bom.register_dependency(function, components)
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    del document["metadata"]["timestamp"]
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def _component(part: Part) -> Component:
    wheel, known = part.wheel, LicenseFactory()
    published = [name for name in part.published if not is_metadata(name)]
    packed = [name for name in published if name in part.packed]
    changed = sorted(name for name in packed if part.packed[name] != part.published[name])
    facts = [("files", f"{len(packed)} of {len(published)}"), *(("changed", name) for name in changed)]
    return Component(
        name=wheel.name,
        version=wheel.version,
        type=ComponentType.LIBRARY,
        bom_ref=str(_purl(wheel)),
        purl=_purl(wheel),
        licenses=[known.make_from_string(name) for name in licence_names(part.published)],
        external_references=[_distribution(wheel)],
        properties=_properties(facts),
    )


def _purl(wheel: Wheel) -> PackageURL:
    return PackageURL("pypi", name=wheel.name, version=wheel.version)


def _distribution(wheel: Wheel) -> ExternalReference:
    return ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(f"https://pypi.org/simple/{wheel.name}/"),
        comment=wheel.path.name,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=wheel.sha256)],
    )


def _properties(facts: Iterable[tuple[str, str]]) -> list[Property]:
    return [Property(name=f"ddsbackup:{fact}", value=value) for fact, value in facts]

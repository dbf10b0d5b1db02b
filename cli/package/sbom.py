"""The bill of materials of a package, CycloneDX 1.6: without a time or a random number, the same for the same zip."""

import json
import uuid
import zipfile
from collections.abc import Iterable, Mapping
from email.parser import HeaderParser

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from cli.package.wheels import Wheel


def sbom(name: str, digest: str, wheels: Iterable[Wheel], facts: Mapping[str, str]) -> str:
    """Return the bill of materials, JSON, of the zip of the function *name* with the SHA-512 *digest*.

    *wheels* are those of which something is packed; *facts* say how, as properties.
    """
    function = Component(
        name=name,
        type=ComponentType.APPLICATION,
        bom_ref=name,
        hashes=[HashType(alg=HashAlgorithm.SHA_512, content=digest)],
        properties=[Property(name=f"ddsbackup:{fact}", value=value) for fact, value in facts.items()],
    )
    components = [_component(wheel) for wheel in wheels]
    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_OID, digest), components=components)
    bom.metadata.component = function
    bom.register_dependency(function, components)
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    del document["metadata"]["timestamp"]
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def _component(wheel: Wheel) -> Component:
    purl = PackageURL("pypi", name=wheel.name, version=wheel.version)
    return Component(
        name=wheel.name,
        version=wheel.version,
        type=ComponentType.LIBRARY,
        bom_ref=str(purl),
        purl=purl,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=wheel.sha256)],
        licenses=_licences(wheel),
    )


def _licences(wheel: Wheel) -> list[License]:
    """What the wheel's metadata says: an expression, else what its classifiers name, else a short text."""
    metadata = HeaderParser().parsestr(_metadata(wheel))
    known = LicenseFactory()
    if expression := metadata.get("License-Expression"):
        return [known.make_from_string(expression)]
    classifiers = metadata.get_all("Classifier", [])
    named = [text.rpartition(" :: ")[2] for text in classifiers if text.startswith("License :: OSI Approved :: ")]
    text = (metadata.get("License") or "").strip()
    if text and "\n" not in text:
        named = [text]
    return [known.make_from_string(name) for name in named]


def _metadata(wheel: Wheel) -> str:
    with zipfile.ZipFile(wheel.path) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return archive.read(name).decode("utf-8")

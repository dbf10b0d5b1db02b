"""What a package states about its wheels: the bill of materials, and their licence texts.

The bill of materials is CycloneDX 1.6, without a time or a random number: the same zip has the same one.
"""

import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from cli.package.contents import LICENCES, merged
from cli.package.model import Files
from cli.package.wheels import Wheel


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a wheel that is packed."""

    wheel: Wheel
    published: Files
    """All files of the wheel."""
    packed: Files
    """The package's files at the same paths. Empty if the wheel is left out."""


def sbom(name: str, digest: str, parts: Sequence[Part], facts: Mapping[str, str]) -> str:
    """Return the bill of materials, JSON, of the zip of the function *name* with the SHA-512 *digest*.

    *facts* are properties of the zip. A wheel that is left out is a property of the zip, too, and not a component. The
    properties of a component say how many files are packed, without metadata, and which of them are changed. The hash
    of the wheel is at the reference to it, since it is not the hash of the component.
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


_METADATA = re.compile(r"[^/]+\.dist-info/(.+)")
_LICENCE_FOLDERS = ("licenses/", "license_files/")
"""Folders that have only licence texts: that of PEP 639, and that of maturin before it."""
_LICENCE_NAME = re.compile(r"(licen[cs]e|copying|notice)[^/]*", re.IGNORECASE)
"""Names of licence texts next to METADATA in wheels from before PEP 639, which may not list them."""


def is_metadata(name: str) -> bool:
    """Whether a file of a wheel belongs to its metadata."""
    return bool(_METADATA.fullmatch(name))


def licence_texts(distribution: str, files: Files) -> Files:
    """Return the licence texts among *files* of a wheel, by path in the zip: ``licences/idna/LICENSE.md``.

    They are not left in ``*.dist-info``, where importlib.metadata would expect the rest of the metadata.
    """
    listed = _metadata(files).get_all("License-File", [])
    texts = []
    for path, content in files.items():
        if match := _METADATA.fullmatch(path):
            name = match[1]
            folder = next((folder for folder in _LICENCE_FOLDERS if name.startswith(folder)), "")
            if folder or name in listed or _LICENCE_NAME.fullmatch(name):
                texts.append((distribution, {f"{LICENCES}/{distribution}/{name.removeprefix(folder)}": content}))
    return merged(texts)


def licence_names(files: Files) -> list[str]:
    """Return the licences in a wheel's metadata: its expression, or a one-line text, or the names of classifiers."""
    metadata = _metadata(files)
    if expression := metadata.get("License-Expression"):
        return [expression]
    text = (metadata.get("License") or "").strip()
    if text and "\n" not in text:
        return [text]
    classifiers = metadata.get_all("Classifier", [])
    return [name.rpartition(" :: ")[2] for name in classifiers if name.startswith("License :: OSI Approved :: ")]


def _metadata(files: Files) -> Message:
    content = next(content for name, content in files.items() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
    return HeaderParser().parsestr(content.decode("utf-8"))

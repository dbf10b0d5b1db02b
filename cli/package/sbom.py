"""What a package states about its content: the bill of materials, and the licence texts of wheels.

The bill of materials is CycloneDX 1.6, without a time or a random number: the same zip has the same one.
"""

import importlib.util
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

from cli.json_value import Json, JsonObject
from cli.package.contents import LICENCES, merged
from cli.package.model import Files, Origin
from cli.package.wheels import Wheel


BILL = "sbom.cdx.json"
"""The bill of materials in the zip, which has everything but the digest of the zip."""
RECORD = re.compile(r"shared/runtime/cold_start\.[\w-]+\.bin")
"""The record of a cold start: see `shared.runtime.cold_start`."""


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a wheel that is packed."""

    wheel: Wheel
    published: Files
    """All files of the wheel."""
    packed: Files
    """The package's files at the same paths. Empty if the wheel is left out."""

    @property
    def purl(self) -> str:
        """The package URL, such as ``pkg:pypi/six@1.17.0``."""
        return str(_purl(self.wheel))


def origins(files: Files, ours: Files, theirs: Mapping[str, Origin]) -> dict[str, Origin]:
    """Return the origin of each of *files*, the whole package, and of its bill of materials.

    *ours* are the application's own files, *theirs* are the origins of those of requirements.
    """
    known = {**theirs, **dict.fromkeys(ours, Origin("source")), BILL: Origin("bill")}
    for name in files.keys() - known.keys():
        if name.endswith(".pyc"):
            known[name] = Origin("byte-code", importlib.util.source_from_cache(name))
        elif RECORD.fullmatch(name):
            known[name] = Origin("record")
    return known


def sbom(name: str, parts: Sequence[Part], facts: Mapping[str, str], files: Mapping[str, Origin]) -> str:
    """Return the bill of materials, JSON, of the package of the function *name*, without the digest of its zip.

    *facts* are properties of the zip. A wheel that is left out is a property of the zip, too, and not a component. The
    properties of a component say how many files are packed, without metadata, and which of them are changed. The hash
    of the wheel is at the reference to it, since it is not the hash of the component. *files* are the parts of the
    function, with their origins as properties.
    """
    left_out = [part for part in parts if not part.packed]
    function = Component(
        name=name,
        type=ComponentType.APPLICATION,
        bom_ref=name,
        properties=_properties([*facts.items(), *(("left-out", part.purl) for part in left_out)]),
    )
    components = [_component(part) for part in parts if part.packed]
    bom = Bom(components=components)
    bom.metadata.component = function
    bom.register_dependency(function, components)
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    del document["metadata"]["timestamp"], document["serialNumber"]
    document["metadata"]["component"]["components"] = [_file(path, files[path]) for path in sorted(files)]
    return _text(document)


def with_digest(bill: str, digest: str) -> str:
    """Return *bill* for the zip with the SHA-512 *digest*."""
    document = json.loads(bill)
    document["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_OID, digest).urn
    document["metadata"]["component"]["hashes"] = [{"alg": "SHA-512", "content": digest}]
    return _text(document)


def read_origins(bill: str) -> dict[str, Origin]:
    """Return the origin of each file that *bill*, as made by `sbom`, lists."""
    found = {}
    for file in json.loads(bill)["metadata"]["component"]["components"]:
        facts = {one["name"]: one["value"] for one in file["properties"]}
        found[file["name"]] = Origin(*(facts.get(f"ddsbackup:{fact}", "") for fact in ("origin", "of", "reason")))
    return found


def _text(document: JsonObject) -> str:
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def _file(path: str, origin: Origin) -> JsonObject:
    facts = (("origin", origin.kind), ("of", origin.of), ("reason", origin.reason))
    known: list[Json] = [{"name": f"ddsbackup:{fact}", "value": value} for fact, value in facts if value]
    return {"type": "file", "name": path, "properties": known}


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

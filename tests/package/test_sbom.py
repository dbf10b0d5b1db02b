"""The bill of materials, and the licence texts that have to accompany the code."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.package.model import Package, PackagingFailed
from cli.package.sbom import is_metadata, licence_names, licence_texts
from cli.template.model import Function
from tests.package.conftest import build, names


INFO = "one-1.0.dist-info"


def wheel(*texts: str, metadata: str = "") -> dict[str, bytes]:
    """The files of a wheel with licence *texts*, and with other files."""
    others = ["WHEEL", "RECORD", "entry_points.txt", "sboms/one.cyclonedx.json", "AUTHORS.rst", "RECORD.license_of"]
    files = {f"{INFO}/{name}": name.encode() for name in [*others, *texts]}
    module = {"one/__init__.py": b"", "one/LICENSE": b"of something in it", "one/_vendor/two.dist-info/LICENSE": b""}
    return files | module | {f"{INFO}/METADATA": f"Metadata-Version: 2.4\nName: one\n{metadata}".encode()}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("licenses/LICENSE", "LICENSE"),
        ("licenses/one/_vendor/COPYING", "one/_vendor/COPYING"),
        ("licenses/AUTHORS", "AUTHORS"),
        ("license_files/LICENSE-MIT", "LICENSE-MIT"),
        ("LICENSE", "LICENSE"),
        ("LICENCE.txt", "LICENCE.txt"),
        ("license.md", "license.md"),
        ("COPYING", "COPYING"),
        ("NOTICE.txt", "NOTICE.txt"),
    ],
)
def test_a_licence_text_is_found_wherever_builders_put_it(text: str, path: str) -> None:
    """Texts are found as PEP 639 says and as before it. Texts among modules stay there."""
    assert licence_texts("one", wheel(text)) == {f"licences/one/{path}": text.encode()}


def test_a_licence_text_with_an_unusual_name_is_found_by_the_metadata() -> None:
    """A wheel may list other files, such as the authors that its licence refers to."""
    metadata = "License-File: LICENSE\nLicense-File: AUTHORS.rst\n"

    assert licence_texts("one", wheel("LICENSE", metadata=metadata)).keys() == {
        "licences/one/LICENSE",
        "licences/one/AUTHORS.rst",
    }


def test_no_licence_text_is_overwritten() -> None:
    """The same text twice is packed once. Two different texts at the same path are an error."""
    twice = wheel("LICENSE", "licenses/LICENSE")

    with pytest.raises(PackagingFailed, match="one has a file licences/one/LICENSE"):
        licence_texts("one", twice)
    assert licence_texts("one", dict.fromkeys(twice, b"the same") | {f"{INFO}/METADATA": b""}).keys() == {
        "licences/one/LICENSE"
    }


@pytest.mark.parametrize(
    ("metadata", "names"),
    [
        ("License-Expression: MIT OR Apache-2.0\nLicense: ignored\n", ["MIT OR Apache-2.0"]),
        ("License: BSD\nClassifier: License :: OSI Approved :: MIT License\n", ["BSD"]),
        ("License: All of it\n  on many lines\nClassifier: License :: OSI Approved :: MIT License\n", ["MIT License"]),
        ("Classifier: License :: OSI Approved :: A\nClassifier: License :: OSI Approved :: B\n", ["A", "B"]),
        ("Classifier: Topic :: Database\n", []),
    ],
)
def test_a_licence_is_named_as_precisely_as_possible(metadata: str, names: list[str]) -> None:
    """The expression comes first, then a one-line text, then the classifiers."""
    assert licence_names(wheel(metadata=metadata)) == names


def test_metadata_is_in_the_folder_of_the_wheel() -> None:
    """The metadata of vendored distributions belongs to the modules."""
    assert {name for name in wheel("LICENSE") if not is_metadata(name)} == {
        "one/__init__.py",
        "one/LICENSE",
        "one/_vendor/two.dist-info/LICENSE",
    }


def test_the_bill_of_materials_names_what_is_in_the_zip(application: Callable[..., Function], tmp_path: Path) -> None:
    """It has the digest of the zip, and each wheel with its licence and hash, but no time and no random number."""
    function = application()
    package = build(function, tmp_path)
    first = package.sbom.read_bytes()
    bill = json.loads(first)
    (component,) = bill["components"]

    assert (bill["bomFormat"], bill["metadata"]["component"]["name"]) == ("CycloneDX", "greet")
    assert bill["metadata"]["component"]["hashes"] == [{"alg": "SHA-512", "content": package.digest}]
    assert component["purl"] == "pkg:pypi/greeting@1.0"
    assert component["licenses"] == [{"license": {"id": "MIT"}}]
    assert component["properties"] == [{"name": "ddsbackup:files", "value": "1 of 1"}]
    sha256 = (function.code_root / "requirements.txt").read_text(encoding="utf-8").strip().rpartition(":")[2]
    (reference,) = component["externalReferences"]
    assert (reference["type"], reference["comment"]) == ("distribution", "greeting-1.0-py3-none-any.whl")
    assert reference["hashes"] == [{"alg": "SHA-256", "content": sha256}]
    build(application("again"), tmp_path)
    assert package.sbom.read_bytes() == first


def origins(package: Package) -> dict[str, dict[str, str]]:
    """The properties of each file that a bill of materials lists, by path."""
    files = json.loads(package.sbom.read_text(encoding="utf-8"))["metadata"]["component"]["components"]
    assert {file["type"] for file in files} == {"file"}
    found = {
        file["name"]: {one["name"].removeprefix("ddsbackup:"): one["value"] for one in file["properties"]}
        for file in files
    }
    assert len(found) == len(files)
    return found


@pytest.mark.parametrize("options", [{}, {"with_byte_code": False}, {"full": False}])
def test_every_file_of_the_zip_has_an_origin(
    application: Callable[..., Function], tmp_path: Path, options: dict[str, bool]
) -> None:
    """The bill of materials lists the files of the zip, and no others."""
    package = build(application(LICENSE="Mine.\n"), tmp_path, **options)

    assert origins(package).keys() == names(package)


def test_every_file_of_our_package_has_an_origin(package: Package) -> None:
    """Sources, files of wheels, stubs, licences, byte code, the record and the bill of materials."""
    found = origins(package)
    kinds: dict[str, set[str]] = {}
    for name, facts in found.items():
        kinds.setdefault(facts["origin"], set()).add(name)

    assert found.keys() == names(package)
    assert kinds["stub"] == STUBS
    assert all(found[name]["reason"].endswith(".") for name in kinds["stub"] | kinds["changed"])
    assert found["bson.py"]["of"].startswith("pkg:pypi/pymongo@")
    assert kinds["changed"] == {
        "charset_normalizer/__init__.py",
        *(f"huaweicloudsdk{name}/__init__.py" for name in ("dds/v3", "dds/v3/model", "smn/v2", "smn/v2/model")),
    }
    assert {"index.py", "shared/__init__.py", "licences/LICENSE"} < kinds["source"]
    assert found["six.py"]["origin"] == "unchanged"
    assert found["six.py"]["of"].startswith("pkg:pypi/six@")
    assert found["licences/six/LICENSE"]["of"] == found["six.py"]["of"]
    assert all(name.endswith(".pyc") and found[name]["of"] in found for name in kinds["byte-code"])
    assert kinds["bill"] == {"sbom.cdx.json"}
    assert kinds.keys() <= {"source", "unchanged", "changed", "stub", "licence", "byte-code", "record", "bill"}


def test_the_zip_has_its_bill_of_materials(package: Package) -> None:
    """It is the one beside the zip, without the digest of the zip and what follows from it."""
    with zipfile.ZipFile(package.path) as archive:
        inside = json.loads(archive.read("sbom.cdx.json"))
    beside = json.loads(package.sbom.read_text(encoding="utf-8"))

    assert beside.pop("serialNumber").startswith("urn:uuid:")
    assert beside["metadata"]["component"].pop("hashes") == [{"alg": "SHA-512", "content": package.digest}]
    assert inside == beside


STUBS = {
    *("bson.py", "chardet.py", "requests_toolbelt.py", "pyasn1/__init__.py", "pyasn1/codec/__init__.py"),
    *("pyasn1/codec/der/__init__.py", "pyasn1/codec/der/encoder.py", "pyasn1/codec/der/decoder.py"),
    *("pyasn1/type/__init__.py", "pyasn1/type/univ.py"),
}
LEFT_OUT = {"pymongo", "dnspython", "pyyaml", "requests-toolbelt", "pyasn1"}


def test_a_requirement_that_is_left_out_is_not_a_component(package: Package) -> None:
    """It is a property of the zip instead, even if a stub takes its place."""
    bill = json.loads(package.sbom.read_text(encoding="utf-8"))
    left_out = [
        one["value"] for one in bill["metadata"]["component"]["properties"] if one["name"] == "ddsbackup:left-out"
    ]
    parts = {component["name"] for component in bill["components"]}

    assert {purl.removeprefix("pkg:pypi/").partition("@")[0] for purl in left_out} == LEFT_OUT
    assert "pydantic-core" in parts
    assert not LEFT_OUT & parts


def test_the_bill_of_materials_says_how_much_of_a_wheel_is_packed(package: Package) -> None:
    """A component also lists the files that are changed."""
    bill = json.loads(package.sbom.read_text(encoding="utf-8"))
    found = names(package)

    facts = {
        component["name"]: [(one["name"].removeprefix("ddsbackup:"), one["value"]) for one in component["properties"]]
        for component in bill["components"]
    }

    assert facts["six"] == [("files", "1 of 1")]
    dds = facts["huaweicloudsdkdds"]
    assert [value for name, value in dds if name == "changed"] == [
        "huaweicloudsdkdds/v3/__init__.py",
        "huaweicloudsdkdds/v3/model/__init__.py",
    ]
    packed, _, published = dds[-1][1].split()
    assert int(packed) == sum(name.startswith("huaweicloudsdkdds/") and ".pyc" not in name for name in found)
    assert int(published) > 400


def test_the_licence_texts_of_all_components_are_packed(package: Package) -> None:
    """There are no other texts, and no folder that importlib.metadata would take for a distribution."""
    bill = json.loads(package.sbom.read_text(encoding="utf-8"))
    texts = {name for name in names(package) if name.startswith("licences/")}

    assert {name.split("/")[1] for name in texts if name.count("/") > 1} == {
        part["name"] for part in bill["components"]
    }
    assert {"licences/LICENSE", "licences/requests/NOTICE", "licences/tzdata/licenses/LICENSE_APACHE"} < texts
    assert not {name for name in names(package) if ".dist-info/" in name}


def test_a_full_package_has_licence_texts_where_the_wheels_do(
    application: Callable[..., Function], tmp_path: Path
) -> None:
    """A full package has complete metadata, so it needs no copies."""
    found = names(build(application(LICENSE="Mine.\n"), tmp_path))

    assert {name for name in found if "LICENSE" in name} == {
        "licences/LICENSE",
        "greeting-1.0.dist-info/licenses/LICENSE",
    }

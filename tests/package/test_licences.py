"""The texts that have to be passed on with the code, wherever a wheel has them."""

import pytest

from cli.package.model import PackagingFailed
from cli.package.sbom import is_metadata, licence_names, licence_texts


INFO = "one-1.0.dist-info"


def wheel(*texts: str, metadata: str = "") -> dict[str, bytes]:
    """A wheel with files that are no licence texts, and with *texts*."""
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
def test_a_text_is_found_wherever_builders_put_it(text: str, path: str) -> None:
    """As PEP 639 says and as it was before; nothing but texts is taken, and those among modules stay there."""
    assert licence_texts("one", wheel(text)) == {f"licences/one/{path}": text.encode()}


def test_a_text_of_an_unusual_name_is_named_by_the_metadata() -> None:
    """Such as the list of authors that a licence refers to."""
    metadata = "License-File: LICENSE\nLicense-File: AUTHORS.rst\n"

    assert licence_texts("one", wheel("LICENSE", metadata=metadata)).keys() == {
        "licences/one/LICENSE",
        "licences/one/AUTHORS.rst",
    }


def test_no_text_is_lost_to_another() -> None:
    """The same text twice is one; two that differ cannot be told apart in the zip."""
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
def test_a_licence_is_named_as_precisely_as_the_metadata_does(metadata: str, names: list[str]) -> None:
    """A text in place of a name is none."""
    assert licence_names(wheel(metadata=metadata)) == names


def test_metadata_is_what_lies_in_the_folder_of_the_wheel() -> None:
    """Not that of what a module brings along."""
    assert {name for name in wheel("LICENSE") if not is_metadata(name)} == {
        "one/__init__.py",
        "one/LICENSE",
        "one/_vendor/two.dist-info/LICENSE",
    }

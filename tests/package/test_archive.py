"""Zips are reproducible, and are checked against FunctionGraph's limits."""

import io
import random
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.package.archive import MB, UPLOADS, Upload, check_limits, fitting_uploads, largest, packed_sizes, zipped
from cli.package.model import PackagingFailed


FILES = st.dictionaries(
    st.from_regex(r"[a-z]{1,8}(/[a-zé]{1,8}){0,2}\.(py|so)", fullmatch=True), st.binary(max_size=200), max_size=8
)


@settings(max_examples=40)
@given(files=FILES, seed=st.integers())
def test_a_zip_depends_only_on_its_files(files: dict[str, bytes], seed: int) -> None:
    """The order of the files does not matter, and all of them can be read again."""
    shuffled = list(files.items())
    random.Random(seed).shuffle(shuffled)

    content = zipped(dict(shuffled))

    assert content == zipped(files)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files
        assert archive.namelist() == sorted(files)
    assert packed_sizes(content).keys() == files.keys()


def test_every_entry_has_the_same_time_and_plain_permissions() -> None:
    """Files are readable by all, since FunctionGraph's user is unknown. Libraries are executable."""
    with zipfile.ZipFile(io.BytesIO(zipped({"a.py": b"", "b.so": b""}))) as archive:
        found = [(info.date_time, info.external_attr >> 16, info.create_system) for info in archive.infolist()]

    assert found == [((1980, 1, 1, 0, 0, 0), 0o100644, 3), ((1980, 1, 1, 0, 0, 0), 0o100755, 3)]


@pytest.mark.parametrize(
    ("size", "unpacked_size", "names"),
    [
        (40 * MB, 100 * MB, ["console", "API", "OBS"]),
        (40 * MB + 1, 100 * MB, ["API", "OBS"]),
        (50 * MB + 1, 100 * MB, ["OBS"]),
        (300 * MB + 1, 400 * MB, []),
        (1, 1536 * MB + 1, []),
    ],
)
def test_fitting_uploads(size: int, unpacked_size: int, names: list[str]) -> None:
    """The limits are those of FunctionGraph, Notes and Constraints."""
    assert [way.name for way in fitting_uploads(size, unpacked_size)] == names


def test_a_zip_that_is_too_large_lists_its_largest_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    """The largest folder comes first."""
    monkeypatch.setattr("cli.package.archive.UPLOADS", (Upload("OBS", 100, 5000),))
    files = {
        "small.py": b"1",
        "big/a.so": random.Random(1).randbytes(2000),
        "big/b.so": b"",
        "middle/c.so": b"x" * 2000,
    }
    content = zipped(files)

    with pytest.raises(PackagingFailed, match=r"(?s)greet\.zip has .*big.*middle.*small") as caught:
        check_limits("greet.zip", len(content), files, packed_sizes(content))

    assert "OBS" in caught.value.message
    assert [folder for folder, _ in largest(packed_sizes(content))] == ["big", "middle", "small.py"]


def test_a_zip_within_the_limits_is_accepted() -> None:
    """Our package is far below the limit of the console."""
    assert UPLOADS[0].most == 40 * MB
    check_limits("greet.zip", 7 * MB, {"a.py": b""}, {"a.py": 1})

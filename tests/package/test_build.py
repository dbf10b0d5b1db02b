"""A package from end to end."""

import errno
import hashlib
import importlib.util
import json
import marshal
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.package.archive import MB
from cli.package.build import build_packages
from cli.package.model import Package, PackagingFailed
from cli.paths import CHECKOUT
from cli.template.model import Function
from tests.package.conftest import PYTHON, Noted, make_wheel


TAG = sys.implementation.cache_tag


def build(function: Function, tmp_path: Path, **options: object) -> Package:
    given = {"out": tmp_path / "build", "observer": Noted(), "cache": tmp_path / "cache", "full": True} | options
    (package,) = build_packages([function], **given)  # type: ignore[arg-type]
    return package


def names(package: Package) -> set[str]:
    with zipfile.ZipFile(package.path) as archive:
        return set(archive.namelist())


def test_a_package_says_what_it_is(application: Callable[..., Function], tmp_path: Path) -> None:
    """Its size, its files and its digest are those of the zip."""
    package = build(application(), tmp_path)
    content = package.path.read_bytes()

    assert package.path == tmp_path / "build" / "greet.zip"
    assert (package.size, package.digest) == (len(content), hashlib.sha512(content).hexdigest())
    assert package.files == len(names(package))
    assert package.python == PYTHON
    with zipfile.ZipFile(package.path) as archive:
        assert package.unpacked_size == sum(info.file_size for info in archive.infolist())


def test_a_package_holds_entry_shared_requirements_and_byte_code(
    application: Callable[..., Function], tmp_path: Path
) -> None:
    """Entry file at the root, as FunctionGraph wants it."""
    modules = {"index.py", "shared/__init__.py", "greeting/__init__.py"}
    expected = modules | {
        f"{path.rpartition('/')[0]}/__pycache__/{Path(path).stem}.{TAG}.pyc".lstrip("/") for path in modules
    }

    found = names(build(application(), tmp_path))

    assert {name for name in found if ".dist-info/" not in name} == expected
    assert {
        name for name in names(build(application("other"), tmp_path, with_byte_code=False)) if ".py" in name
    } == modules


def test_the_bill_of_materials_names_what_is_in_the_zip(application: Callable[..., Function], tmp_path: Path) -> None:
    """With its licence, the wheel and its hash, and the digest of the zip; no time, no random number."""
    package = build(application(), tmp_path)
    first = package.sbom.read_bytes()
    bill = json.loads(first)
    (component,) = bill["components"]

    assert (bill["bomFormat"], bill["metadata"]["component"]["name"]) == ("CycloneDX", "greet")
    assert bill["metadata"]["component"]["hashes"] == [{"alg": "SHA-512", "content": package.digest}]
    assert component["purl"] == "pkg:pypi/greeting@1.0"
    assert component["licenses"] == [{"license": {"id": "MIT"}}]
    assert component["properties"] == [{"name": "ddsbackup:files", "value": "1 of 1"}]
    (wheel,) = (tmp_path / "cache").rglob("*.whl")
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (reference,) = component["externalReferences"]
    assert (reference["type"], reference["comment"]) == ("distribution", wheel.name)
    assert reference["hashes"] == [{"alg": "SHA-256", "content": sha256}]
    build(application("again"), tmp_path)
    assert package.sbom.read_bytes() == first


def test_a_wrong_module_of_ours_is_no_package(application: Callable[..., Function], tmp_path: Path) -> None:
    """It would fail in the cloud."""
    function = application(**{"shared/wrong.py": "def f(:\n"})

    with pytest.raises(PackagingFailed, match=r"shared/wrong\.py"):
        build(function, tmp_path)

    assert not (tmp_path / "build" / "greet.zip").exists()


def test_each_function_has_the_python_of_its_runtime(application: Callable[..., Function], tmp_path: Path) -> None:
    """Unless another is asked for."""
    assert build(application(), tmp_path).python == PYTHON
    assert build(application("other"), tmp_path, python="3.12", with_byte_code=False).python == "3.12"


def test_ours_is_small_enough(package: Package) -> None:
    """With byte code, at most 7 MB: it fits the console and the API."""
    assert package.size <= 7 * MB


def test_ours_leaves_out_what_is_never_reached(package: Package) -> None:
    """And holds what is: all modules with byte code, in the record or in a file of its own."""
    found = names(package)
    folders = {name.partition("/")[0] for name in found}

    assert not {"pymongo", "gridfs", "dns", "yaml", "bson"} & folders
    assert {
        "index.py",
        "shared",
        "huaweicloudsdkcore",
        "huaweicloudsdkdds",
        "pydantic_core",
        "certifi",
        "tzdata",
    } <= folders
    modules = {name for name in found if name.endswith(".py")}
    compiled = {name for name in found if name.endswith(f".{TAG}.pyc")}
    with zipfile.ZipFile(package.path) as archive:
        records = [marshal.loads(archive.read(name)) for name in found if name.endswith(".bin")]
    recorded = {file for record in records for file, _ in record[0].values()}
    assert {importlib.util.cache_from_source(file) for file in modules - recorded} == compiled
    assert len(recorded) > 200 * len(records)


LEFT_OUT = {"pymongo", "dnspython", "pyyaml", "requests-toolbelt", "pyasn1"}


def test_the_bill_of_materials_does_not_list_what_is_left_out(package: Package) -> None:
    """Whoever compares it with requirements.txt finds it as a property; stubs in its place do not count."""
    bill = json.loads(package.sbom.read_text(encoding="utf-8"))
    said = [one["value"] for one in bill["metadata"]["component"]["properties"] if one["name"] == "ddsbackup:left-out"]
    parts = {component["name"] for component in bill["components"]}

    assert {purl.removeprefix("pkg:pypi/").partition("@")[0] for purl in said} == LEFT_OUT
    assert "pydantic-core" in parts
    assert not LEFT_OUT & parts


def test_the_bill_of_materials_says_how_much_of_a_wheel_is_packed(package: Package) -> None:
    """And which of its files are not as published."""
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


def test_the_licences_of_all_that_is_packed_come_along(package: Package) -> None:
    """And of nothing else, in a folder that importlib.metadata does not take for a distribution."""
    bill = json.loads(package.sbom.read_text(encoding="utf-8"))
    texts = {name for name in names(package) if name.startswith("licences/")}

    assert {name.split("/")[1] for name in texts if name.count("/") > 1} == {
        part["name"] for part in bill["components"]
    }
    assert {"licences/LICENSE", "licences/requests/NOTICE", "licences/tzdata/licenses/LICENSE_APACHE"} < texts
    assert not {name for name in names(package) if ".dist-info/" in name}


def test_a_full_package_has_them_where_the_wheels_do(application: Callable[..., Function], tmp_path: Path) -> None:
    """Its metadata is complete: no copy is needed."""
    found = names(build(application(LICENSE="Mine.\n"), tmp_path))

    assert {name for name in found if "LICENSE" in name} == {
        "licences/LICENSE",
        "greeting-1.0.dist-info/licenses/LICENSE",
    }


def test_the_same_sources_give_the_same_bytes(package: Package, tmp_path: Path) -> None:
    """From another folder, in another time zone and language, by a process with other hashes, in any other order."""
    checkout = tmp_path / "some where" / "else"
    checkout.mkdir(parents=True)
    for name in ("shared", "functions"):
        shutil.copytree(CHECKOUT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("template.yaml", "requirements.txt", "LICENSE"):
        shutil.copy(CHECKOUT / name, checkout)
    for number, path in enumerate(checkout.rglob("*")):
        os.utime(path, (number, number))
    (checkout / "shared" / ".DS_Store").write_text("junk")
    script = f"""
import os, sys
from pathlib import Path
os.umask(0o077)
sys.path.insert(0, {str(CHECKOUT)!r})
from cli.package.build import build_packages
from cli.template.load import load_template
from tests.package.conftest import Noted
functions = load_template(Path({str(checkout / "template.yaml")!r})).functions
chosen = [function for function in functions if function.name in ("track_backups", "create_backup")]
build_packages(chosen[::-1], out=Path({str(tmp_path)!r}), observer=Noted(), python={PYTHON!r})
"""
    environment = os.environ | {"TZ": "Asia/Shanghai", "PYTHONHASHSEED": "123", "LC_ALL": "C", "PYTHONOPTIMIZE": "2"}
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path, env=environment)

    assert hashlib.sha512((tmp_path / "create_backup.zip").read_bytes()).hexdigest() == package.digest
    assert (tmp_path / "create_backup.cdx.json").read_bytes() == package.sbom.read_bytes()


def test_other_requirements_than_ours_stay_as_they_are_published(
    application: Callable[..., Function], tmp_path: Path
) -> None:
    """Nobody looked at what they need of their files: of their metadata, say."""
    package = build(application(), tmp_path, full=False)

    assert {"greeting/__init__.py", "greeting-1.0.dist-info/METADATA"} < names(package)


PYMONGO = {"bson/__init__.py": "SON = dict\n", "pymongo/__init__.py": "", "gridfs/__init__.py": ""}


@pytest.mark.parametrize("importer", ["index.py", "greeting/__init__.py"])
def test_what_is_imported_is_not_left_out(
    application: Callable[..., Function], index: Path, tmp_path: Path, importer: str
) -> None:
    """Not by a rule either, whether a function or another requirement imports it: all is packed, and that is said."""
    function = application()
    uses = "from bson import SON\n\ndef handler(event, context):\n    return SON()\n"
    greeting = make_wheel(index, {"greeting/__init__.py": uses if importer != "index.py" else ""})
    requirements = greeting + make_wheel(index, PYMONGO, name="pymongo")
    (function.code_root / "requirements.txt").write_text(requirements, encoding="utf-8")
    without = "from greeting import handler\n"
    (function.code_uri / "index.py").write_text(uses if importer == "index.py" else without, encoding="utf-8")
    observer = Noted()

    package = build(function, tmp_path, full=False, observer=observer)

    assert {"bson/__init__.py", "pymongo/__init__.py"} < names(package)
    (warning,) = observer.warnings
    assert warning.startswith(f"{importer} imports bson")
    facts = json.loads(package.sbom.read_text(encoding="utf-8"))["metadata"]["component"]["properties"]
    assert {"name": "ddsbackup:requirements", "value": "full"} in facts


def test_what_another_requirement_would_like_to_have_is_no_reason(
    application: Callable[..., Function], index: Path, tmp_path: Path
) -> None:
    """A module that is hidden and that nobody requires: it does without, as elsewhere."""
    function = application()
    requirements = make_wheel(
        index, {"greeting/__init__.py": "try:\n    import chardet\nexcept ImportError:\n    ...\n"}
    )
    requirements += make_wheel(index, {"requests/__init__.py": ""}, name="requests")
    (function.code_root / "requirements.txt").write_text(requirements, encoding="utf-8")
    (function.code_uri / "index.py").write_text("import greeting as handler\n", encoding="utf-8")
    observer = Noted()

    found = names(build(function, tmp_path, full=False, observer=observer))

    assert "chardet.py" in found
    assert observer.warnings == []


def test_what_nothing_imports_is_left_out(application: Callable[..., Function], index: Path, tmp_path: Path) -> None:
    """The same requirement, not needed."""
    function = application()
    with (function.code_root / "requirements.txt").open("a", encoding="utf-8") as file:
        file.write(make_wheel(index, PYMONGO, name="pymongo"))

    found = names(build(function, tmp_path, full=False))

    assert "bson.py" in found
    assert not {"bson/__init__.py", "pymongo/__init__.py"} & found


def test_a_package_that_cannot_be_written_leaves_the_one_before(
    application: Callable[..., Function], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk gets full, somebody presses Ctrl-C: what has the package's name is a whole package."""
    package = build(application(), tmp_path)
    before = package.path.read_bytes()

    def fill_up(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[:10])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", fill_up)
    with pytest.raises(PackagingFailed, match="No space left") as caught:
        build(package.function, tmp_path, with_byte_code=False)

    assert str(tmp_path / "build") in caught.value.message
    assert package.path.read_bytes() == before
    assert {path.name for path in (tmp_path / "build").iterdir()} == {"greet.zip", "greet.cdx.json"}


def test_what_is_imported_and_not_packed_is_told(application: Callable[..., Function], tmp_path: Path) -> None:
    """A slip, or something that FunctionGraph has installed; what Python and the package have is no matter."""
    function = application(
        **{
            "functions/greet/index.py": "import json, shared, greeting.words, obs\nfrom helpers import handler\n",
            "functions/greet/helpers.py": "from sharde import handler\n",
        }
    )
    observer = Noted()

    build(function, tmp_path, observer=observer, with_byte_code=False)

    assert [warning.partition(",")[0] for warning in observer.warnings] == [
        "helpers.py imports sharde",
        "index.py imports obs",
    ]

"""Packages, from the template to the zip."""

import errno
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.package.archive import MB
from cli.package.model import Package, PackagingFailed
from cli.paths import CHECKOUT
from cli.template.model import Function
from shared.runtime.cold_start import Record
from tests.package.conftest import PYTHON, Noted, build, make_wheel, names


TAG = sys.implementation.cache_tag


def test_a_package_describes_its_zip(application: Callable[..., Function], tmp_path: Path) -> None:
    """Its size, its number of files and its digest are those of the zip."""
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
    """The entry file is at the root of the zip, as FunctionGraph requires."""
    modules = {"index.py", "shared/__init__.py", "greeting/__init__.py"}
    expected = (
        {"sbom.cdx.json"}
        | modules
        | {f"{path.rpartition('/')[0]}/__pycache__/{Path(path).stem}.{TAG}.pyc".lstrip("/") for path in modules}
    )

    found = names(build(application(), tmp_path))

    assert {name for name in found if ".dist-info/" not in name} == expected
    assert {
        name for name in names(build(application("other"), tmp_path, with_byte_code=False)) if ".py" in name
    } == modules


def test_a_module_of_ours_that_does_not_compile_is_an_error(
    application: Callable[..., Function], tmp_path: Path
) -> None:
    """The error names the module, and no package is written."""
    function = application(**{"shared/wrong.py": "def f(:\n"})

    with pytest.raises(PackagingFailed, match=r"shared/wrong\.py"):
        build(function, tmp_path)

    assert not (tmp_path / "build" / "greet.zip").exists()


def test_each_function_has_the_python_of_its_runtime(application: Callable[..., Function], tmp_path: Path) -> None:
    """The option python overrides the Runtime in the template."""
    assert build(application(), tmp_path).python == PYTHON
    assert build(application("other"), tmp_path, python="3.12", with_byte_code=False).python == "3.12"


def test_our_package_is_small(package: Package) -> None:
    """With byte code, it has at most 7 MB, and can be uploaded by the console and the API."""
    assert package.size <= 7 * MB


def test_our_package_leaves_out_what_is_never_reached(package: Package) -> None:
    """Each module that it has, has byte code, in the record or in a file."""
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
        records = [Record.parse(archive.read(name)) for name in found if name.endswith(".bin")]
    recorded = {file for record in records for file, _, _ in record.modules.values()}
    assert {importlib.util.cache_from_source(file) for file in modules - recorded} == compiled
    assert len(recorded) > 200 * len(records)


@pytest.mark.slow
def test_the_same_sources_give_the_same_bytes(package: Package, tmp_path: Path) -> None:
    """The bytes do not depend on the folder, the time zone, the language, the hash seed or the order of functions."""
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
build_packages(chosen[::-1], out=Path({str(tmp_path)!r}), observer=Noted(), python={PYTHON!r}, reuse=False)
"""
    environment = os.environ | {"TZ": "Asia/Shanghai", "PYTHONHASHSEED": "123", "LC_ALL": "C", "PYTHONOPTIMIZE": "2"}
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path, env=environment)

    assert hashlib.sha512((tmp_path / package.path.name).read_bytes()).hexdigest() == package.digest
    assert (tmp_path / package.sbom.name).read_bytes() == package.sbom.read_bytes()


def test_unknown_requirements_stay_as_published(application: Callable[..., Function], tmp_path: Path) -> None:
    """A requirement that slim.yaml does not know keeps all of its files, such as metadata."""
    package = build(application(), tmp_path, full=False)

    assert {"greeting/__init__.py", "greeting-1.0.dist-info/METADATA"} < names(package)


PYMONGO = {"bson/__init__.py": "SON = dict\n", "pymongo/__init__.py": "", "gridfs/__init__.py": ""}


@pytest.mark.parametrize("importer", ["index.py", "greeting/__init__.py"])
def test_an_imported_module_is_not_left_out(
    application: Callable[..., Function], index: Path, tmp_path: Path, importer: str
) -> None:
    """If a function or another requirement imports it, all is packed as published, with a warning."""
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


def test_an_optional_import_of_a_hidden_module_is_not_a_reason(
    application: Callable[..., Function], index: Path, tmp_path: Path
) -> None:
    """A requirement that tries to import a hidden module, which no requirement has, does without it."""
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


def test_a_module_that_nothing_imports_is_left_out(
    application: Callable[..., Function], index: Path, tmp_path: Path
) -> None:
    """A requirement that is not needed is left out, and a stub takes its place."""
    function = application()
    with (function.code_root / "requirements.txt").open("a", encoding="utf-8") as file:
        file.write(make_wheel(index, PYMONGO, name="pymongo"))

    found = names(build(function, tmp_path, full=False))

    assert "bson.py" in found
    assert not {"bson/__init__.py", "pymongo/__init__.py"} & found


def test_a_package_that_cannot_be_written_leaves_the_earlier_one(
    application: Callable[..., Function], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the disk is full, the earlier package stays complete, and no other file is left."""
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


def test_an_import_that_nothing_provides_is_a_warning(application: Callable[..., Function], tmp_path: Path) -> None:
    """It may be a mistake, or installed on FunctionGraph. Modules of Python and of the package are fine."""
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

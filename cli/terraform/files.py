"""Writing a configuration: as files for Terraform, or as the zip that RFS takes."""

import json
import zipfile
from pathlib import Path

from cli.errors import WrongCall
from cli.terraform.configuration import Configuration


RFS_FILE = "rfs.zip"
RFS_LIMIT = 1024 * 1024
"""Bytes, before and after unpacking (RFS API, Creating a Stack, ``template_uri``)."""

_OLDEST_OF_ZIP = (1980, 1, 1, 0, 0, 0)


def write_files(configuration: Configuration, out: Path) -> list[Path]:
    """Write the documents to the folder *out*, which is made when it is not there. Raises WrongCall if it cannot be."""
    return [_write(out / name, text.encode()) for name, text in _texts(configuration).items()]


def write_zip(configuration: Configuration, out: Path) -> Path:
    """Write ``rfs.zip`` with the documents to the folder *out*; the same documents give the same bytes.

    Raises WrongCall for what RFS would not take, and when it cannot be written.
    """
    texts = _texts(configuration)
    size = sum(len(text.encode()) for text in texts.values())
    if size > RFS_LIMIT:
        raise WrongCall(f"the configuration has {size} bytes, expected at most {RFS_LIMIT}, which is what RFS takes")
    file = out / RFS_FILE
    _write(file, b"")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(zipfile.ZipInfo(name, _OLDEST_OF_ZIP), text, zipfile.ZIP_DEFLATED)
    return file


def _texts(configuration: Configuration) -> dict[str, str]:
    return {
        name: json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        for name, document in configuration.documents.items()
    }


def _write(file: Path, content: bytes) -> Path:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    except OSError as error:
        raise WrongCall(f"cannot write {file}: {error.strerror}") from error
    return file

"""Writing a configuration: as files for Terraform, or as the zip that RFS takes."""

import json
from pathlib import Path

from cli.errors import WrongCall
from cli.package.archive import zipped
from cli.package.output import write_whole
from cli.terraform.configuration import Configuration


RFS_FILE = "rfs.zip"
RFS_LIMIT = 1024 * 1024
"""Bytes, before and after unpacking (RFS API, Creating a Stack, ``template_uri``)."""


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
    return _write(out / RFS_FILE, zipped({name: text.encode() for name, text in texts.items()}))


def _texts(configuration: Configuration) -> dict[str, str]:
    return {
        name: json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        for name, document in configuration.documents.items()
    }


def _write(file: Path, content: bytes) -> Path:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, content)
    except OSError as error:
        raise WrongCall(f"cannot write {file}: {error.strerror}") from error
    return file

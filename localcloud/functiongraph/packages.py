"""The package of a function: a zip in base64, checked by every documented limit."""

import base64
import binascii
import hashlib
import io
import zipfile

from localcloud.functiongraph.errors import functiongraph_error


# FunctionGraph, Notes and Constraints: what the API takes, and what a package may become when it is unpacked.
MAX_BYTES = 50 * 1024 * 1024
MAX_UNPACKED_BYTES = 1536 * 1024 * 1024
BASE64_BYTES = (MAX_BYTES + 2) // 3 * 4


def read_package(file: str) -> bytes:
    """The zip that `file` is the base64 of.

    Raises FSS.1071 for more than 50 MB, FSS.1011 for what is no base64 or no zip, or unpacks to more than 1.5 GB.
    """
    if len(file) > BASE64_BYTES:
        raise functiongraph_error("FSS.1071")
    try:
        content = base64.b64decode(file, validate=True)
    except binascii.Error as error:
        raise functiongraph_error("FSS.1011", f"func_code.file is no base64: {error}") from error
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        raise functiongraph_error("FSS.1011", "zip: not a valid zip file") from error
    if unpacked > MAX_UNPACKED_BYTES:
        raise functiongraph_error("FSS.1011", f"{unpacked} bytes unpacked, at most {MAX_UNPACKED_BYTES} are allowed")
    return content


def digest_of(content: bytes) -> str:
    """What FunctionGraph calls digest."""
    return hashlib.sha512(content).hexdigest()

"""The licences of wheels, and their texts, which most of them want to be passed on with the code."""

import re
from email.message import Message
from email.parser import HeaderParser

from cli.package.contents import LICENCES, Files, merged


_METADATA = re.compile(r"[^/]+\.dist-info/(.+)")
_FOLDERS = ("licenses/", "license_files/")
"""Those of texts alone: PEP 639, and what maturin had before."""
_USUAL_NAME = re.compile(r"(licen[cs]e|copying|notice)[^/]*", re.IGNORECASE)
"""Of texts beside METADATA, as wheels from before PEP 639 have them, some without naming them in it."""


def is_metadata(name: str) -> bool:
    """Whether a file of a wheel is its metadata, not what is imported."""
    return bool(_METADATA.fullmatch(name))


def licence_texts(distribution: str, files: Files) -> Files:
    """Return the texts among *files* of a wheel, by the path in the zip: ``licences/idna/LICENSE.md``.

    The metadata itself is no more, or importlib.metadata would look for the rest of it.
    """
    named = _metadata(files).get_all("License-File", [])
    texts = []
    for path, content in files.items():
        if match := _METADATA.fullmatch(path):
            name = match[1]
            folder = next((folder for folder in _FOLDERS if name.startswith(folder)), "")
            if folder or name in named or _USUAL_NAME.fullmatch(name):
                texts.append((distribution, {f"{LICENCES}/{distribution}/{name.removeprefix(folder)}": content}))
    return merged(texts)


def licence_names(files: Files) -> list[str]:
    """Return what the metadata of a wheel says: an expression, else a short text, else what its classifiers name."""
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

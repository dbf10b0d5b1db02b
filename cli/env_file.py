"""Settings from a file of ``NAME=value`` lines, as docker and dotenv know it."""

import re
from pathlib import Path

from cli.errors import WrongCall


LINE = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z][A-Za-z0-9_]*)\s*=\s*(?P<value>.*)")
QUOTED = re.compile(r"(?P<quote>['\"])(?P<inside>.*)(?P=quote)\s*(?:#.*)?")
ESCAPES = {"n": "\n", "t": "\t"}


def read_env_file(file: Path) -> dict[str, str]:
    """Return the settings in *file*; a later line wins.

    Empty lines and lines that begin with ``#`` are left out, and so is what follows `` #`` after a value without
    quotes. Single quotes keep a value as it is, double quotes know ``\\n``, ``\\t``, ``\\"`` and ``\\\\``. Raises
    WrongCall, which names the line, for anything else.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise WrongCall(f"cannot read the settings file {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise WrongCall(f"{file} is no UTF-8 text: {error}") from error
    settings: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        match = LINE.fullmatch(text)
        if match is None:
            name = text.partition("=")[0].strip()  # the value may be a secret, so it is not shown
            raise WrongCall(f"{file}:{number}: found {name!r}, expected NAME=value, the name of A-Z a-z 0-9 _")
        settings[match["name"]] = _value(match["value"], f"{file}:{number}")
    return settings


def _value(text: str, where: str) -> str:
    if text[:1] not in ("'", '"'):
        return re.split(r"\s+#|^#", text, maxsplit=1)[0].rstrip()
    match = QUOTED.fullmatch(text)
    if match is None:
        raise WrongCall(f"{where}: the value begins with {text[0]} and does not end with it")
    if match["quote"] == "'":
        return match["inside"]
    return re.sub(r"\\(.)", lambda escape: ESCAPES.get(escape[1], escape[1]), match["inside"])

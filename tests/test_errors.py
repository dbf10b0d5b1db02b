"""The tree of errors."""

import re

from shared import errors


KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.BackupError)]
LEAVES = [kind for kind in KINDS if not set(kind.__subclasses__()) & set(KINDS)]


def test_the_docstring_shows_every_error_with_its_code() -> None:
    """The drawing has the errors that are raised, and says whether a retry can help."""
    drawn = re.findall(r"(\w+Error)\s+(\w+)\s+(yes|no)", str(errors.__doc__))

    assert {name: (code, retry == "yes") for name, code, retry in drawn} == {
        kind.__name__: (kind.code, kind.retryable) for kind in LEAVES
    }


def test_every_error_has_a_code_of_its_own() -> None:
    """Programs tell errors apart by it."""
    assert len({kind.code for kind in LEAVES}) == len(LEAVES)

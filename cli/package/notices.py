"""What one should know before the packages are made."""

import subprocess
from collections.abc import Iterator, Sequence

from cli.package.build import REQUIREMENTS
from cli.package.contents import OUR_LICENCES, SHARED, is_junk
from cli.template.model import Function


def notices(functions: Sequence[Function], python: str | None) -> Iterator[str]:
    """Yield warnings about packages of *functions* for *python* (None: for the Runtime of each)."""
    others = [function.name for function in functions if python and function.runtime != f"Python{python}"]
    if others:
        yield (
            f"the template has another Runtime than Python{python} for {', '.join(others)}. FunctionGraph cannot change"
            " the runtime of a function that exists: this package is for one that is yet to be made."
        )
    for file in sorted({function.code_root / REQUIREMENTS for function in functions}):
        if not file.exists():
            yield f"there is no {file}: what is packed has no requirements"
    files = sorted({file for function in functions for file in _uncommitted(function)})
    if files:
        some = ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
        yield f"what is packed has changes that are in no commit, in {some}"


def _uncommitted(function: Function) -> Sequence[str]:
    """Changed, untracked and ignored files that are packed; none where there is no git or no repository."""
    packed = [str(function.code_uri), SHARED, REQUIREMENTS, *OUR_LICENCES]
    command = ["git", "-C", str(function.code_root), "status", "-z", "--no-renames", "--ignored", "--", *packed]
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)  # noqa: S603 git
    except OSError:
        return ()
    files = [line[3:] for line in done.stdout.split("\0") if line] if done.returncode == 0 else []
    return [file for file in files if not is_junk(file)]

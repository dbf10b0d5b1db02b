"""The provider's source in a git repository, read at one revision; a bare repository will do."""

import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cli.terraform.derive.go_tokens import tokens
from cli.terraform.derive.go_values import Composite, Reader, Value


@dataclass(frozen=True)
class Checkout:
    """A repository and a revision of it."""

    repository: Path
    revision: str

    def git(self, *arguments: str) -> str:
        """Return what git prints. Raises CalledProcessError when it fails."""
        git = shutil.which("git")
        if git is None:
            raise FileNotFoundError("git is not installed")
        command = [git, "-C", str(self.repository), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - no shell

    def read(self, path: str) -> str:
        """Return the text of a file."""
        return self.git("show", f"{self.revision}:{path}")

    def package(self, folder: str) -> "GoPackage":
        """Return the Go package in *folder*."""
        paths = self.git("ls-tree", "--name-only", self.revision, f"{folder}/").split()
        return GoPackage(self, tuple(path for path in paths if path.endswith(".go") and not path.endswith("_test.go")))


@dataclass(frozen=True)
class GoPackage:
    """A package: what its functions return and what its constants are."""

    checkout: Checkout
    paths: tuple[str, ...]

    @cached_property
    def _sources(self) -> dict[str, str]:
        return {path: self.checkout.read(path) for path in self.paths}

    def path_of(self, function: str) -> str:
        """Return the file that defines *function*. Raises KeyError when none does."""
        for path, source in self._sources.items():
            if f"\nfunc {function}(" in source:
                return path
        raise KeyError(function)

    def composite(self, function: str, written_type: str) -> Composite:
        """Return the first composite literal of a type in *function*, which is the one that it returns here."""
        found = tokens(self._sources[self.path_of(function)])
        start = next(
            position
            for position, token in enumerate(found)
            if token.text == "func" and found[position + 1].text == function
        )
        parts = [token.text for token in tokens(written_type)]
        for position in range(start, len(found) - len(parts)):
            is_signature = found[position - 1].text in {"*", ")"}
            if not is_signature and [token.text for token in found[position : position + len(parts) + 1]] == [
                *parts,
                "{",
            ]:
                value = Reader(found, position).value()
                if isinstance(value, Composite):
                    return value
        raise KeyError(f"{function} has no {written_type}")

    def constant(self, name: str) -> Value:
        """Return what the constant *name* is set to. Raises KeyError when it is not there."""
        for source in self._sources.values():
            if name not in source:
                continue
            found = tokens(source)
            for position, token in enumerate(found[:-2]):
                if token.text == name and found[position + 1].text == "=":
                    return Reader(found, position + 2).value()
        raise KeyError(name)

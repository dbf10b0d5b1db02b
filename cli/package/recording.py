"""The record of what is read and compiled while a function is imported, which makes its cold start shorter."""

import platform
import sys

from cli.package.bytecode import Compiler, unpacked
from cli.package.contents import Files
from cli.package.model import Observer, PackagingFailed


READER = "shared/runtime/cold_start.py"


def recorded(files: Files, compiler: Compiler, observer: Observer) -> Files:
    """Return *files*, the whole content of a package, with its record in place of the byte code that is in it.

    The package is imported for it, which takes the platform that the wheels are for; elsewhere there is a warning and
    no record. Nor is there one without the module that reads it. Raises PackagingFailed when the package cannot be
    imported.
    """
    if READER not in files:
        return files
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        observer.warn(
            "Only Linux on x86_64 can import the package, to record what is compiled while it is imported: without"
            " that record its cold start takes longer, and its digest is another."
        )
        return files
    with unpacked(files) as root:
        with compiler.running("cli.package.record", str(root)) as child:
            child.communicate()
        if child.returncode:
            raise PackagingFailed("the package cannot be imported, see above")
        left = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
        return {name: files.get(name) or path.read_bytes() for name, path in left.items()}

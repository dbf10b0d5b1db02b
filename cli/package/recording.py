"""The record of what libraries compile while a function is imported, which makes its cold start shorter."""

import platform
import sys

from cli.package.bytecode import Compiler, unpacked
from cli.package.contents import Files
from cli.package.model import Observer, PackagingFailed


READER = "shared/runtime/cold_start.py"


def recorded(files: Files, compiler: Compiler, observer: Observer) -> Files:
    """Return the record for *files*, the whole content of a package, which is imported for it.

    That takes the platform that the wheels are for; elsewhere there is a warning and no record. Nor is there one
    without the module that reads it. Raises PackagingFailed when the package cannot be imported.
    """
    if READER not in files:
        return {}
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        observer.warn(
            "Only Linux on x86_64 can import the package, to record what is compiled while it is imported: without"
            " that record its cold start takes a little longer, and its digest is another."
        )
        return {}
    with unpacked(files) as root:
        with compiler.running("cli.package.record", str(root)) as child:
            child.communicate()
        if child.returncode:
            raise PackagingFailed("the package cannot be imported, see above")
        made = [path for path in root.rglob("*") if path.is_file() and path.relative_to(root).as_posix() not in files]
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in made}

"""What the process of a function runs first, as a script: `python -I start.py FD`, with `-S` for a package.

It makes the folder `inside` importable by a name that no function has, so that the modules there neither need to be
installed nor get in the way of the function's own.
"""

import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location


NAME = "_functiongraph_runtime"


def _main() -> None:
    spec = spec_from_file_location(NAME, f"{__file__.removesuffix('start.py')}inside/__init__.py")
    assert spec is not None  # noqa: S101 - for a file that ends in .py there is one
    assert spec.loader is not None  # noqa: S101 - see above
    package = module_from_spec(spec)
    sys.modules[NAME] = package
    spec.loader.exec_module(package)
    import_module(f"{NAME}.child").main()


if __name__ == "__main__":
    _main()

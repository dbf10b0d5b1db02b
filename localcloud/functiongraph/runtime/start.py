"""The script that a function's process runs first: `python -I start.py REPLIES LIFELINE`, with `-S` for a package.

It makes the folder `inside` importable under a name that no function has. So the modules in it need not be installed
and do not shadow the function's own.
"""

import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location


NAME = "_functiongraph_runtime"


def _main() -> None:
    spec = spec_from_file_location(NAME, f"{__file__.removesuffix('start.py')}inside/__init__.py")
    assert spec is not None  # noqa: S101 - a .py file always has a spec
    assert spec.loader is not None  # noqa: S101 - see above
    package = module_from_spec(spec)
    sys.modules[NAME] = package
    spec.loader.exec_module(package)
    import_module(f"{NAME}.child").main()


if __name__ == "__main__":
    _main()

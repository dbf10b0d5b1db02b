"""Where the files of the application are: in the source checkout, or inside the installed command."""

from pathlib import Path


CHECKOUT = Path(__file__).resolve().parent.parent
"""The folder that this package is imported from: the source checkout, or site-packages."""

INSTALLED = Path(__file__).resolve().parent / "application"
"""The copy of the application that a wheel brings (pyproject.toml, force-include). A checkout has none."""

APPLICATION = INSTALLED if INSTALLED.is_dir() else CHECKOUT
"""The folder with template.yaml, its schema, requirements.txt, events/, functions/ and shared/."""

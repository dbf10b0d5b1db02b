"""Fixtures for the tests of ``ddsbackup terraform``."""

from pathlib import Path
from typing import Any

import pytest

from cli.terraform.configuration import Configuration
from cli.terraform.resources import Target
from tests.terraform.templates import Make, everything, made_of, write


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Make the configuration of a template."""

    def make_it(template: dict[str, Any] | None = None, target: Target = Target.TERRAFORM) -> Configuration:
        return made_of(write(tmp_path, everything() if template is None else template), target)

    return make_it

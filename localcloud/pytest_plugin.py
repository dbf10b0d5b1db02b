"""Fixtures for pytest: a local cloud for the tests of any project. See docs/local_cloud.md.

Enable them in the top-level `conftest.py`: `pytest_plugins = ["localcloud.pytest_plugin"]`.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest


if TYPE_CHECKING:
    from localcloud import LocalCloud


@pytest.fixture(scope="session")
def local_cloud_options() -> dict[str, Any]:
    """The arguments of the session's LocalCloud: override this fixture to give a seed or switches."""
    return {}


@pytest.fixture(scope="session")
def local_cloud_server(local_cloud_options: dict[str, Any]) -> "Iterator[LocalCloud]":
    """The session's local cloud, for session-scoped fixtures such as SDK clients. Tests use `local_cloud`."""
    from localcloud import LocalCloud

    with LocalCloud(**local_cloud_options) as cloud:
        yield cloud


@pytest.fixture
def local_cloud(local_cloud_server: "LocalCloud") -> "LocalCloud":
    """A local cloud in its initial state: the session's server, reset before each test."""
    local_cloud_server.reset()
    return local_cloud_server


@pytest.fixture
def local_cloud_factory() -> "Iterator[Callable[..., LocalCloud]]":
    """Start further local clouds with the arguments of LocalCloud. They stop after the test."""
    from localcloud import LocalCloud

    with ExitStack() as clouds:
        yield lambda **options: clouds.enter_context(LocalCloud(**options))

"""Fixtures for every part: a local cloud on real HTTP."""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from localcloud import LocalCloud
from shared.runtime.logs import SDK_LOGGERS


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """A function takes over the log of its process, which here belongs to all tests."""
    loggers = [logging.getLogger(name) for name in ("shared", *SDK_LOGGERS)]
    before = [(logger, logger.handlers, logger.propagate, logger.level) for logger in loggers]
    yield
    for logger, handlers, propagate, level in before:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


@pytest.fixture(scope="session")
def _shared_cloud() -> Iterator[LocalCloud]:
    with LocalCloud() as cloud:
        yield cloud


@pytest.fixture
def cloud(_shared_cloud: LocalCloud) -> LocalCloud:
    """A local cloud as it comes from the seed: one server a session, everything in it put back before each test."""
    _shared_cloud.reset()
    return _shared_cloud


@pytest.fixture
def local_cloud_factory() -> Iterator[Callable[..., LocalCloud]]:
    """Start local clouds of one's own, with switches, a seed or a state file; they stop after the test."""
    with ExitStack() as clouds:

        def start(**options: Any) -> LocalCloud:
            return clouds.enter_context(LocalCloud(**options))

        yield start

"""Fixtures for every part: a local cloud on real HTTP."""

import logging
import signal
from collections.abc import Iterator

import hypothesis
import pytest

from localcloud import LocalCloud
from shared.runtime.logs import SDK_LOGGERS


pytest_plugins = ["localcloud.pytest_plugin"]

# No test depends on the speed of the machine. --hypothesis-profile is read later and replaces this profile.
hypothesis.settings.register_profile("no_deadline", deadline=None)
hypothesis.settings.load_profile("no_deadline")


@pytest.fixture(scope="session", autouse=True)
def _keys_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the key files of the tests' local clouds out of the user's folder. Those of killed ones stay behind."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_of_the_tests() -> None:
    """Let processes that tests start receive Ctrl-C. They inherit that it is ignored, as in a job of a script's `&`."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """Restore the loggers: a function configures those of its process, which all tests share here."""
    loggers = [logging.getLogger(name) for name in ("shared", *SDK_LOGGERS)]
    before = [(logger, logger.handlers, logger.propagate, logger.level) for logger in loggers]
    yield
    for logger, handlers, propagate, level in before:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


@pytest.fixture
def cloud(local_cloud: LocalCloud) -> LocalCloud:
    """A local cloud as the seed describes it. `cloud.switch(...)` changes its behaviour until the next test."""
    return local_cloud

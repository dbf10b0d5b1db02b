"""The fixtures for other people's tests, and the page that describes them."""

import re
from pathlib import Path
from typing import Any

import pytest

from localcloud.faults import FaultRule


pytest_plugins = ["pytester"]
PAGE = Path(__file__).parents[2] / "docs" / "local_cloud.md"
OTHER = """
    import pytest

    @pytest.fixture(scope="session")
    def local_cloud_options():
        return {"newer_filters": False}

    def test_switch(local_cloud):
        assert local_cloud.switches()["newer_filters"] is False
        local_cloud.switch(newer_filters=True, unique_names=False)
        local_cloud.advance(100)

    def test_reset(local_cloud, local_cloud_server):
        assert local_cloud is local_cloud_server
        assert local_cloud.switches()["newer_filters"] is False
        assert local_cloud.switches()["unique_names"] is True
        assert local_cloud.clock_offset() == 0

    def test_factory(local_cloud, local_cloud_factory):
        other = local_cloud_factory(job_delay=1)
        assert other.url != local_cloud.url
        assert (other.switches()["job_delay"], local_cloud.switches()["job_delay"]) == (1, 0)
    """


def test_the_example_of_the_page(pytester: pytest.Pytester) -> None:
    """The conftest.py and the tests in the page run as they are."""
    conftest, tests, *scripts = re.findall(r"^```python\n(.+?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    pytester.makeconftest(conftest)
    pytester.makepyfile(tests)

    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=2)
    for script in scripts:
        compile(script, "script", "exec")


def test_fixtures(pytester: pytest.Pytester) -> None:
    """One server a session, reset before each test; options and further servers are possible."""
    pytester.makeconftest('pytest_plugins = ["localcloud.pytest_plugin"]')
    pytester.makepyfile(OTHER)

    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=3)


def test_every_name_of_the_page_exists(local_cloud: Any) -> None:
    """The page names only methods of LocalCloud and fields of fault rules that exist, and every field."""
    page = PAGE.read_text()
    faults = page.partition("## Faults")[2].partition("```")[0]
    fields = {
        name for cell in re.findall(r"^\| (`.+?) \|", faults, re.MULTILINE) for name in re.findall(r"`(\w+)`", cell)
    }
    methods = set(re.findall(r"`(\w+)\([^`]*\)`", page)) - {"local_cloud_factory"}

    assert fields == set(FaultRule.model_fields)
    assert len(methods) > 8
    assert all(callable(getattr(local_cloud, method)) for method in methods)

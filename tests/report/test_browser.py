"""The page in a real browser: its console, accessibility, a phone, print, dark, forced colors, the keyboard.

Needs Chromium on the machine: apt-get install chromium.
"""

import gzip
import shutil
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, sync_playwright

from cli.report.making import make_report
from cli.report.model import Facts, Report
from cli.report.page import page as html
from shared.model import BackupJob
from tests.report.conftest import DAY, HOUR, NOW, backup, drill_tasks, instance, targets


CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no browser on this machine: apt-get install chromium"),
]


def everything(count: int = 8) -> Report:
    """A report with every kind of day and of finding, half of the instances well."""
    known = [instance(number, name=f"orders-{number}") for number in range(count)]
    known.append(instance(900, name="", tags={"backup": "nightly"}))
    made = [
        backup(day * DAY + 19 * HOUR + timedelta(minutes=7 * number), of=number, size=123_456 * (day + number))
        for number in range(count)
        for day in range(0 if number % 2 else 3, 90)
        if (day * 7 + number * 5) % 23
    ]
    made += [backup(day * DAY + 18 * HOUR, "FAILED", of=number) for number in range(0, count, 2) for day in (1, 2, 17)]
    made += [backup(HOUR, "BUILDING", of=1), backup(400 * DAY, of=990, instance_name="gone")]
    jobs = [BackupJob("j", instance(900).id, NOW - 3 * DAY, "Completed")]
    tasks = drill_tasks(made[0], 2 * DAY, timedelta(minutes=14))
    windows = {one.id: (NOW - 7 * DAY, NOW - HOUR) for one in known[:3]}
    facts = Facts(known, made, jobs, tasks, windows=windows)
    return make_report(facts, targets(remarks=("The targets are the policies.",)), NOW, "the region cn-north-4", 0.04)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def file(tmp_path: Path) -> str:
    """The address of the page."""
    path = tmp_path / "report.html"
    path.write_text(html(everything()), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def messages() -> list[str]:
    """What the browser says in its console."""
    return []


@pytest.fixture
def page(browser: Browser, file: str, messages: list[str]) -> Iterator[Page]:
    """The page on a desk. The console stays empty."""
    with browser.new_context(viewport={"width": 1100, "height": 800}) as context:
        opened = context.new_page()
        opened.on("console", lambda message: messages.append(message.text))
        opened.on("pageerror", lambda error: messages.append(str(error)))
        opened.goto(file)
        yield opened
    assert messages == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1100, 360])
def test_axe_finds_nothing(page: Page, scheme: str, width: int) -> None:
    """No violation of WCAG that it knows, contrast included, at a desk and on a phone."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 800})

    found = Axe().run(page)

    assert found.violations_count == 0, found.generate_report()


def test_a_phone_scrolls_in_one_direction(page: Page) -> None:
    """Nothing is wider than 360 pixels."""
    page.set_viewport_size({"width": 360, "height": 740})

    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_dark(page: Page) -> None:
    """The page follows the scheme of the system, the strips too."""
    light = colors(page)
    page.emulate_media(color_scheme="dark")
    dark = colors(page)

    assert all(one != other for one, other in zip(light, dark, strict=True))


def colors(page: Page) -> list[str]:
    """The colors of the ground, the text, and a strip."""
    style = "(selector, name) => getComputedStyle(document.querySelector(selector))[name]"
    wanted = [("body", "backgroundColor"), ("body", "color"), (".strip .good", "fill"), (".strip .failed", "fill")]
    return [page.evaluate(f"([selector, name]) => ({style})(selector, name)", list(pair)) for pair in wanted]


def test_forced_colors(page: Page) -> None:
    """All shapes have the color of the text, and differ by their form."""
    page.emulate_media(forced_colors="active")
    kinds = ["good", "failed", "missed", "building", "deleted", "none"]
    fills = {
        page.evaluate("kind => getComputedStyle(document.querySelector('.legend .' + kind)).fill", kind)
        for kind in kinds
    }
    shapes = {page.locator(f".legend .{kind}").get_attribute("d") for kind in kinds}

    assert len(fills) == 1
    assert fills != {page.evaluate("getComputedStyle(document.body).backgroundColor")}
    assert len(shapes) == len(kinds)


def test_print(page: Page) -> None:
    """It is on white, without the link for the keyboard, and no instance is torn apart."""
    page.emulate_media(media="print", color_scheme="dark")

    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert page.evaluate("getComputedStyle(document.querySelector('article')).breakInside") == "avoid"
    assert not page.locator(".skip").is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF-")


def test_the_keyboard_alone(page: Page) -> None:
    """Tab goes to the skip link, then to each finding in its order; Enter leads to the instance."""
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the instances"
    assert page.locator(".skip").is_visible()
    links = page.locator("table a").all()
    for link in links:
        page.keyboard.press("Tab")
        assert link.evaluate("link => link === document.activeElement")
        assert link.evaluate("link => getComputedStyle(link).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.url.partition("#")[2] == str(links[-1].get_attribute("href")).removeprefix("#")


def test_a_screen_reader(page: Page) -> None:
    """Headings are in order, each strip says its days, and each table names its columns and rows."""
    levels = [int(heading.evaluate("heading => heading.tagName[1]")) for heading in page.locator("h1,h2,h3").all()]
    strips = page.get_by_role("img").all()

    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len(strips) == page.locator("article").count() == 9
    assert all("90 days from 2026-08-27. " in str(strip.text_content()) for strip in strips)
    assert page.locator("th:not([scope])").count() == 0
    assert page.locator("html").get_attribute("lang") == "en"
    assert "Findings: Backups of the region cn-north-4" in page.title()


def test_300_instances(browser: Browser, tmp_path: Path) -> None:
    """At most 60 KB gzipped, and a browser shows it without complaint."""
    text = html(everything(299))
    path = tmp_path / "large.html"
    path.write_text(text, encoding="utf-8")
    opened = browser.new_page()
    opened.goto(path.as_uri())

    assert opened.locator("article").count() == 300
    assert len(gzip.compress(text.encode())) <= 60 * 1024
    opened.close()

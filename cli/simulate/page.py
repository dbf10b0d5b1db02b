"""A simulation as one HTML page: no script, no file besides, light and dark, printable, readable without colors."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from importlib import resources

from cli.simulate.display import WORDS, duration, effect_lines
from cli.simulate.faults import DAY
from cli.simulate.platform import Platform
from cli.simulate.summary import Cell, Line, Summary
from localcloud.clock import text
from shared.format import counted


_STEP, _TALL = 7, 16  # pixels of a day in a strip
_WIDE, _HIGH = 700, 90  # pixels of a chart
# Each kind has a shape of its own, so that nothing depends on colors.
_SHAPES = {
    Cell.GOOD: "M{x} 2h5v12h-5z",
    Cell.LATE: "M{x} 8h5v6h-5z",
    Cell.FAILED: "M{x} 3l5 10m0-10l-5 10",
    Cell.MISSED: "M{x}.5 2.5h4v11h-4z",
    Cell.BUILDING: "M{x} 14l2.5-8 2.5 8z",
    Cell.NOT_DUE: "M{x} 13h5",
}
_REASONS = {"no_rule": "no rule keeps it", "max_age": "older than max_age", "failed": "failed, and a week old"}


def render(summary: Summary, platform: Platform, seed: int) -> str:
    """Return the page."""
    style = resources.files("cli.simulate").joinpath("page.css").read_text(encoding="utf-8")
    first = text(summary.start, "%Y-%m-%d")
    last = text(summary.start + summary.days * DAY - 1, "%Y-%m-%d")
    title = platform.world.story or "A simulation of DDS backups"
    said = f"{counted(summary.days, 'day')}, {first} to {last}, seed {seed}. Simulated: nothing of this happened."
    parts = [
        f"<header><h1>{escape(title)}</h1><p>{escape(said)}</p></header><main>",
        _headline(summary),
        *_faults(summary),
        _section("Every night", _strips(summary), _legend(summary)),
        _section("What existed when", *map(_lives, summary.lines)),
        _section("Over time", *_charts(summary, platform)),
        _section("Numbers", *_tables(summary, platform)),
        "</main>",
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{style}</style></head>\n<body>{''.join(parts)}</body></html>\n"
    )


def _headline(summary: Summary) -> str:
    due = sum(summary.cells(cell) for cell in (Cell.GOOD, Cell.LATE, Cell.FAILED, Cell.MISSED, Cell.BUILDING))
    facts = [(f"{summary.cells(Cell.GOOD) + summary.cells(Cell.LATE)} of {due}", "days with every backup that was due")]
    facts += [(str(summary.cells(cell)), WORDS[cell]) for cell in (Cell.LATE, Cell.FAILED, Cell.MISSED)]
    facts += [
        (str(summary.late), f"announcements late{f', by up to {duration(summary.latest)}' * bool(summary.late)}"),
        (str(sum(summary.deleted.values())), "backups deleted by a rule"),
        (f"{sum(summary.gb_days):,.0f}", "GB-days of backups"),
        (f"{summary.mails:,}", "e-mails"),
    ]
    cells = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for value, name in facts)
    return f'<dl class="facts">{cells}</dl>'


def _faults(summary: Summary) -> Iterator[str]:
    if summary.effects:
        items = "".join(
            f"<li><strong>{escape(effect.fault.text)}</strong><ul>"
            f"{''.join(f'<li>{escape(line)}</li>' for line in effect_lines(effect))}</ul></li>"
            for effect in summary.effects
        )
        yield _section("What went wrong, and what it did", f"<ul>{items}</ul>")


def _section(title: str, *parts: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{''.join(parts)}</section>"


def _strips(summary: Summary) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(line.name)}<small> {escape(line.mode)}, {line.data_gb:.1f} GB</small></th>'
        f"<td>{_strip(line)}</td>"
        + "".join(f'<td class="n">{line.count(cell)}</td>' for cell in (Cell.GOOD, Cell.LATE, Cell.FAILED, Cell.MISSED))
        + f'<td class="n">{line.kept}</td></tr>'
        for line in summary.lines
    )
    names = ("Instance", "Days", "good", "late", "failed", "missed", "kept")
    heads = "".join(f'<th scope="col">{name}</th>' for name in names)
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<div class="wide" tabindex="0" role="region" aria-label="Every night">{table}</div>'


def _strip(line: Line) -> str:
    shapes: dict[Cell, list[str]] = {}
    for day, cell in enumerate(line.cells):
        if cell in _SHAPES:
            shapes.setdefault(cell, []).append(_SHAPES[cell].format(x=day * _STEP))
    paths = "".join(f'<path class="{cell.value}" d="{"".join(found)}"/>' for cell, found in shapes.items())
    said = [f"{line.count(cell)} {WORDS[cell]}" for cell in WORDS if line.count(cell)]
    for cell in (Cell.FAILED, Cell.MISSED, Cell.LATE):
        if line.count(cell):
            days = [str(day + 1) for day, one in enumerate(line.cells) if one is cell]
            said.append(f"{WORDS[cell]} on day {', '.join(days[:20])}{' and others' * (len(days) > 20)}")
    wide = len(line.cells) * _STEP
    return (
        f'<svg role="img" width="{wide}" height="{_TALL}" viewBox="0 0 {wide} {_TALL}">'
        f"<title>{escape(f'{line.name}: ' + '; '.join(said))}</title>{paths}</svg>"
    )


def _legend(summary: Summary) -> str:
    used = {cell for line in summary.lines for cell in line.cells}
    items = "".join(
        f'<li><svg width="6" height="{_TALL}" aria-hidden="true"><path class="{cell.value}" '
        f'd="{_SHAPES[cell].format(x=0)}"/></svg> {escape(word)}</li>'
        for cell, word in WORDS.items()
        if cell in used
    )
    return f'<ul class="legend">{items}</ul>'


def _lives(line: Line) -> str:
    """One line for each backup, from its begin to its deletion, the oldest on top."""
    if not line.lives:
        return ""
    days = len(line.cells)
    high = max(12, min(_HIGH, len(line.lives)))
    paths: dict[str, list[str]] = {}
    for number, (begin, end, reason, is_good) in enumerate(line.lives):
        kind = "failed" if not is_good else "deleted" if reason else "kept"
        left = round(max(0.0, begin) * _WIDE / days, 1)
        wide = round(max(1.5, (min(days, days if end is None else end) - max(0.0, begin)) * _WIDE / days), 1)
        y = round((number + 0.5) * high / len(line.lives), 1)
        paths.setdefault(kind, []).append(f"M{left:g} {y:g}h{wide:g}")
    lines = "".join(f'<path class="life {kind}" d="{"".join(found)}"/>' for kind, found in sorted(paths.items()))
    deleted = sum(bool(reason) for _, _, reason, _ in line.lives)
    said = f"{line.name}: {counted(len(line.lives), 'backup')}, {deleted} deleted by a rule, {line.kept} at the end"
    return (
        f"<figure><figcaption>{escape(said)}</figcaption>"
        f'<svg role="img" viewBox="0 0 {_WIDE} {high}" width="{_WIDE}" height="{high}">'
        f"<title>{escape(said)}</title>{lines}</svg></figure>"
    )


def _charts(summary: Summary, platform: Platform) -> Iterator[str]:
    days = platform.ledger.days
    yield _chart("Backups, in GB at the end of each day", [day.manual_gb + day.automatic_gb for day in days])
    yield _chart("Backups that exist", [float(day.manual + day.automatic) for day in days])
    calls, told, runs = [0.0] * summary.days, [0.0] * summary.days, [0.0] * summary.days
    for (day, _), number in platform.services.calls.items():
        calls[min(day, summary.days - 1)] += number
    for one in platform.ledger.told:
        told[min(int((one.moment - summary.start) // DAY), summary.days - 1)] += 1
    for (day, _), number in platform.ledger.invocations.items():
        runs[min(day, summary.days - 1)] += number
    yield _chart("API calls a day", calls)
    yield _chart("Invocations a day", runs)
    yield _chart("Messages a day", told)


def _chart(title: str, values: Sequence[float]) -> str:
    most, step = max(values, default=0.0) or 1.0, _WIDE / max(1, len(values))
    points = "".join(
        f"{'L' if number else 'M'}{number * step:.1f} {_HIGH - value / most * (_HIGH - 4):.1f}h{step:.1f}"
        for number, value in enumerate(values)
    )
    said = f"{title}: {values[0]:,.0f} on the first day, {values[-1]:,.0f} on the last, at most {most:,.0f}"
    return (
        f"<figure><figcaption>{escape(said)}</figcaption>"
        f'<svg role="img" viewBox="0 0 {_WIDE} {_HIGH}" width="{_WIDE}" height="{_HIGH}"><title>{escape(said)}</title>'
        f'<path class="area" d="{points}V{_HIGH}H0z"/></svg></figure>'
    )


def _tables(summary: Summary, platform: Platform) -> Iterator[str]:
    ledger = platform.ledger
    yield _table("Announced", ("Notification", "Number"), summary.told.items())
    yield _table("By severity, repeats included", ("Severity", "Number"), summary.severities.items())
    deleted = {_REASONS.get(name, name): number for name, number in summary.deleted.items()}
    yield _table("Deleted, by the rule", ("Reason", "Backups"), deleted.items() or [("none", 0)])
    yield _table("Kept at the end, by rule or protection", ("Rule", "Backups"), sorted(ledger.kept.items()))
    yield _table("Invocations", ("Function", "Number"), summary.invocations.items())
    yield _table("API calls", ("Operation", "Number"), summary.calls.items())
    if summary.money:
        amounts: Mapping[str, str] = {name.replace("_", " "): f"{value:,.2f}" for name, value in summary.money.items()}
        yield _table("Price of all days", ("Item", "Amount"), amounts.items())
    if summary.unannounced:
        yield _table("Ends that nobody was told of", ("Backup", ""), [(name, "") for name in summary.unannounced])


def _table(title: str, heads: tuple[str, str], rows: Iterable[tuple[str, object]]) -> str:
    def shown(value: object) -> str:
        return f"{value:,}" if isinstance(value, int) else str(value)

    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td class="n">{escape(shown(value))}</td></tr>' for name, value in rows
    )
    columns = "".join(f'<th scope="col">{head}</th>' for head in heads if head)
    return f"<table><caption>{escape(title)}</caption><thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table>"

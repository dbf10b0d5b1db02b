"""Stories of retention as a calendar, side by side, and as JSON. Marks are letters, so that colour only helps."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.console import print_fact
from cli.explain.retention import Life, Story
from cli.json_value import Json, JsonObject
from shared.format import counted, duration, timestamp
from shared.prune.plan import Fate
from shared.prune.report import REASONS
from shared.prune.retention import LAST, MAX_AGE, Tier


LETTERS = {LAST: "L", **{tier.value: tier.value[0].upper() for tier in Tier}, MAX_AGE: "A"}
"""The letter of each rule, the rarest period last."""

PROTECTED, NEXT, GONE = "P", "x", "-"
_STYLES = {
    "L": "cyan",
    "H": "magenta",
    "D": "yellow",
    "W": "green",
    "M": "blue",
    "Y": "red",
    "A": "cyan",
    PROTECTED: "bold",
    NEXT: "bold red",
    GONE: "dim",
}
_MEANINGS = {
    **{letter: "younger than max_age" if rule == MAX_AGE else rule for rule, letter in LETTERS.items()},
    PROTECTED: "protected",
    NEXT: "goes with the next run",
    GONE: "gone",
}
_WIDE, _HALF_WIDE = 78, 68
"""Columns that a calendar with the days of the month needs, and two calendars with spacious cells."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WEEK = timedelta(days=7)


def letters_of(lives: Sequence[Life]) -> str:
    """Return the marks of the backups of one day, each once: those that stay first."""
    found = {LETTERS.get(mark, PROTECTED) for life in lives if life.is_kept for mark in life.marks}
    kept = "".join(letter for letter in (*LETTERS.values(), PROTECTED) if letter in found)
    going = NEXT if any(life.fate is Fate.DELETE for life in lives) else ""
    return kept + going or (GONE if lives else "")


def show_story(console: Console, story: Story, weeks: int, *, lists_all: bool) -> None:
    """Print the calendar of the last *weeks*, the backups that are kept, or all of them, and the totals."""
    print_fact(console, "Rules", str(story.rules.retention))
    console.print()
    days = _by_day(story)
    is_wide = console.width >= _WIDE
    calendar = _grid("", *_DAYS, width=10 if is_wide else 7)
    for monday in _mondays(story, weeks):
        cells = [_cell(day, days.get(day, []), story, with_day=is_wide) for day in _days_of(monday)]
        calendar.add_row(f"{monday:%b %d}", *cells)
    console.print(calendar)
    _print_legend(console, [story])
    console.print(_table(story, story.lives if lists_all else story.of(Fate.KEEP, Fate.PROTECT, Fate.DELETE)))
    console.print()
    for line in totals(story):
        console.print(line, markup=False)


def show_comparison(console: Console, first: Story, second: Story, weeks: int) -> None:
    """Print two calendars side by side, a star at each day that differs, what differs, and the totals of both."""
    print_fact(console, "Left", str(first.rules.retention))
    print_fact(console, "Right", str(second.rules.retention))
    console.print()
    differ = {one.backup.id for one, _ in _pairs_that_differ(first, second)}
    days = [day[:2] for day in _DAYS]
    grids = _grid("", *days, "", *days, width=4 if console.width >= _HALF_WIDE else 3)
    left, right = _by_day(first), _by_day(second)
    for monday in _mondays(first, weeks):
        row: list[str | Text] = [f"{monday:%b %d}"]
        for lives in (left, right):
            row += [_mark(lives.get(day, []), differ) for day in _days_of(monday)] + [""]
        grids.add_row(*row[:-1])
    console.print(grids)
    _print_legend(console, [first, second], more=["* kept by one of the two only"])
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for heading in (f"Began ({first.rules.zone})", "Left", "Right"):
        table.add_column(heading)
    for one, other in _pairs_that_differ(first, second):
        table.add_row(_began(one, first), _fate(one), _fate(other))
    if differ:
        console.print(table)
        console.print()
    for name, story in (("Left", first), ("Right", second)):
        for line in totals(story):
            console.print(f"{name}: {line}", markup=False)


def totals(story: Story) -> Iterator[str]:
    """Yield how many backups are kept by which rule, how far back they reach, and how many go or have gone, and why."""
    kept, going, gone = story.kept, story.of(Fate.DELETE), story.of(None)
    rules = Counter(mark for life in kept for mark in life.marks)
    names = sorted(rules, key=lambda mark: ([*LETTERS].index(mark) if mark in LETTERS else len(LETTERS), mark))
    by_rule = ", ".join(f"{_word(mark)} {rules[mark]}" for mark in names)
    yield f"{counted(len(kept), 'backup')} kept of {len(story.lives):,}: {by_rule}" if kept else "No backup is kept"
    oldest = min((life.backup.begin_time for life in kept if life.backup.begin_time), default=None)
    if oldest:
        yield f"The oldest began {duration(story.now - oldest)} ago"
    reasons = Counter(life.reason or "" for life in gone)
    if gone:
        yield f"{len(gone):,} gone: " + ", ".join(f"{_word(reason)} ({n:,})" for reason, n in reasons.most_common())
    if going:
        yield f"{counted(len(going), 'backup')} {'goes' if len(going) == 1 else 'go'} with the next run"


def _word(reason: str) -> str:
    return reason if reason in LETTERS else REASONS.get(reason, reason)


def _by_day(story: Story) -> dict[date, list[Life]]:
    days: dict[date, list[Life]] = {}
    for life in story.lives:
        if life.backup.begin_time:
            days.setdefault(life.backup.begin_time.astimezone(story.rules.zone).date(), []).append(life)
    return days


def _today(story: Story) -> date:
    return story.now.astimezone(story.rules.zone).date()


def _mondays(story: Story, weeks: int) -> list[date]:
    """Return the Mondays of the weeks to show, the oldest first: those with backups among the last *weeks*."""
    today = _today(story)
    days = [day for day in _by_day(story) if day >= today - weeks * _WEEK] or [today]
    monday, found = min(days) - timedelta(days=min(days).weekday()), []
    while monday <= today:
        found.append(monday)
        monday += _WEEK
    return found


def _days_of(monday: date) -> list[date]:
    return [monday + timedelta(days=number) for number in range(7)]


def _grid(first: str, *headings: str, width: int) -> Table:
    grid = Table(box=None, padding=0, header_style="dim", pad_edge=False)
    grid.add_column(first, width=8, no_wrap=True)
    for heading in headings:
        grid.add_column(heading, width=width, no_wrap=True)
    return grid


def _cell(day: date, lives: list[Life], story: Story, *, with_day: bool) -> Text:
    """Return the day of the month and the marks of its backups, and how many are kept if there are several."""
    if day > _today(story):
        return Text("")
    cell = Text(f"{day.day:2} " if with_day else "", style="" if lives else "dim")
    cell.append(_styled(letters_of(lives)))
    if len(lives) > 1 and (kept := sum(life.is_kept for life in lives)):
        cell.append(f"\n{kept} of {len(lives)}", style="dim")
    return cell


def _mark(lives: list[Life], differ: set[str]) -> Text:
    """Return the mark of the rarest rule that keeps a backup of a day, with a star if the two retentions differ."""
    letters = letters_of(lives).replace(NEXT, "") or letters_of(lives)
    star = "*" if any(life.backup.id in differ for life in lives) else ""
    return _styled(letters[-1:]).append(star, style="bold")


def _styled(letters: str) -> Text:
    return Text(letters, style=_STYLES[letters[-1]] if letters else "")


def _print_legend(console: Console, stories: Sequence[Story], more: Sequence[str] = ()) -> None:
    used = {letter for story in stories for lives in _by_day(story).values() for letter in letters_of(lives)}
    parts = [f"{letter} {meaning}" for letter, meaning in _MEANINGS.items() if letter in used]
    console.print()
    console.print(", ".join([*parts, *more]), style="dim", markup=False)
    console.print()


def _table(story: Story, lives: Sequence[Life]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column(f"Began ({story.rules.zone})", no_wrap=True, min_width=16)
    table.add_column("Kept by")
    table.add_column("Goes", no_wrap=True, min_width=10)
    table.add_column("Why")
    for life in lives:
        marks = "gone" if life.fate is None else " ".join(map(_word, life.marks)) if life.is_kept else "nothing"
        table.add_row(_began(life, story), marks, _goes(life, story), why(life))
    return table


def _began(life: Life, story: Story) -> str:
    began = life.backup.begin_time
    return f"{began.astimezone(story.rules.zone):%Y-%m-%d %H:%M}" if began else "unknown"


def _goes(life: Life, story: Story) -> str:
    return f"{life.goes.astimezone(story.rules.zone):%Y-%m-%d}" if life.goes else f"after {story.ends:%Y-%m}"


def why(life: Life) -> str:
    """Return the reason why a backup goes, with what kept it until then."""
    if life.reason is None:
        return ""
    words = "older than max_age" if life.reason == MAX_AGE else _word(life.reason)
    until = [mark for mark in life.until if mark in LETTERS and mark != MAX_AGE]
    return f"out of {until[-1]}" if life.reason == "no_rule" and until else words


def _fate(life: Life) -> str:
    if life.is_kept:
        return "kept: " + " ".join(map(_word, life.marks))
    return f"goes {life.goes:%Y-%m-%d}" if life.fate is Fate.DELETE else f"gone {life.goes:%Y-%m-%d}, {why(life)}"


_STATES = {Fate.KEEP: "kept", Fate.PROTECT: "protected", Fate.DELETE: "goes_next", None: "gone"}


def story_document(story: Story) -> JsonObject:
    """Return a story as JSON: the rules, the totals, and every backup."""
    rules = Counter(mark for life in story.kept for mark in life.marks)
    reasons = Counter(life.reason or "" for life in story.of(None))
    return {
        "rules": str(story.rules.retention),
        "zone": str(story.rules.zone),
        "simulated_until": timestamp(story.ends),
        "totals": {
            "backups": len(story.lives),
            "kept": len(story.kept),
            "kept_by": dict[str, Json](rules),
            "go_next": len(story.of(Fate.DELETE)),
            "gone": len(story.of(None)),
            "gone_because": dict[str, Json](reasons),
        },
        "backups": [_life_document(life) for life in story.lives],
    }


def _life_document(life: Life) -> JsonObject:
    return {
        "id": life.backup.id,
        "name": life.backup.name,
        "began": _time(life.backup.begin_time),
        "state": _STATES[life.fate],
        "marks": list[Json](life.marks),
        "goes": _time(life.goes),
        "reason": life.reason,
        "kept_until_then_by": list[Json](life.until),
    }


def differences(first: Story, second: Story) -> list[Json]:
    """Return the backups that one of two retentions keeps now and the other does not, as JSON."""
    return [
        {"id": one.backup.id, "began": _time(one.backup.begin_time), "kept": [one.is_kept, other.is_kept]}
        for one, other in _pairs_that_differ(first, second)
    ]


def _pairs_that_differ(first: Story, second: Story) -> list[tuple[Life, Life]]:
    pairs = zip(first.lives, second.lives, strict=True)
    return [(one, other) for one, other in pairs if one.is_kept != other.is_kept]


def _time(moment: datetime | None) -> Json:
    return timestamp(moment)

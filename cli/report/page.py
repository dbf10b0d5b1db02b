"""The report as one HTML file: no script, nothing loaded, readable in light, dark, forced colors, print and speech."""

import base64
import hashlib
from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby

import htpy as h
from markupsafe import Markup

from cli.report.model import Finding, InstanceReport, Report
from cli.report.strip import DAYS, Kind, Strip
from cli.report.style import STYLE
from cli.report.words import Answer, answers, facts, finding_text, moment, title
from shared.format import counted, plain, size


_HEIGHT = 10
_NAMED_DAYS = 7
"""How many days of a kind the text of a strip names one by one."""


def page(report: Report) -> str:
    """Return the report as HTML. Its policy allows the one style sheet inside it, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    heading = f"Backups of {plain(report.place)}"
    document = h.html(lang="en")[
        h.head[
            h.meta(charset="utf-8"),
            h.meta(http_equiv="Content-Security-Policy", content=policy),
            h.meta(name="viewport", content="width=device-width, initial-scale=1"),
            h.meta(name="color-scheme", content="light dark"),
            h.title[f"{'All well' if report.is_well else 'Findings'}: {heading}"],
            h.link(rel="icon", href="data:,"),
            h.style[Markup(STYLE)],  # noqa: S704 a constant
        ],
        h.body[
            h.a(".skip", href="#instances")["Skip to the instances"],
            h.header[h.h1[heading], h.p[moment(report.time)]],
            h.main[
                [_answer(report, answer) for answer in answers(report)],
                h.section(id="instances", aria_labelledby="instances-title")[
                    h.h2(id="instances-title")["Instances"],
                    _legend(),
                    [_instance(one) for one in report.instances],
                    _orphans(report),
                ],
            ],
            h.footer[[h.p[remark] for remark in report.remarks]],
        ],
    ]
    return str(document)


def _answer(report: Report, answer: Answer) -> h.Element:
    is_table = not report.is_well and answer == answers(report)[1]
    return h.section[
        h.h2[answer.question, _STATES[answer.is_well]],
        _findings(report) if is_table else h.ul[[h.li[plain(sentence)] for sentence in answer.sentences]],
    ]


_STATES: dict[bool | None, h.Node] = {
    True: h.span(".well")[" (well)"],
    False: h.span(".wrong")[" (needs a person)"],
    None: None,
}


def _findings(report: Report) -> h.Element:
    named: list[tuple[h.Node, Finding]] = [
        (h.a(href=f"#{_anchor(one)}")[title(one)], finding) for one in report.instances for finding in one.findings
    ]
    return h.table[
        h.thead[h.tr[[h.th(scope="col")[name] for name in ("Instance", "Finding", "Since")]]],
        h.tbody[
            [
                h.tr[
                    h.th(scope="row")[name],
                    h.td[f"{plain(finding.text)} ({finding.code})"],
                    h.td[moment(finding.since) if finding.since else "not known"],
                ]
                for name, finding in [*named, *(("none", finding) for finding in report.findings)]
            ]
        ],
    ]


def _anchor(one: InstanceReport) -> str:
    return f"i-{one.id}"


def _instance(one: InstanceReport) -> h.Element:
    return h.article(id=_anchor(one), class_={"wrong": bool(one.findings)})[
        h.h3[title(one)],
        h.p(".id")[f"{plain(one.kind)} {plain(one.id)}".strip()],
        [h.p(".finding")[finding_text(finding)] for finding in one.findings],
        _strip(one.strip),
        h.dl[[h.div[h.dt[name], h.dd[value]] for name, value in facts(one)]],
    ]


def _orphans(report: Report) -> h.Node:
    if not report.orphans:
        return None
    return [
        h.h3["Deleted instances with backups"],
        h.table[
            h.thead[h.tr[[h.th(scope="col")[name] for name in ("Instance", "Backups", "Size")]]],
            h.tbody[
                [
                    h.tr[h.th(scope="row")[plain(one.name) or one.id], h.td[str(one.backups)], h.td[size(one.size)]]
                    for one in report.orphans
                ]
            ],
        ],
    ]


# The strips. Each kind has a shape of its own, so that nothing depends on its color.


def _strip(strip: Strip) -> h.Element:
    days = list(enumerate(strip.days))
    runs = [(kind, [place for place, _ in run]) for kind, run in groupby(days, key=lambda day: day[1])]
    return h.svg(".strip", role="img", viewBox=f"0 0 {DAYS} {_HEIGHT}", preserveAspectRatio="none")[
        h.title[strip_words(strip)],
        [
            h.path(
                class_=kind.name.lower(), d="".join(_shape(kind, run[0], len(run)) for of, run in runs if of is kind)
            )
            for kind in Kind
            if kind in strip.days
        ],
    ]


def _shape(kind: Kind, begin: int, length: int) -> str:
    """Return the path of consecutive days of a kind, in units of a day. The first number is the first day."""
    match kind:
        case Kind.GOOD:
            return f"M{begin} 0h{length}v10h-{length}z"
        case Kind.DELETED:
            return f"M{begin} 6h{length}v4h-{length}z"
        case Kind.BUILDING:
            return f"M{begin} 3h{length}v4h-{length}z"
        case Kind.NONE:
            return f"M{begin} 9h{length}v1h-{length}z"
        case Kind.MISSED:
            return "".join(f"M{day} 0h.8v6h-.8zm0 8h.8v2h-.8z" for day in range(begin, begin + length))
        case Kind.FAILED:
            return "".join(f"M{day} 0h.4l.6 10h-.4zm.6 0h.4l-.6 10h-.4z" for day in range(begin, begin + length))


def strip_words(strip: Strip) -> str:
    """Return what a strip shows as text, with the days that are bad, unless they are many."""
    parts = []
    for kind in Kind:
        places = [place for place, of in enumerate(strip.days) if of is kind]
        if places:
            named = kind in {Kind.FAILED, Kind.MISSED, Kind.BUILDING} and len(places) <= _NAMED_DAYS
            dates = ", ".join(str(strip.first + timedelta(days=place)) for place in places)
            parts.append(f"{kind.words}: {counted(len(places), 'day')}" + (f" ({dates})" if named else ""))
    return f"{DAYS} days from {strip.first}. {'; '.join(parts)}."


def _legend() -> h.Element:
    return h.ul(".legend")[list(_legend_items())]


def _legend_items() -> Iterator[h.Element]:
    for kind in Kind:
        picture = h.svg(viewBox=f"0 0 3 {_HEIGHT}", preserveAspectRatio="none", aria_hidden="true")[
            h.path(class_=kind.name.lower(), d=_shape(kind, 0, 3))
        ]
        yield h.li[picture, f" {kind.words}"]

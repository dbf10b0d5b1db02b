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
from cli.report.words import Answer, answers, facts, finding_text, moment, title
from shared.format import counted, plain, size


_STYLE = """
:root{color-scheme:light dark;--back:#fff;--text:#1a1a1a;--muted:#555;--line:#c4c4c4;--link:#0b57a8;
--good:#1a7f37;--failed:#b3261e;--missed:#8a5200;--building:#0b63b0;--deleted:#5b8466;--none:#767676}
@media (prefers-color-scheme:dark){:root{--back:#14171a;--text:#e8e8e8;--muted:#b4b4b4;--line:#50555a;--link:#7ab8ff;
--good:#4ac26b;--failed:#ff8a80;--missed:#e3b341;--building:#58a6ff;--deleted:#7fa88a;--none:#8f8f8f}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:60rem;background:var(--back);color:var(--text);
font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem;margin:0}h2{font-size:1.2rem;margin:1.5rem 0 .25rem}h3{font-size:1rem;margin:0}
p{margin:0}a{color:var(--link)}a:focus-visible{outline:3px solid currentColor;outline-offset:2px}
header p,footer,.id{color:var(--muted)}.id{font-size:.875rem}
.skip{position:absolute;left:-99rem}.skip:focus{position:static}
ul{margin:.25rem 0;padding-left:1.25rem}
span.wrong{color:var(--failed)}span.well{color:var(--good)}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid var(--line)}
tbody th{font-weight:600;min-width:6rem}td:nth-child(3){min-width:6.5rem}
article{border:1px solid var(--line);border-left-width:.4rem;padding:.6rem .75rem;margin:.75rem 0;break-inside:avoid}
article.wrong{border-left-color:var(--failed)}
.finding{color:var(--failed);font-weight:600}.finding::before{content:"! "}
svg{fill:var(--text)}.strip{display:block;width:100%;height:2rem;margin:.4rem 0}
.good{fill:var(--good)}.failed{fill:var(--failed)}.missed{fill:var(--missed)}.building{fill:var(--building)}
.deleted{fill:var(--deleted)}.none{fill:var(--none)}
.legend{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;list-style:none;padding:0}
.legend svg{width:1.5rem;height:1.25rem;vertical-align:middle}
dl{margin:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,17rem),1fr));gap:.25rem 1rem}
dt{color:var(--muted);font-size:.875rem}dd{margin:0}
@media (forced-colors:active){svg,.strip path,.legend path{fill:CanvasText;forced-color-adjust:none}}
@media print{:root{--back:#fff;--text:#000;--muted:#333;--line:#999;--link:#000;--good:#1a7f37;--failed:#b3261e;
--missed:#8a5200;--building:#0b63b0;--deleted:#5b8466;--none:#767676}body{max-width:none;padding:0;font-size:10pt}
.skip{display:none}.strip{height:1.25rem;print-color-adjust:exact}}
"""

_HEIGHT = 10
_NAMED_DAYS = 7
"""How many days of a kind the text of a strip names one by one."""


def page(report: Report) -> str:
    """Return the report as HTML. Its policy allows the one style sheet inside it, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
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
            h.style[Markup(_STYLE)],  # noqa: S704 a constant
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

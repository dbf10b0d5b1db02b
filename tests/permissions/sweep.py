"""`python -m tests.permissions.sweep`: the writing calls of each agency of the template, tried on a local cloud.

The calls are all of the local cloud's OpenAPI document that do not only read by their method. Each is made under each
agency, for an instance outside the drills' enterprise project and for one in it. Without --write, prints the table of
SECURITY.md; with it, writes it there.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import product
from typing import Any

import httpx

from cli.paths import CHECKOUT
from cli.permissions.agencies import Agency, agencies, confined_policy, custom_policy, identity_policy
from cli.template.load import load_template
from localcloud import LocalCloud
from localcloud.auth.authentication import canonical_request, sign
from tests.fakes import FakeContext
from tests.permissions.reach import PLACE, Reach


AGENCIES = agencies(load_template(CHECKOUT / "template.yaml", {"DrillEnterpriseProjectId": PLACE}))
FORMS = {"custom": custom_policy, "identity": identity_policy}
SOURCE, COPY = "2c5e8b7d4f6a49d1b3c08e9a7f51d264in02", "5d3a6e1c9b7f4820a4d5f16c0be892e7in02"
"""Instances of the seed: outside the drills' enterprise project, and in it."""

TOPIC = AGENCIES[0].topics[0].rpartition("*")[2]
"""The topic that all functions of the template publish to."""

MARKS = ("<!-- python -m tests.permissions.sweep --write -->\n", "<!-- end of the table -->\n")
# What each service answers to a call without permission (its error codes; IAM API, Querying an Agency List, example).
_DENIED = {"DDS": "DBS.280032", "SMN": "SMN.0001", "FunctionGraph": "FSS.0403", "IAM": "Forbidden", "IAM5": "PAP5.0001"}


@dataclass(frozen=True, slots=True)
class Call:
    """A writing call of the OpenAPI document."""

    service: str
    method: str
    path: str
    title: str

    def fill(self, cloud: LocalCloud, *, is_in_place: bool) -> str:
        """Return the path with values for its parameters."""
        connection = cloud.connection()
        values = {
            "project_id": connection["project_id"],
            "instance_id": COPY if is_in_place else SOURCE,
            "topic_urn": connection["topic_urn"].rpartition(":")[0] + (f":{TOPIC}" if is_in_place else ":another"),
            "backup_id": f"{1:032x}br02",
        }
        return re.sub(r"{(\w+)}", lambda match: str(values.get(match[1], "x")), self.path)


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a call.

    Attributes:
        agency: the function of the agency under which it was made.
        form: the model of the agency's policy.
        is_in_place: whether it was for an instance in the drills' enterprise project, or for a topic of the template.
        is_denied: whether the service answered 403 with the code for a missing permission.
    """

    agency: str
    form: str
    call: Call
    is_in_place: bool
    status: int
    is_denied: bool


def calls_of(cloud: LocalCloud) -> list[Call]:
    """Return the writing calls of all services, those that delete last."""
    headers = {"X-Auth-Token": cloud.connection()["token"]}
    document = (
        httpx.get(f"{cloud.url}/openapi.json", headers=headers, timeout=60, trust_env=False).raise_for_status().json()
    )
    found = [
        Call(_service_of(path), method.upper(), path, operation["summary"])
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method not in {"get", "head", "options"} and not path.startswith("/_local")
    ]
    # What one call deletes, another one could not be tried on.
    return sorted(found, key=lambda call: call.method == "DELETE")


def _service_of(path: str) -> str:
    if path.startswith("/v5"):
        return "IAM5"
    if path.startswith("/v2"):
        return "FunctionGraph" if "/fgs/" in path else "SMN"
    return "DDS" if path.startswith("/v3/{project_id}") else "IAM"


def try_all(cloud: LocalCloud, agency: Agency, form: str) -> Iterator[Tried]:
    """Make every call under an agency of the local cloud, whose policies are enforced."""
    reach = Reach(cloud, agency.name)
    try:
        policy = FORMS[form](agency)
        reach.allow(policy, confined_policy(agency) if form == "custom" else None)
        context = reach.credentials()
        with httpx.Client(base_url=cloud.url, timeout=60, trust_env=False) as client:
            for call, is_in_place in product(calls_of(cloud), (False, True)):
                body = {"enterprise_project_id": PLACE if is_in_place else "0"}
                response = _send(client, context, call.method, call.fill(cloud, is_in_place=is_in_place), body)
                is_denied = response.status_code == 403 and f'"{_DENIED[call.service]}"' in response.text
                yield Tried(agency.functions[0], form, call, is_in_place, response.status_code, is_denied)
    finally:
        reach.close()


def _send(client: httpx.Client, context: FakeContext, method: str, path: str, body: Any) -> httpx.Response:
    content = json.dumps(body).encode()
    headers = {
        "host": client.base_url.netloc.decode(),
        "x-sdk-date": datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ"),
        "x-security-token": str(context.security_token),
        "content-type": "application/json",
    }
    names = sorted(headers)
    request = canonical_request(method, path, headers, names, content)
    signature = sign(str(context.secret_key), headers["x-sdk-date"], request)
    access = f"SDK-HMAC-SHA256 Access={context.access_key}, SignedHeaders={';'.join(names)}, Signature={signature}"
    headers["authorization"] = access
    return client.request(method, path, headers=headers, content=content)


def table(tried: Iterable[Tried]) -> str:
    """Return the table of SECURITY.md: a row for each call of DDS and SMN, and one for each other service."""
    found = list(tried)
    functions = [agency.functions[0] for agency in AGENCIES]
    found.sort(key=lambda one: one.call.service)
    rows = [f"| Call | {' | '.join(f'`{name}`' for name in functions)} |", "|---" * (len(functions) + 1) + "|"]
    rest: dict[str, list[Call]] = {}
    for call in dict.fromkeys(one.call for one in found):
        cells = [_cell([one for one in found if (one.call, one.agency) == (call, name)]) for name in functions]
        if call.service in {"DDS", "SMN"}:
            rows.append(f"| {call.service}: {call.title} | {' | '.join(cells)} |")
        else:
            rest.setdefault(call.service.removesuffix("5"), []).append(call)
            if set(cells) != {"no"}:
                rows.append(f"| {call.service}: {call.title} | {' | '.join(cells)} |")
    for service, calls in sorted(rest.items()):
        cells = ["no"] * len(functions)
        rows.append(f"| {service}: all {len(calls)} writing calls | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _cell(tried: list[Tried]) -> str:
    allowed = {(one.form, one.is_in_place) for one in tried if not one.is_denied}
    everywhere = {(form, place) for form in FORMS for place in (True, False)}
    in_place = {(form, True) for form in FORMS}
    is_publish = tried[0].call.title == "Publish Message"
    words = {
        frozenset[tuple[str, bool]](): "no",
        frozenset(everywhere): "yes",
        frozenset(in_place): "drills",
        frozenset(everywhere - {("custom", False)}): "drills (identity policy: anywhere)",
        frozenset(everywhere - {("identity", False)}): "its topics (custom policy: any)" if is_publish else "?",
        frozenset({("custom", True)}): "drills (identity policy: no)",
    }
    return words.get(frozenset(allowed), f"FOUND {sorted(allowed)}")


def sweep() -> list[Tried]:
    """Make every call under every agency with every form of policy."""
    found: list[Tried] = []
    with LocalCloud() as cloud:
        for agency in AGENCIES:
            for form in FORMS:
                cloud.reset()
                cloud.switch(enforce_policies=True)
                found += try_all(cloud, agency, form)
    return found


def main() -> int:
    """Print or write the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.permissions.sweep")
    parser.add_argument("--write", action="store_true", help="write the table into SECURITY.md")
    text, page = table(sweep()), CHECKOUT / "SECURITY.md"
    if not parser.parse_args().write:
        sys.stdout.write(text)
        return 0
    begin, end = MARKS
    before, _, rest = page.read_text(encoding="utf-8").partition(begin)
    page.write_text(f"{before}{begin}{text}{end}{rest.partition(end)[2]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

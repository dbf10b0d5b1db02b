"""The email of an audit: the verdict first, then everything that is wrong and what to do about it."""

import pytest

from shared.audit.audit import Audit
from shared.audit.email import email_lines, missed_message, verdict_line
from tests.audit.fleet import NIGHTLY, audit, backup, instance


EVERY_FINDING = audit(
    [
        instance(1, name="orders"),
        instance(2, name="ill", status="frozen"),
        instance(3, name="fine"),
        instance(4, name="forgotten", tags={"backup": "daily"}),
    ],
    [
        backup(1, 100),
        backup(1, 1, "FAILED"),
        backup(3, 5),
        backup(3, 300, "BUILDING"),
        backup("gone", 900, size=3 * 1024**2),
    ],
    {**NIGHTLY, "select": {"name": "*", "exclude": ["forgotten"]}},
    {"name": "typo", "select": {"name": "prders"}, "expected_interval": "1d"},
    {"name": "ids", "instance_ids": ["unknown"], "expected_interval": "1d"},
)


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (
            EVERY_FINDING,
            (
                "2 missed, 1 not covered, 1 failed backup, 1 stuck backup, 2 empty policies, 1 unknown instance; "
                "1 of 3 covered instances are fine"
            ),
        ),
        (audit([instance()], [backup(1, 1)]), "all well, 1 of 1 covered instances are fine"),
        (audit([instance()], policies=[]), "nothing found, but no policy says what to expect"),
    ],
    ids=["findings", "all well", "no policies"],
)
def test_the_verdict_fits_one_line(found: Audit, line: str) -> None:
    """All is well only if a policy says what to expect."""
    assert verdict_line(found) == line


def test_each_kind_of_finding_has_a_paragraph_with_advice() -> None:
    """Every item has a line."""
    lines = email_lines(EVERY_FINDING, most=100, findings_published=True)
    summary, *paragraphs = "\n".join(lines).split("\n\n")

    assert summary == "As of 2026-11-24T06:00:00Z; 4 instances in the project."
    assert [paragraph.partition(" (")[0] for paragraph in paragraphs] == [
        "MISSED",
        "NOT COVERED by any policy, though tagged for backup",
        "FAILED, with no good backup since",
        "STUCK",
        "POLICIES THAT COVER NO INSTANCE",
        "INSTANCES THAT DO NOT EXIST, but a policy names them",
        "DELETED INSTANCES WHOSE BACKUPS STILL COST",
    ]
    heading, ill, orders = paragraphs[0].splitlines()
    assert heading.startswith("MISSED (2). Look at the log of create_backup and at its timer, then")
    assert ill == (
        f"  - ill ({instance(2).id}): there is no good backup of this application, expected every 1 d, with 2 h of "
        "grace (policy nightly); no attempt is listed; the instance is frozen, and only a normal one can be backed up"
    )
    assert orders == (
        f"  - orders ({instance(1).id}): the newest good backup is 4 d 4 h old, expected every 1 d, with 2 h of grace "
        "(policy nightly); the last attempt, at 2026-11-24T05:00:00Z, is FAILED"
    )
    assert "BUILDING for 12 d 12 h" in paragraphs[3]
    assert "name of gone (gone): 1 backup, 3 GB" in paragraphs[6]


def test_a_missed_backup_without_a_later_attempt_says_so() -> None:
    """The cause is then the timer and not DDS."""
    (old,) = audit([instance()], [backup(1, 100)]).missed

    assert missed_message(old).endswith("(policy nightly); no later attempt is listed")


@pytest.mark.parametrize(("most", "shown"), [(100, 20), (5, 5)])
def test_a_long_paragraph_is_cut(most: int, shown: int) -> None:
    """It has at most 20 lines, or fewer if the report has to be cut, and counts the rest."""
    lines = email_lines(audit([instance(number) for number in range(2000)]), most=most, findings_published=True)

    assert sum(line.startswith("  - ") for line in lines) == shown
    assert f"  ... and {2000 - shown:,} more" in lines


def test_an_email_says_that_the_findings_are_not_published_one_by_one() -> None:
    """It names the setting."""
    assert "MAX_FINDINGS_PUBLISHED" in email_lines(EVERY_FINDING, most=10, findings_published=False)[-1]

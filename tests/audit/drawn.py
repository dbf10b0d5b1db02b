"""Any instances, backups and policies, as hypothesis draws them."""

from datetime import timedelta

from hypothesis import strategies as st

from shared.model import Backup, Instance
from shared.notify import Sender
from tests.audit.fleet import NOW, OURS


IDS = ("i1", "i2", "i3", "i4", "gone")
HOURS = st.integers(min_value=-2, max_value=60)
SENDER = Sender("urn:fss:r:p:function:default:audit_backups", "r", "p", "request")

INSTANCES = st.lists(
    st.builds(
        Instance,
        id=st.sampled_from(IDS[:4]),
        name=st.sampled_from(["a", "b", "ab"]),
        status=st.sampled_from(["normal", "frozen"]),
        mode=st.just("Single"),
        tags=st.dictionaries(st.sampled_from(["env", "backup"]), st.sampled_from(["x", "no"])),
        created=st.none() | HOURS.map(lambda hours: NOW - timedelta(hours=hours)),
    ),
    max_size=4,
    unique_by=lambda instance: instance.id,
)
DRAWN_BACKUPS = st.tuples(
    st.sampled_from(IDS),
    st.none() | HOURS,
    st.sampled_from(["COMPLETED", "COMPLETED", "FAILED", "BUILDING", "DISABLED"]),
    st.sampled_from([OURS, f"text;{OURS}", "by hand", None]),
    st.none() | st.integers(0, 9),
)


def make_backup(number: int, owner: str, hours: int | None, status: str, text: str | None, size: int | None) -> Backup:
    """A backup that began so many hours ago."""
    begin = None if hours is None else NOW - timedelta(hours=hours)
    return Backup(str(number), f"backup-{number}", owner, status, begin, text, size=size)


BACKUPS = st.lists(DRAWN_BACKUPS, max_size=12).map(
    lambda drawn: [make_backup(number, *facts) for number, facts in enumerate(drawn)]
)
WHO = st.one_of(
    st.builds(lambda name: {"select": {"name": name}}, st.sampled_from(["*", "a*", "b", "z"])),
    st.builds(lambda values: {"select": {"tags": {"env": values}}}, st.lists(st.sampled_from(["x", "y"]), max_size=2)),
    st.builds(lambda ids: {"instance_ids": ids}, st.lists(st.sampled_from(IDS), min_size=1, max_size=3)),
)
POLICIES = st.lists(
    st.builds(
        lambda who, hours, grace: {**who, "expected_interval": hours * 3600, "grace": grace * 3600},
        WHO,
        st.integers(1, 48),
        st.integers(1, 4),
    ),
    max_size=3,
).map(lambda drawn: [{"name": f"p{number}", **policy} for number, policy in enumerate(drawn)])
ELSEWHERE = st.lists(st.sampled_from([{"name": "a"}, {"tags": {"env": []}}]), max_size=1)

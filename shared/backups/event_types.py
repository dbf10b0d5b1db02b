"""The CloudEvents types that this application publishes."""

STARTED = "dds.backup.started"
SKIPPED = "dds.backup.skipped"
DEFERRED = "dds.backup.deferred"
FAILED = "dds.backup.failed"
REJECTED = "dds.backup.rejected"
COMPLETED = "dds.backup.completed"
STUCK = "dds.backup.stuck"
PRUNED = "dds.backup.pruned"
MISSED = "dds.backup.missed"
UNCOVERED = "dds.backup.uncovered"
AUDITED = "dds.backup.audited"

HEADLINES = {
    STARTED: "DDS backup started",
    SKIPPED: "DDS backup skipped",
    DEFERRED: "DDS backup deferred",
    FAILED: "DDS backup failed",
    REJECTED: "Request rejected",
    COMPLETED: "DDS backup completed",
    STUCK: "DDS backup stuck",
    PRUNED: "DDS backups pruned",
    MISSED: "DDS backup missed",
    UNCOVERED: "DDS instance not covered",
    AUDITED: "DDS backups audited",
}
"""What people read first."""

ANNOUNCEMENTS = frozenset(HEADLINES)
"""Types that only ever tell; a function that is sent one of them has nothing to do."""

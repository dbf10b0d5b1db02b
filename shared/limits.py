"""Caps on everything that a sender chooses, checked before work is spent on it, and on everything that goes out.

docs/limits.md has them in one table, with the limits of the platform that they come from.
"""

MAX_PAYLOAD = 256 * 1024
"""Characters of one message: what SMN and an asynchronous invocation take (SMN API, Publishing a Message;
FunctionGraph, Notes and Constraints)."""

MAX_DEPTH = 20
"""Levels of nesting in a message."""

MAX_MESSAGES = 1000
"""Messages of one event: the largest batch of the queues (FunctionGraph API, Creating a Trigger, batch_size)."""

MAX_RUNS = 20
"""Different requests in one event to a function that makes a run for each."""

MAX_INSTANCE_IDS = 1000
"""Instance ids that one message names."""

MAX_PATTERNS = 50
"""Patterns, tag keys and tag values of one selector, each."""

MAX_POLICIES = 100
"""Policies, and selectors of `covered_elsewhere`, of one audit, each."""

MAX_EXPECTED = 50
"""Databases and collections of one instance for which a drill has an expectation."""

MAX_RETENTION = 200
"""Characters of retention rules."""

MAX_FAULTS = 20
"""Faults of one message that are reported; the rest is counted."""

MAX_FAULT = 300
"""Characters of one reported fault."""

MAX_NOTIFICATION = 250_000
"""Bytes of a message structure as JSON, of the 256 KB that SMN takes (SMN API, Publishing a Message)."""

MAX_LOG_LINE = 64_000
"""Characters of a log line: FunctionGraph's logger cuts longer lines in two."""

MAX_ANSWER = 5_500_000
"""Bytes of what a function returns, of the 6 MB that FunctionGraph takes (FunctionGraph, Notes and Constraints)."""

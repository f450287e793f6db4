"""How property tests run here: the same examples each time, no deadline, nothing written beside the tests."""

from __future__ import annotations

from typing import Final

from hypothesis import HealthCheck, settings

held: Final = settings(
    max_examples=200,
    deadline=None,
    database=None,
    derandomize=True,
    # The suite's automatic fixtures set up the environment of a test; they need not be renewed for each example.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
"""`@held` above `@given`: the rule that the test is named after is held over these examples."""

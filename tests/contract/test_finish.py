"""Why an answer ended: every reason that a format has, and one that nobody has heard of."""

from __future__ import annotations

import pytest

from contract.bench import answered
from contract.endpoints import ENDPOINTS, every_endpoint, whole_and_streamed
from contract.said import Said
from contract.scenarios import CALLS, TOOLS

UNHEARD_OF = "X_UNHEARD_OF"
REASONS = [
    (endpoint, native, ours)
    for endpoint in ENDPOINTS
    for native, ours in endpoint.oracle.finishes(endpoint.provider).items()
]


@pytest.mark.parametrize(("endpoint", "native", "ours"), REASONS, ids=str)
def test_every_reason(endpoint, native, ours):
    """Common reasons have a common word; the others pass as they are."""
    said = Said(finish=native, calls=CALLS if ours == "tool_calls" else ())
    answers = [answered(endpoint, said, tools=TOOLS, streamed=streamed).answer for streamed in (False, True)]

    assert [answer.finish_reason for answer in answers] == [ours, ours]


@every_endpoint
@whole_and_streamed
def test_a_reason_that_nobody_has_heard_of(endpoint, streamed):
    """It passes as it is, and the answer is there."""
    answer = answered(endpoint, Said(finish=UNHEARD_OF), streamed=streamed).answer

    assert answer.finish_reason == UNHEARD_OF
    assert answer.text == Said().text


@every_endpoint
def test_every_format_has_the_common_reasons(endpoint):
    """An oracle that forgets one would leave it untested. Google has none for calls of tools."""
    common = set(endpoint.oracle.finishes(endpoint.provider).values())

    assert {"stop", "length"} <= common

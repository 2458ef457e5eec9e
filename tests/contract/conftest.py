"""One suite over every provider of the table, with every wire format that it speaks.

- `contract.endpoints` reads the table, so that a new row is tested without a line of test code.
- `contract.oracles` has a module for each wire format, which owes nothing to ours: it judges requests by the types of
  the official SDK, reads what they say, and writes answers and failures as the servers do.
- `contract.bench` asks an endpoint through a real gateway. Every request is judged on the way.
- `contract.said`, `contract.scenarios` and `contract.wishes` are the words in which the tests speak, of no wire format.
- `contract.exceptions` has what does not hold everywhere, with reasons, and `contract.lies` what must not pass.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.endpoints import set_places
from contract.exceptions import KNOWN


@pytest.fixture(autouse=True, scope="module")
def _places():
    """Let every provider be named: some base URLs are filled from the environment."""
    with pytest.MonkeyPatch.context() as patch:
        set_places(patch)
        yield


def pytest_collection_modifyitems(items):
    """Expect the tests to fail that find a bug that is known."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            known = next((bug for bug in KNOWN if bug.finds(item)), None)
            if known is not None:
                item.add_marker(pytest.mark.xfail(reason=known.what, strict=True))

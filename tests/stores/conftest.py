"""Fixtures of the contract suite: every test runs over every ledger, in both faces."""

from __future__ import annotations

import pytest

from stores.ledgers import STORES, Face


@pytest.fixture(params=STORES)
def stand(request, tmp_path):
    """One store."""
    with STORES[request.param](tmp_path) as made:
        yield made


@pytest.fixture(params=["blocking", "loop"])
def face(request, stand):
    """A ledger of this store, in one face."""
    made = Face(stand, request.param)
    yield made
    made.close()

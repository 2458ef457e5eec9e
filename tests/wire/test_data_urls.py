"""``data:`` URLs."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.wire.data_urls import join_data_url, split_data_url


@pytest.mark.parametrize(
    ("url", "media_type", "content"),
    [
        ("data:image/png;base64,AAAA", "image/png", "AAAA"),
        ("data:text/plain;charset=utf-8;base64,AAAA", "text/plain;charset=utf-8", "AAAA"),
        ("data:;base64,AAAA", "", "AAAA"),
        ("data:text/csv,a%2Cb", "text/csv", b64encode(b"a,b").decode()),
        ("data:,hello", "text/plain", b64encode(b"hello").decode()),
        ("data:", "text/plain", ""),
    ],
)
def test_a_url_is_cut_into_type_and_content(url: str, media_type: str, content: str) -> None:
    """The content is always base64; a text without a type is plain text."""
    assert split_data_url(url) == (media_type, content)


@given(st.sampled_from(["", "image/png", "text/plain;charset=utf-8"]), st.binary(max_size=9))
def test_what_was_joined_is_split_again(media_type: str, content: bytes) -> None:
    """A type and a content in base64 survive being made a URL."""
    encoded = b64encode(content).decode()

    assert split_data_url(join_data_url(media_type, encoded)) == (media_type, encoded)

"""Failures of servers that speak OpenAI Responses, as a table; see `aigw.wire.failures`.

They share status and codes with chat completions. This format has more codes of its own for a failure in the middle of
an answer: ``response.failed`` and the event ``error``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aigw.errors import (
    BadRequest,
    ContentFiltered,
    NotFound,
    Overloaded,
    PermissionDenied,
    QuotaExhausted,
    ServerError,
    TimedOut,
)
from aigw.wire.failures import Failures
from aigw.wire.openai_chat.errors import FAILURES as CHAT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.wire.failures import Kind

_BY_CODE: Final[Mapping[str, Kind]] = {
    **CHAT.by_code,
    "invalid_prompt": ContentFiltered,  # "your prompt was flagged as potentially violating our usage policy"
    "bio_policy": ContentFiltered,
    "cyber_policy": ContentFiltered,
    "misalignment_policy_violation": ContentFiltered,
    "image_content_policy_violation": ContentFiltered,
    "usage_limit_reached": QuotaExhausted,
    "usage_not_included": QuotaExhausted,
    "server_is_overloaded": Overloaded,
    "slow_down": Overloaded,
    "data_residency_mismatch": PermissionDenied,
    "previous_response_not_found": BadRequest,
    "image_file_not_found": BadRequest,
}

_BY_TYPE: Final[Mapping[str, Kind]] = {
    **CHAT.by_type,
    "server_error": ServerError,
    "not_found": NotFound,
    "vector_store_timeout": TimedOut,
    "invalid_image": BadRequest,
    "invalid_image_format": BadRequest,
    "invalid_base64_image": BadRequest,
    "invalid_image_url": BadRequest,
    "image_too_large": BadRequest,
    "image_too_small": BadRequest,
    "image_parse_error": BadRequest,
    "invalid_image_mode": BadRequest,
    "image_file_too_large": BadRequest,
    "unsupported_image_media_type": BadRequest,
    "empty_image_file": BadRequest,
    "failed_to_download_image": BadRequest,
}

FAILURES: Final = Failures(by_code=_BY_CODE, by_type=_BY_TYPE, by_message=CHAT.by_message)
"""What these servers answer when they fail."""

classify: Final = FAILURES.classify

"""Answers in the format of OpenAI Responses: whole ones to chunks and back, and what stands around their output.

What aigw does not model is kept, laid out like this:

- unknown fields of the answer at the top level of ``Chunk.extra``: ``{"service_tier": "default"}``;
- of the usage under ``"usage"``;
- of a message and its texts under ``"part"``, and so in ``Text.extra``; see `aigw.wire.openai_responses.pieces`. Those
  of a message that is nothing but a refusal are under ``"message"``;
- of reasoning and of a tool call in the ``extra`` of these parts;
- events of a stream that belong to items that aigw does not model under ``"events"``, as they came.

``created_at`` is not kept, nor is ``output_text``, which some servers send and which repeats the text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from aigw.chunk import Chunk
from aigw.errors import ConfigError
from aigw.wire.answers import wrong_answer
from aigw.wire.fields import checked, merge, optional, rest
from aigw.wire.openai_responses.dialect import DEFAULT, WIRE, Dialect
from aigw.wire.openai_responses.errors import classify
from aigw.wire.openai_responses.items import is_made_up, made_up_id
from aigw.wire.openai_responses.output import Output
from aigw.wire.openai_responses.reader import Reader
from aigw.wire.openai_responses.usage import parse_usage, render_usage, usage_rest
from aigw.wire.whole import id_of, model_of, own_extra

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_KNOWN: Final = frozenset(
    {"id", "object", "created_at", "model", "output", "output_text", "status", "error", "usage", "incomplete_details"}
)
_INNER: Final = ("part", "message", "events", "usage")
_DEFAULTS: Final[Mapping[str, Any]] = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
"""Fields that every answer must have, though only the server knows what they say."""

_REASONS: Final[Mapping[str, str]] = {"max_output_tokens": "length"}
_STATUSES: Final = frozenset({"cancelled", "queued", "in_progress"})


def parse_response(body: Mapping[str, Any], dialect: Dialect = DEFAULT, model: str = "") -> list[Chunk]:
    """Read a whole answer: a chunk for each item of its output; what belongs to the whole is on the last one.

    Args:
        body: the decoded JSON.
        dialect: how the server differs.
        model: the model that was asked for, for errors.

    Raises:
        BadResponse: it is no answer in this format.
        ProviderError: it says that the provider failed.
    """
    try:
        checked(body, dict, "it")
        raise_failure(body, dialect, model)
        reader = Reader(dialect)
        chunks: list[Chunk] = []
        for index, item in enumerate(checked(body.get("output"), list, "output")):
            chunks += reader.done(item, index)
        end = parse_end(body, has_calls=reader.has_calls)
    except ConfigError as error:
        raise wrong_answer("a response", error, dialect.provider, model) from None
    if not chunks:
        return [end]
    last = chunks[-1]
    extra = {**(last.extra or {}), **(end.extra or {})} or None
    chunks[-1] = last.evolve(finish_reason=end.finish_reason, usage=end.usage, id=end.id, model=end.model, extra=extra)
    if len(chunks) > 1:
        chunks[0] = chunks[0].evolve(id=end.id, model=end.model)
    return chunks


def raise_failure(response: Mapping[str, Any], dialect: Dialect, model: str) -> None:
    """Raise the failure that an answer tells of, if it does.

    Raises:
        ProviderError: the provider failed.
    """
    error = response.get("error")
    if error or response.get("status") == "failed":
        body = to_json({"error": error or {"message": "", "code": "server_error"}})
        raise classify(200, {}, body, provider=dialect.provider, model=model)


def parse_head(response: Mapping[str, Any]) -> tuple[str | None, str | None, dict[str, Any]]:
    """Read what belongs to a whole answer: its id, its model, its unknown fields.

    Raises:
        ConfigError: a field has the wrong type; the message names it.
    """
    identity = optional(response, "id", str) or None
    extra = {name: value for name, value in rest(response, _KNOWN).items() if _DEFAULTS.get(name) != value}
    return None if is_made_up(identity) else identity, optional(response, "model", str) or None, extra


def parse_end(response: Mapping[str, Any], *, has_calls: bool) -> Chunk:
    """Read what the end of an answer tells: why it ended, its usage, and all that belongs to the whole.

    Args:
        response: the answer.
        has_calls: the model called a tool.

    Raises:
        ConfigError: a field has the wrong type; the message names it.
    """
    identity, model, extra = parse_head(response)
    usage = response.get("usage")
    if left := usage_rest(usage):
        extra["usage"] = left
    details = optional(response, "incomplete_details", dict) or {}
    if unknown := rest(details, ("reason",)):
        extra["incomplete_details"] = unknown
    status = optional(response, "status", str) or "completed"
    if status == "completed":
        reason = "tool_calls" if has_calls else "stop"
    elif status == "incomplete":
        said = optional(details, "reason", str, "incomplete_details") or status
        reason = _REASONS.get(said, said)
    else:
        reason = status
    return Chunk(
        finish_reason=reason, usage=parse_usage(usage), id=identity, model=model, extra=extra or None, wire=WIRE
    )


def render_response(
    chunks: Sequence[Chunk],
    *,
    id: str = "",  # noqa: A002  (the name of the field)
    model: str = "",
    created: int = 0,
    dialect: Dialect = DEFAULT,
) -> dict[str, Any]:
    """Render a whole answer, from the chunks of a whole answer or of a stream.

    Args:
        chunks: all its chunks.
        id: its id, where the chunks have none.
        model: the model, where the chunks name none.
        created: when it was made, in seconds since 1970.
        dialect: whose signatures are written as they are; those of other providers are wrapped.
    """
    identity = id_of(chunks, id) or made_up_id("response", "", 0)
    output = Output(identity, dialect)
    whole = Whole(identity, model_of(chunks, model), created)
    for chunk in chunks:
        output.add(chunk)
        whole.add(chunk)
    output.finish(whole.status)
    return whole.render(output.items)


class Whole:
    """What stands around the output of an answer.

    Args:
        id: its id.
        model: the model.
        created: when it was made, in seconds since 1970.
    """

    def __init__(self, id: str, model: str, created: int) -> None:  # noqa: A002  (the name of the field)
        self._head: dict[str, Any] = {"id": id, "object": "response", "created_at": created, "model": model}
        self._reason: str | None = None
        self._usage: dict[str, Any] | None = None
        self._extra: dict[str, Any] = {}

    def add(self, chunk: Chunk) -> None:
        """Take what a chunk tells of the whole."""
        extra = own_extra(chunk, WIRE)
        self._reason = chunk.finish_reason or self._reason
        self._head["model"] = self._head["model"] or chunk.model or ""
        if chunk.usage is not None:
            self._usage = render_usage(chunk.usage, extra.get("usage"))
        self._extra.update(rest(extra, _INNER))

    @property
    def status(self) -> str:
        """The status of the answer at its end."""
        if self._reason in (None, "stop", "tool_calls"):
            return "completed"
        return str(self._reason) if self._reason in _STATUSES else "incomplete"

    def render(self, items: Iterable[Mapping[str, Any]], status: str | None = None) -> dict[str, Any]:
        """Render the answer.

        Args:
            items: its output.
            status: its status, if it is not over.
        """
        now = status or self.status
        rendered: dict[str, Any] = {
            **self._head,
            "status": now,
            "error": None,
            "incomplete_details": self._details() if now == "incomplete" else None,
            "instructions": None,
            "metadata": None,
            **_DEFAULTS,
            "tools": [],
            "temperature": None,
            "top_p": None,
            "output": list(items),
            "usage": None if status else self._usage,
        }
        return merge(rendered, rest(self._extra, ("incomplete_details",)) if status else self._extra)

    def _details(self) -> dict[str, Any] | None:
        if self._reason == "incomplete":
            return None
        return {"reason": next((name for name, ours in _REASONS.items() if ours == self._reason), self._reason)}

"""A provider behind HTTP whose moderation takes one text of limited length in a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.chunk import Chunk, Verdict
from aigw.providers.http import HttpProvider
from aigw.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aigw.call import Call

OVERLAP: Final = 200
"""Characters that two pieces of a long text have in common, so that what stands where it is cut is seen."""


class PiecewiseProvider(HttpProvider):
    """Sends each text by itself, one after the other, and long ones in pieces; there is a verdict for each text.

    An empty text is not sent: nothing is wrong with it. If one request fails, all do. Limits of time hold for each
    request, and the deadline of the call for all of them.

    Args:
        *args: as of `HttpProvider`.
        longest: characters that a text may have in a request.
        **options: as of `HttpProvider`.
    """

    def __init__(self, *args: Any, longest: int, **options: Any) -> None:
        super().__init__(*args, **options)
        self._longest = longest

    def refusal(self, call: Call, model: str) -> str:
        """Tell why the wire format cannot say this call; see `HttpProvider.refusal`."""
        return super().refusal(call.evolve(inputs=call.inputs[:1]) if len(call.inputs) > 1 else call, model)

    async def send(self, call: Call, model: str) -> Reply:
        """Send the texts of the call; see `aigw.providers.base.Provider.send`."""
        if call.operation != "moderation" or not call.inputs:
            return await super().send(call, model)
        verdicts = [await self._judge(call, model, text) if text else Verdict(flagged=False) for text in call.inputs]
        return Reply.replay([Chunk(verdicts=tuple(verdicts), wire=self._format(call.operation).wire)])

    async def _judge(self, call: Call, model: str, text: str) -> Verdict:
        verdicts: list[Verdict] = []
        for piece in _pieces(text, self._longest):
            reply = await super().send(call.evolve(inputs=(piece,)), model)
            while await reply.read() is not None:
                pass
            verdicts += [verdict for chunk in reply.delivered for verdict in chunk.verdicts]
        return _joined(verdicts)


def _pieces(text: str, longest: int) -> Iterator[str]:
    for start in range(0, max(len(text) - OVERLAP, 1), longest - OVERLAP):
        yield text[start : start + longest]


def _joined(verdicts: Sequence[Verdict]) -> Verdict:
    """Make one verdict about a text of those about its pieces: the worst of each."""
    if len(verdicts) == 1:
        return verdicts[0]
    categories: dict[str, bool] = {}
    scores: dict[str, float] = {}
    for verdict in verdicts:
        categories |= {name: found or categories.get(name, False) for name, found in verdict.categories.items()}
        scores |= {name: max(score, scores.get(name, 0.0)) for name, score in verdict.scores.items()}
    extra = {"pieces": [dict(verdict.extra) for verdict in verdicts]}
    return Verdict(any(verdict.flagged for verdict in verdicts), categories, scores, extra)

"""`PriceBook`: what tokens cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from aigw.call import Cost
    from aigw.chunk import Usage


@runtime_checkable
class PriceBook(Protocol):
    """Knows what tokens cost."""

    def cost(self, provider: str, model: str, usage: Usage) -> Cost | None:
        """Compute what a usage costs; ``None`` where the price is not known, which is not the same as zero.

        Args:
            provider: name of the provider, as in ``provider/model``.
            model: the model, as the provider names it.
            usage: what was used.
        """
        ...

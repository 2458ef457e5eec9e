"""Counting: the tokens of calls, what they cost, and what they are likely to need."""

from aigw.metering.genai import GenaiPrices
from aigw.metering.models import encoding_of
from aigw.metering.price import Price, Tier
from aigw.metering.prices import PriceBook
from aigw.metering.table import PriceTable
from aigw.metering.tokens import count_tokens, load_encodings

__all__ = [
    "GenaiPrices",
    "Price",
    "PriceBook",
    "PriceTable",
    "Tier",
    "count_tokens",
    "encoding_of",
    "load_encodings",
]

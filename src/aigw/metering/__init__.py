"""Counting: the tokens of calls, what they cost, and what they are likely to need."""

"""Providers: what a target sends its calls to."""

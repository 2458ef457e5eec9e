"""Policies, one a file: flow only, thin over `aigw.mechanics`."""

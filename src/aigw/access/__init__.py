"""Who may do what: roles, what a call makes use of, and keys for callers."""

from aigw.access.keys import KeyRecord, VirtualKeys
from aigw.access.role import Role

__all__ = ["KeyRecord", "Role", "VirtualKeys"]

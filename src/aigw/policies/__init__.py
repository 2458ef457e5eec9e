"""Policies, one a file: flow only, thin over `aigw.mechanics`. They do not know each other, nor the network."""

from aigw.policies.attempt_timeout import AttemptTimeout
from aigw.policies.deadline import Deadline
from aigw.policies.retry import Retry

__all__ = ["AttemptTimeout", "Deadline", "Retry"]

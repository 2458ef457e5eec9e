"""Policies, one a file: flow only, thin over `aigw.mechanics`. They do not know each other, nor the network."""

from aigw.policies.access import Access
from aigw.policies.attempt_timeout import AttemptTimeout
from aigw.policies.audit import Audit
from aigw.policies.breaker import Breaker
from aigw.policies.budget import Budget
from aigw.policies.budget_demand import BudgetStanding
from aigw.policies.budget_warnings import BudgetWarning
from aigw.policies.concurrency import Concurrency
from aigw.policies.deadline import Deadline
from aigw.policies.degrade import Degrade
from aigw.policies.guard import Guard
from aigw.policies.health_check import HealthCheck
from aigw.policies.hedge import Hedge
from aigw.policies.queue import Queue
from aigw.policies.rate_limit import RateLimit
from aigw.policies.retry import Retry
from aigw.policies.windows import Limit

__all__ = [
    "Access",
    "AttemptTimeout",
    "Audit",
    "Breaker",
    "Budget",
    "BudgetStanding",
    "BudgetWarning",
    "Concurrency",
    "Deadline",
    "Degrade",
    "Guard",
    "HealthCheck",
    "Hedge",
    "Limit",
    "Queue",
    "RateLimit",
    "Retry",
]

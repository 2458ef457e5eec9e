"""What an answer must not say, and what form it must have: words, topics, canaries, the system prompt, links, schemas.

Lists and rules, and models that are asked. Nothing here judges by itself what a text means.
"""

from aigw.guards.moderation.asked import LlamaGuard, ModerationModel
from aigw.guards.moderation.detector import Moderation
from aigw.guards.moderation.form import Form
from aigw.guards.moderation.leakage import Leakage

__all__ = ["Form", "Leakage", "LlamaGuard", "Moderation", "ModerationModel"]

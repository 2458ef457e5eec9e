"""What an answer must not say: words, topics, canaries, the system prompt, links that carry data away.

Lists and rules, and models that are asked. Nothing here judges by itself what a text means.
"""

from aigw.guards.moderation.asked import LlamaGuard, ModerationModel
from aigw.guards.moderation.detector import Moderation
from aigw.guards.moderation.leakage import Leakage

__all__ = ["Leakage", "LlamaGuard", "Moderation", "ModerationModel"]

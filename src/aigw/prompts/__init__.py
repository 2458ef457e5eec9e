"""`gateway.prompt`: typed functions whose docstring is the prompt, and whose return annotation says what is wanted."""

from aigw.prompts.decorate import prompt
from aigw.prompts.signature import Prompted

__all__ = ["Prompted", "prompt"]

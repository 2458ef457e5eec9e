"""`gateway.wrap`: policies around a function of the application that asks the model itself, with whatever client."""

from aigw.wrapping.decorate import wrap
from aigw.wrapping.signature import Wrapped

__all__ = ["Wrapped", "wrap"]

"""Pure parts: no waiting, no clock, no chance of their own; `now` and `rng` are arguments."""

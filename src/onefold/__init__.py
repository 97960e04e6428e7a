"""Onefold: one log; everything else is a fold of it."""

__version__ = "0.1.0"

"""Persons: which identifiers belong together."""

from typing import TYPE_CHECKING

from onefold.model.doors import door

if TYPE_CHECKING:
    from onefold.identity.fold import IdentityFold as IdentityFold

__getattr__ = door(__name__, {"IdentityFold": "fold"})

"""Customers: every person and account whole, and what really changed how they do."""

from typing import TYPE_CHECKING

from onefold.model.doors import door

if TYPE_CHECKING:
    from onefold.customers.effects import Effect as Effect
    from onefold.customers.find import find_customer as find_customer
    from onefold.customers.listing import list_customers as list_customers
    from onefold.customers.profile import account as account
    from onefold.customers.profile import person as person
    from onefold.customers.records import Customer as Customer
    from onefold.customers.records import Standing as Standing
    from onefold.customers.standing import standings as standings

    from . import evidence as known
    from . import hierarchy as families
    from . import linking as links
    from . import measuring as measured

__getattr__ = door(
    __name__,
    {
        "Customer": "records",
        "Effect": "effects",
        "Standing": "records",
        "account": "profile",
        "families": "=hierarchy",
        "find_customer": "find",
        "known": "=evidence",
        "links": "=linking",
        "list_customers": "listing",
        "measured": "=measuring",
        "person": "profile",
        "standings": "standing",
    },
)

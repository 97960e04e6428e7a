"""Customers: every person and account whole, and what really changed how they do."""

from typing import TYPE_CHECKING

from onefold.model.doors import door

if TYPE_CHECKING:
    from onefold.customers.effects import Effect as Effect
    from onefold.customers.find import find_customer as find_customer
    from onefold.customers.friction import all_effects as all_effects
    from onefold.customers.friction import churn_effect as churn_effect
    from onefold.customers.friction import friction_effect as friction_effect
    from onefold.customers.listing import list_customers as list_customers
    from onefold.customers.profile import account as account
    from onefold.customers.profile import person as person
    from onefold.customers.records import Customer as Customer
    from onefold.customers.records import Standing as Standing
    from onefold.customers.services import service_effects as service_effects
    from onefold.customers.standing import standings as standings

    from . import linking as links

__getattr__ = door(
    __name__,
    {
        "Customer": "records",
        "Effect": "effects",
        "Standing": "records",
        "account": "profile",
        "all_effects": "friction",
        "churn_effect": "friction",
        "find_customer": "find",
        "friction_effect": "friction",
        "links": "=linking",
        "list_customers": "listing",
        "person": "profile",
        "service_effects": "services",
        "standings": "standing",
    },
)

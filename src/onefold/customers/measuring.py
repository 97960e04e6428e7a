"""What really changed customers, as other rooms ask for it."""

from onefold.customers.friction import all_effects, churn_effect, friction_effect
from onefold.customers.services import service_effects

__all__ = ["all_effects", "churn_effect", "friction_effect", "service_effects"]

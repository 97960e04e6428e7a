"""Money is integer micros and a currency, so that sums are exact on every engine."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from onefold.model.errors import BadInput

MICROS = 1_000_000
_CURRENCY = re.compile(r"[A-Z]{3}")
_LARGEST = 9_000_000_000_000


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency.

    Attributes:
        micros: Millionths of the currency's unit.
        currency: ISO 4217 code.
    """

    micros: int
    currency: str


def to_micros(amount: str | float | Decimal) -> int:
    """Return the micros of a decimal amount, half a micro rounded to even.

    Raises:
        BadInput: It is not a finite number below nine trillion.

    >>> to_micros("19.90")
    19900000
    """
    try:
        exact = Decimal(str(amount).strip())
    except InvalidOperation as error:
        message = f"{amount!r} is not an amount."
        raise BadInput(message, "Write it as 1234.50, without sign of currency.") from error
    if not exact.is_finite() or abs(exact) > _LARGEST:
        message = f"{amount!r} is not an amount below nine trillion."
        raise BadInput(message, "Write it as 1234.50.")
    return int((exact * MICROS).to_integral_value())


def currency_of(text: str) -> str:
    """Return an ISO 4217 code in capitals.

    Raises:
        BadInput: It is not three letters.
    """
    code = text.strip().upper()
    if not _CURRENCY.fullmatch(code):
        message = f"{text!r} is not a currency."
        raise BadInput(message, "Write its three letters, such as EUR.")
    return code

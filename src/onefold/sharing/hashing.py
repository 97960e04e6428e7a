"""Values as ad platforms want them: cleaned by each one's rules, then SHA-256 in hex.

Sources: Pinterest's and Meta's documents of their conversions APIs ("customer information
parameters"), Google's of customer match and enhanced conversions. Each cleans in its own way, so
one hash never serves two platforms.
"""

import re
from collections.abc import Mapping
from hashlib import sha256

from onefold.sharing.places import COUNTRIES, STATES

PINTEREST, META, GOOGLE = PLATFORMS = ("pinterest", "meta", "google")

FIELDS = (
    "email",
    "phone",
    "first_name",
    "last_name",
    "gender",
    "birth_date",
    "city",
    "state",
    "zip",
    "country",
    "external_id",
    "device_id",
)
"""What is known of a person, by the names that every platform's own come from."""

_SHORT = {
    "email": "em",
    "phone": "ph",
    "first_name": "fn",
    "last_name": "ln",
    "gender": "ge",
    "birth_date": "db",
    "city": "ct",
    "state": "st",
    "zip": "zp",
    "country": "country",
    "external_id": "external_id",
}
_NAMES: dict[str, dict[str, str]] = {
    PINTEREST: _SHORT | {"device_id": "hashed_maids"},
    META: _SHORT | {"device_id": "madid"},
    GOOGLE: {
        "email": "Email",
        "phone": "Phone",
        "first_name": "First Name",
        "last_name": "Last Name",
        "city": "City",
        "state": "State",
        "zip": "Zip",
        "country": "Country",
    },
}
_PLAIN_AT_GOOGLE = frozenset({"city", "state", "zip", "country"})
_SPACE = re.compile(r"\s+")
_HASHED = re.compile(r"[0-9a-fA-F]{64}")
_NO_DIGIT = re.compile(r"\D")
_GMAIL = frozenset({"gmail.com", "googlemail.com"})
_GENDERS = {"m": "m", "male": "m", "f": "f", "female": "f"}
_OTHER_GENDERS = {"n": "n", "nonbinary": "n", "non-binary": "n", "other": "n"}
_E164 = range(8, 16)
"""How many digits a number with its country code has (ITU-T E.164, and the shortest in use)."""


def fields_of(platform: str) -> tuple[str, ...]:
    """Return what a platform takes, in the order of its files."""
    return tuple(_NAMES[platform])


def name_at(platform: str, field: str) -> str:
    """Return what a platform calls a field.

    >>> name_at("pinterest", "email"), name_at("google", "email")
    ('em', 'Email')
    """
    return _NAMES[platform][field]


def hashed(platform: str, values: Mapping[str, str]) -> dict[str, str]:
    """Return a person's values as a platform takes them: its own name -> hash.

    What the platform does not take, and what cannot be cleaned, is left out. Nothing is returned
    in words but what Google wants so: country, state, city and zip.

    >>> sorted(hashed("google", {"email": "a@b.de", "country": "DE", "gender": "f"}))
    ['Country', 'Email']
    """
    found = {}
    for field in fields_of(platform):
        one = value_of(platform, field, values.get(field, ""))
        if one:
            found[name_at(platform, field)] = one
    return found


def value_of(platform: str, field: str, value: str) -> str:
    """Return one value as a platform takes it; nothing where it cannot be used.

    >>> value_of("meta", "phone", "510 555 0011")[:8], value_of("meta", "gender", "m")[:8]
    ('cf9b0227', '62c66a7a')
    """
    text = value.strip()
    if not text or field not in _NAMES[platform]:
        return ""
    if _HASHED.fullmatch(text):
        # Somebody hashed it already, by the same rules as far as anybody can know.
        return "" if platform == GOOGLE and field in _PLAIN_AT_GOOGLE else text.lower()
    cleaned = cleaned_value(platform, field, text)
    if not cleaned or (platform == GOOGLE and field in _PLAIN_AT_GOOGLE):
        return cleaned
    return sha256(cleaned.encode("utf-8", "replace")).hexdigest()


def cleaned_value(platform: str, field: str, text: str) -> str:
    """Return a value as a platform wants it before it is hashed; nothing where it is none.

    >>> cleaned_value("google", "email", " J.o.Hn@Gmail.com ")
    'john@gmail.com'
    >>> cleaned_value("pinterest", "first_name", " Anna Maria ")
    'annamaria'
    """
    if field == "email":
        return _email(platform, text)
    if field == "phone":
        return _phone(platform, text)
    if field == "gender":
        word = _SPACE.sub("", text).lower()
        others = _OTHER_GENDERS if platform == PINTEREST else {}
        return (_GENDERS | others).get(word, "")
    if field == "birth_date":
        digits = _NO_DIGIT.sub("", text)
        return digits if len(digits) == 8 else ""
    if platform == GOOGLE:
        return _at_google(field, text)
    plain = _SPACE.sub("", text).lower()
    if platform == META and field == "state":
        return STATES.get(plain, plain)
    if field == "country":
        return COUNTRIES.get(plain, plain if len(plain) == 2 else "")
    return plain


def _email(platform: str, text: str) -> str:
    plain = _SPACE.sub("", text).lower() if platform != GOOGLE else text.strip().lower()
    before, _, domain = plain.rpartition("@")
    if not before or "." not in domain or _SPACE.search(plain):
        return ""
    if platform == GOOGLE and domain in _GMAIL:
        before = before.replace(".", "")
    return f"{before}@{domain}" if before else ""


def _phone(platform: str, text: str) -> str:
    digits = _NO_DIGIT.sub("", text)
    if platform == GOOGLE:
        # Without its country code nobody can tell whose number it is.
        international = text.startswith("+") or digits.startswith("00")
        digits = digits.removeprefix("00") if not text.startswith("+") else digits
        return f"+{digits}" if international and len(digits) in _E164 else ""
    if platform == META:
        return digits.lstrip("0")
    return digits


def _at_google(field: str, text: str) -> str:
    plain = text.lower()
    if field == "country":
        short = _SPACE.sub("", plain)
        return COUNTRIES.get(short, short if len(short) == 2 else "").upper()
    return plain

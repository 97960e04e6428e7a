"""What looks personal in a field that nobody has described: by its key, or by its value."""

import re
from collections.abc import Iterator

import msgspec

# fmt: off
_KEYS = frozenset({
    "email", "emailaddress", "mail", "mailaddress", "useremail", "customeremail", "contactemail",
    "phone", "phonenumber", "mobile", "mobilenumber", "mobilephone", "cell", "cellphone", "tel",
    "telephone", "fax", "msisdn", "firstname", "lastname", "fullname", "surname", "givenname",
    "familyname", "middlename", "maidenname", "username", "nickname", "displayname", "screenname",
    "personname", "customername", "contactname", "realname", "address", "streetaddress", "street",
    "addressline1", "addressline2", "homeaddress", "billingaddress", "shippingaddress",
    "birthday", "birthdate", "dateofbirth", "dob", "ssn", "socialsecuritynumber", "passport",
    "passportnumber", "iban", "creditcard", "creditcardnumber", "cardnumber", "taxid",
    "nationalid", "ip", "ipaddress", "ipv4", "ipv6", "useragent", "cardno", "ccnumber", "debitcard",
    "debitcardnumber", "paymentcard", "paymentcardnumber", "cvv", "cvc",
})
# fmt: on
_TRAIT_KEYS = _KEYS | {"name"}
"""In a person's traits a bare `name` is the person's; elsewhere it names a page or a product."""

_TRACKERS = re.compile(
    r"(?:(?:user|anon|anonymous|visitor|client|device|session|cookie|customer|member|person|profile"
    r"|distinct|external|advertising|vendor|install|installation|subscriber|contact|lead"
    r"|previous|amplitude|segment|ga|fb|mixpanel|posthog)(?:id|ids|key|uuid|guid|token|hash)"
    r"|idfa|idfv|gaid|adid|aaid|gclid|dclid|wbraid|gbraid|fbclid|fbp|fbc|msclkid|ttclid|twclid"
    r"|liclid|userid|uid|uuid|guid|token|authtoken|accesstoken|apikey|password|fingerprint)"
)
_EMAIL = re.compile(r"[^\s@\"'<>(),;:/?&=]+(?:@|%40)[^\s@\"'<>(),;:/?&=]+\.[A-Za-z]{2,}")
_PHONE = re.compile(
    r"(?:\+\d[\d ().\-/]{6,18}\d|\(\d{2,5}\)[ \-/]?\d[\d \-/]{4,12}\d"
    r"|0\d{1,5}[ \-/]\d[\d \-/]{4,12}\d|\d{3}[ .\-]\d{3}[ .\-]\d{4})"
)
_PHONE_WITHIN = re.compile(
    r"(?<![\w.+-])(?:\+\d[\d ().\-/]{6,18}\d|\(\d{2,5}\)[ \-/]?\d[\d \-/]{4,12}\d"
    r"|0\d{1,5}[ \-/]\d[\d \-/]{4,12}\d|\d{3}[ .\-]\d{3}[ .\-]\d{4})(?![\w-])"
)
"""A phone number in a text, as `_PHONE` knows one by itself."""
_PHONE_KEYS = frozenset(
    {"phone", "phonenumber", "mobile", "mobilenumber", "mobilephone", "cell", "cellphone", "tel"}
    | {"telephone", "msisdn"}
)
_PHONE_STARTS = frozenset("+(0123456789")
_CARD = re.compile(
    r"[2-6][0-9]{3}([ -])(?:[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?:\1[0-9]{1,3})?|[0-9]{6}\1[0-9]{4,5})"
    r"(?![\w-])"
)
"""Digits in the groups in which cards show them; what comes before is looked at apart, since a
pattern that begins with a class of letters is found faster."""
_ISSUERS = re.compile(
    r"4|5[0-8]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)|3(?:[46789]|0[0-59]|5(?:2[89]|[3-8]))"
    r"|6(?:011|4[4-9]|[2357])"
)
"""How the numbers of Visa, Mastercard, Maestro, American Express, Diners Club, JCB, Discover and
UnionPay begin."""
_SHORTEST_CARD = 16
"""Characters of the shortest: 14 digits in three groups."""
_TWICE = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_MOST_JUDGED = 50_000
_objects = msgspec.json.Decoder(dict[str, object])
_judged: tuple[dict[str, bool], dict[str, bool]] = ({}, {})
"""Key -> whether it is personal; for properties, for traits."""


def plain_key(key: str) -> str:
    """Return a key without case and separators.

    >>> plain_key("First-Name")
    'firstname'
    """
    return "".join(letter for letter in key.lower() if letter.isalnum())


def personal_key(key: str, *, traits: bool = False) -> bool:
    """Return whether a field of this name holds something personal."""
    known = _judged[traits]
    if key not in known:
        if len(known) > _MOST_JUDGED:
            known.clear()
        known[key] = plain_key(key) in (_TRAIT_KEYS if traits else _KEYS)
    return known[key]


def tracking_key(key: str) -> bool:
    """Return whether a field of this name holds an identifier of a person, device or visit."""
    return _TRACKERS.fullmatch(plain_key(key)) is not None


def personal_text(text: str) -> bool:
    """Return whether a text holds an e-mail address or the number of a card, or is a phone number.

    Bare digits are taken for an id, so that a number of an item stays what it is. A card's number
    is one that stands in groups as on the card, begins as an issuer's and passes Luhn's check.

    >>> personal_text("write to jo@example.com"), personal_text("+49 30 1234567")
    (True, True)
    >>> personal_text("2026-11-22"), personal_text("1234567890")
    (False, False)
    """
    if ("@" in text or "%40" in text) and _EMAIL.search(text):
        return True
    if len(text) >= _SHORTEST_CARD and _holds_card(text):
        return True
    if text[:1] not in _PHONE_STARTS and not text[:1].isspace():
        return False
    return _PHONE.fullmatch(text.strip()) is not None


def _holds_card(text: str) -> bool:
    return any(_is_card(found) for found in _CARD.finditer(text))


def _is_card(found: re.Match[str]) -> bool:
    """Return whether digits in groups are a card's.

    Source: ISO/IEC 7812-1, annex B (Luhn's formula) and its issuers' ranges.
    """
    before = found.string[found.start() - 1 : found.start()]
    if before == "-" or before.isalnum() or before == "_":
        return False
    digits = [int(digit) for digit in found.group() if digit.isdigit()]
    if _ISSUERS.match(found.group().replace(found.group(1), "")) is None:
        return False
    return (sum(digits[-1::-2]) + sum(_TWICE[digit] for digit in digits[-2::-2])) % 10 == 0


def address_kind(field: str, value: str) -> str:
    """Return `email` or `phone` for a personal field that is one; else nothing.

    >>> address_kind("email", "jo@example.com"), address_kind("name", "Jo")
    ('email', '')
    """
    if "@" in value:
        return "email" if _EMAIL.fullmatch(value.strip()) else ""
    named = plain_key(field.rpartition(".")[2]) in _PHONE_KEYS
    return "phone" if named or _PHONE.fullmatch(value.strip()) else ""


def masked(text: str, instead: str) -> str:
    """Return a text in which e-mail addresses and numbers of phones and cards are replaced.

    >>> masked("ask jo@example.com or +49 30 1234567 by 2026-11-22", "...")
    'ask ... or ... by 2026-11-22'
    """
    if "@" in text or "%40" in text:
        text = _EMAIL.sub(instead, text)
    text = _CARD.sub(lambda found: instead if _is_card(found) else found.group(), text)
    return _PHONE_WITHIN.sub(instead, text)


def personal(
    properties: bytes, *, traits: bool = False, described: frozenset[str] = frozenset()
) -> tuple[bytes, dict[str, str]]:
    """Return the properties without what looks personal, and what was taken out.

    Args:
        properties: A JSON object.
        traits: It is the traits of a person.
        described: Names at the top that the catalogue describes; their class is known, so they
            are not judged here.

    Returns:
        The very same bytes and nothing where nothing looks personal. Else the object anew, and
        path (`a.b`) -> the value as text, JSON for what is no text.
    """
    fields = _objects.decode(properties)
    if not _suspicious(fields, traits=traits):
        return properties, {}
    found: dict[str, str] = {}
    for name in [name for name in fields if name not in described]:
        kept = _kept(fields[name], name, name, found, traits=traits)
        if kept is _GONE:
            del fields[name]
        else:
            fields[name] = kept
    return (msgspec.json.encode(fields), found) if found else (properties, found)


def _suspicious(fields: dict[str, object], *, traits: bool) -> bool:
    """Return whether a second look is worth it; most events need none."""
    known = _judged[traits]
    for key, value in fields.items():
        if known.get(key, True) and personal_key(key, traits=traits):
            return True
        if value.__class__ is str:
            text: str = value
            if "@" in text or "%40" in text or text[:1] in _PHONE_STARTS:
                return True
            if len(text) >= _SHORTEST_CARD and _CARD.search(text):
                return True
        elif isinstance(value, dict | list):
            return True
    return False


_GONE = object()


def _kept(value: object, key: str, path: str, found: dict[str, str], *, traits: bool) -> object:
    if value is None or isinstance(value, bool):
        return value
    if personal_key(key, traits=traits) or (isinstance(value, str) and personal_text(value)):
        found[path] = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        return _GONE
    if isinstance(value, dict):
        return dict(_kept_fields(value, path, found, traits=traits))
    if isinstance(value, list):
        pairs = ((one, f"{path}.{place}") for place, one in enumerate(value))
        kept = [_kept(one, "", where, found, traits=traits) for one, where in pairs]
        return [one for one in kept if one is not _GONE]
    return value


def _kept_fields(
    value: dict[str, object], path: str, found: dict[str, str], *, traits: bool
) -> Iterator[tuple[str, object]]:
    for key, one in value.items():
        kept = _kept(one, key, f"{path}.{key}", found, traits=traits)
        if kept is not _GONE:
            yield key, kept

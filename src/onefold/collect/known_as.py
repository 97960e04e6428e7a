"""Identifiers that an event tells beside its own: traits, external ids, devices; and the rules.

`definitions/identity.yaml` of the workspace, or the table shipped with Onefold where there is none.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

import msgspec
from msgspec import Raw

from onefold.collect.patterns import matcher
from onefold.collect.traits import ONCE
from onefold.model.documents import Fields, read_document
from onefold.model.kinds import DEFAULT, OTHER, USER, IdentityRules, KindRule, normal_value

FILE = "identity.yaml"

KnownAs = tuple[str, str, str]
"""Kind, value and evidence of an identifier that is told of whoever an event is of."""

_MOST = 20
_LONGEST_KIND = 40
_SAME: Mapping[str, str] = {
    "ios.idfa": "advertising_id",
    "android.idfa": "advertising_id",
    "idfa": "advertising_id",
    "gaid": "advertising_id",
    "ios.id": "device_id",
    "android.id": "device_id",
    "device": "device_id",
    "phone_number": "phone",
}
"""What others call a kind -> what it is called here."""
TRAIT, EXTERNAL, DEVICE = "trait", "external_id", "device"
"""Evidence: said in traits, in `context.externalIds`, in `context.device`."""


class _External(msgspec.Struct, gc=False):
    id: str | int = ""
    type: str = ""
    encoding: str | None = None


class _Device(msgspec.Struct, gc=False, rename="camel"):
    id: str | None = None
    advertising_id: str | None = None
    ad_tracking_enabled: bool | None = None


_externals = msgspec.json.Decoder(list[Raw])
_external = msgspec.json.Decoder(_External)
_device = msgspec.json.Decoder(_Device)


def in_context(external_ids: bytes, device: bytes) -> tuple[KnownAs, ...]:
    """Return the identifiers in a context: its `externalIds` and `device` as sent, JSON."""
    found = [*_in_externals(external_ids), *_in_device(device)]
    told = ((kind, normal_value(kind, value), evidence) for kind, value, evidence in found)
    return tuple(dict.fromkeys(one for one in told if one[1]))


def _in_externals(sent: bytes) -> Iterator[KnownAs]:
    if not sent.startswith(b"["):
        return
    for raw in _externals.decode(sent)[:_MOST]:
        try:
            one = _external.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        kind = kind_of(one.type)
        # A hash is no value that others could be compared with.
        if kind and one.encoding in {None, "", "none"}:
            yield kind, str(one.id), EXTERNAL


def _in_device(sent: bytes) -> Iterator[KnownAs]:
    if not sent.startswith(b"{"):
        return
    try:
        device = _device.decode(sent)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    if device.id:
        yield "device_id", device.id, DEVICE
    if device.advertising_id and device.ad_tracking_enabled is not False:
        yield "advertising_id", device.advertising_id, DEVICE


def kind_of(name: str) -> str:
    """Return the kind that a sender's word for it means; nothing where it is none.

    >>> kind_of("Android.IDFA"), kind_of("Stripe ID"), kind_of("a@b")
    ('advertising_id', 'stripe_id', '')
    """
    plain = name.strip().lower()
    if plain in _SAME:
        return _SAME[plain]
    plain = plain.replace(" ", "_").replace("-", "_").replace(".", "_")
    letters = plain.replace("_", "")
    good = letters.isascii() and letters.isalnum() and len(plain) <= _LONGEST_KIND
    return plain if good else ""


def in_traits(traits: bytes, rules: IdentityRules) -> Iterator[KnownAs]:
    """Yield the identifiers that traits tell, a JSON object; none of what cannot be read."""
    if not any(trait.encode() in traits for trait, _ in rules.traits):
        return
    try:
        told: Any = msgspec.json.decode(traits)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    if not isinstance(told, dict):
        return
    once = told.get(ONCE)
    for said in (told, once if isinstance(once, dict) else {}):
        for trait, kind in rules.traits:
            found = said.get(trait)
            if isinstance(found, str | int) and not isinstance(found, bool):
                value = normal_value(kind, str(found))
                if value:
                    yield kind, value, TRAIT


class Blocked:
    """Tells which values stand for nobody."""

    def __init__(self, rules: IdentityRules) -> None:
        self._plain = frozenset(one.lower() for one in rules.blocked if not set(one) & set("*[]"))
        self._patterns = [one for one in rules.blocked if set(one) & set("*[]")]
        self._fits = matcher(one for one in self._patterns if "[" not in one)
        self._sets = [
            frozenset(one[1 : one.index("]")].lower())
            for one in self._patterns
            if one.startswith("[") and one.endswith("]*")
        ]

    def __call__(self, value: str) -> bool:
        """Return whether a value stands for nobody."""
        lower = value.strip().lower()
        if lower in self._plain or self._fits(lower):
            return True
        return any(lower[:1] in letters | {""} and set(lower) <= letters for letters in self._sets)


# ---------------------------------------------------------------- the rules


def parse_identity(text: str, path: str) -> IdentityRules:
    """Return the rules that a YAML document holds.

    Raises:
        BadInput: Something is unknown or contradictory; with file, line and column.
    """
    fields = read_document(text, path)
    kinds = tuple(_kind_rule(each) for each in fields.each("kinds")) or DEFAULT.kinds
    names = [rule.name for rule in kinds]
    for name in names:
        if names.count(name) > 1:
            fields.refuse("kinds", f"`{name}` stands here twice.", "Keep one of the two.")
    for name in (USER, OTHER):
        if name not in names:
            fields.refuse("kinds", f"`{name}` is missing.", f"Add `- kind: {name}`.")
    blocked = fields.texts("blocked", DEFAULT.blocked)
    traits = DEFAULT.traits
    listed = fields.fields("traits")
    if listed is not None:
        traits = tuple((name, _kind(listed, name, listed.text(name))) for name in listed.names())
    fields.close()
    return IdentityRules(kinds, blocked, traits)


def _kind_rule(fields: Fields) -> KindRule:
    name = _kind(fields, "kind", fields.text("kind"))
    standard = DEFAULT.of(name)
    rule = KindRule(
        name,
        limit=fields.integer("limit", standard.limit),
        shared_by=fields.integer("shared_by", standard.shared_by),
        record=fields.flag("record", standard.record),
    )
    fields.close()
    return rule


def _kind(fields: Fields, field: str, text: str) -> str:
    if kind_of(text) != text:
        fields.refuse(field, f"`{text}` is no kind.", "Write it in small letters, as `crm_id`.")
    return text


def shipped_identity_text() -> str:
    """Return the rules that are shipped, as YAML."""
    return (files("onefold.collect") / "seeds" / FILE).read_text("utf-8")


@lru_cache(maxsize=1)
def shipped_identity() -> IdentityRules:
    """Return the rules that hold where a workspace has none of its own."""
    return parse_identity(shipped_identity_text(), FILE)

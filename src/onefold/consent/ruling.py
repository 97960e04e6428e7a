"""What a workspace lays down about consent: categories, own purposes, regions, TCF.

`definitions/consent.yaml`, or the table shipped with Onefold where there is none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.resources import files

from onefold.consent.policy import BASES
from onefold.consent.purposes import PURPOSES
from onefold.consent.sealing import can_seal
from onefold.model.documents import Fields, read_document

FILE = "consent.yaml"
UNNAMED, DROPPED, HELD = BEFORE = ("unnamed", "dropped", "held")
"""What may become of an event before its person agreed."""

_HELD_DAYS, _MOST_HELD_DAYS = 30, 365
_MOST_TCF = 11
"""Purposes of the TCF, version 2.2."""
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")


@dataclass(frozen=True, slots=True)
class Region:
    """Where people are, and what holds there.

    Attributes:
        name: As a source's `region` may name it.
        countries: Two letters each, in capitals.
        bases: Legal bases that hold there; a source of another counts as opt-in.
        ask: Purposes that need a yes whatever the basis.
        before: What becomes of an event that may not be somebody's, of `BEFORE`.
    """

    name: str
    countries: tuple[str, ...] = ()
    bases: tuple[str, ...] = tuple(BASES)
    ask: tuple[str, ...] = ()
    before: str = UNNAMED

    def basis(self, basis: str) -> str:
        """Return the basis that holds there for a source of a basis."""
        return basis if basis in self.bases else "opt-in"


@dataclass(frozen=True, slots=True)
class ConsentRules:
    """The table.

    Attributes:
        categories: Category as sent, in small letters -> purpose.
        purposes: Own purpose -> the one of the four that decides where nobody said; may be empty.
        regions: The first that fits holds.
        elsewhere: What holds where none fits.
        tcf: Purpose -> the TCF's purposes that it needs, all of them.
        tcf_vendor: Own number in the Global Vendor List; 0 for none.
        held_days: For how many days what is held waits for a yes.
    """

    categories: dict[str, str] = field(default_factory=dict)
    purposes: dict[str, str] = field(default_factory=dict)
    regions: tuple[Region, ...] = ()
    elsewhere: Region = Region("")
    tcf: dict[str, tuple[int, ...]] = field(default_factory=dict)
    tcf_vendor: int = 0
    held_days: int = _HELD_DAYS

    @property
    def known(self) -> tuple[str, ...]:
        """All purposes: the four, then own ones."""
        return (*PURPOSES, *self.purposes)

    @property
    def holds(self) -> bool:
        """Whether anything is held anywhere until its person agrees."""
        return any(one.before == HELD for one in (*self.regions, self.elsewhere))

    def region_of(self, *, country: str = "", region: str = "") -> Region:
        """Return what holds for a country, else for a source's region, else elsewhere.

        A source's region may also name a country.
        """
        for told in (country.upper(), region.upper()):
            for one in self.regions if told else ():
                if told in one.countries or told == one.name.upper():
                    return one
            if told:
                # A country that is in no region lies elsewhere, whatever the source says.
                break
        return self.elsewhere

    def with_categories(self, categories: Mapping[str, str]) -> "ConsentRules":
        """Return the table with more categories; those of the table go first."""
        more = {name.casefold(): purpose for name, purpose in categories.items()}
        return replace(self, categories=more | self.categories)


def parse_consent(text: str, path: str) -> ConsentRules:
    """Return the table that a YAML document holds.

    Raises:
        BadInput: Something is unknown or contradictory; with file, line and column.
    """
    fields = read_document(text, path)
    purposes = _purposes(fields)
    known = (*PURPOSES, *purposes)
    categories = fields.fields("categories")
    named = (
        {name.casefold(): categories.choice(name, known) for name in categories.names()}
        if categories
        else {}
    )
    elsewhere = replace(Region(""), before=fields.choice("before", BEFORE, UNNAMED))
    rules = ConsentRules(
        categories=named,
        purposes=purposes,
        regions=tuple(_region(one, known, elsewhere) for one in fields.each("regions")),
        elsewhere=elsewhere,
        tcf=_tcf(fields, known),
        tcf_vendor=fields.integer("tcf_vendor", 0),
        held_days=fields.integer("held_days", _HELD_DAYS),
    )
    if not 1 <= rules.held_days <= _MOST_HELD_DAYS:
        message = f"Nothing can be held for {rules.held_days} days."
        fields.refuse("held_days", message, f"Use 1 to {_MOST_HELD_DAYS}.")
    if rules.holds and not can_seal():
        message = "Holding events before consent needs the package cryptography."
        fields.refuse("before", message, "Install onefold[hold].")
    fields.close()
    return rules


def _purposes(fields: Fields) -> dict[str, str]:
    own = fields.fields("purposes")
    found: dict[str, str] = {}
    for name in own.names() if own else ():
        if name in PURPOSES or not _PLAIN.issuperset(name) or not name[:1].isalpha():
            own.refuse(  # type: ignore[union-attr]
                name,
                f"`{name}` cannot be a purpose of your own.",
                f"Write small letters, digits and _, and none of: {', '.join(PURPOSES)}.",
            )
        about = own.fields(name)  # type: ignore[union-attr]
        found[name] = about.choice("as", PURPOSES, "") if about else ""
        if about:
            about.close()
    return found


def _region(fields: Fields, known: tuple[str, ...], elsewhere: Region) -> Region:
    region = Region(
        name=fields.text("name"),
        countries=tuple(one.upper() for one in fields.texts("countries", ())),
        bases=fields.texts("bases", tuple(BASES)),
        ask=fields.texts("ask", ()),
        before=fields.choice("before", BEFORE, elsewhere.before),
    )
    for country in region.countries:
        if len(country) != 2 or not country.isalpha():
            message = f"`{country}` is no country."
            fields.refuse("countries", message, "Write two letters, such as DE.")
    for name, values, allowed in (("bases", region.bases, BASES), ("ask", region.ask, known)):
        for value in values:
            if value not in allowed:
                message = f"`{name}` cannot be `{value}`."
                fields.refuse(name, message, f"Use one of: {', '.join(allowed)}.")
    fields.close()
    return region


def _tcf(fields: Fields, known: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    table = fields.fields("tcf")
    found: dict[str, tuple[int, ...]] = {}
    for name in table.names() if table else ():
        numbers = table.texts(name)  # type: ignore[union-attr]
        if name not in known:
            message = f"No purpose `{name}`."
            table.refuse(name, message, f"Use one of: {', '.join(known)}.")  # type: ignore[union-attr]
        if not all(one.isdigit() and 1 <= int(one) <= _MOST_TCF for one in numbers):
            message = f"`{name}` needs purposes of the TCF by number."
            table.refuse(name, message, f"Use 1 to {_MOST_TCF}.")  # type: ignore[union-attr]
        found[name] = tuple(map(int, numbers))
    return found


def shipped_consent_text() -> str:
    """Return the table that is shipped, as YAML."""
    return (files("onefold.consent") / "seeds" / FILE).read_text("utf-8")


@lru_cache(maxsize=1)
def shipped_consent() -> ConsentRules:
    """Return the table that holds where a workspace has none of its own."""
    return parse_consent(shipped_consent_text(), FILE)

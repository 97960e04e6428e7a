"""What a consent object says: categories, a TC string, a GPP string, as answers to purposes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from onefold.consent.gpp import read_gpp
from onefold.consent.policy import BASES
from onefold.consent.purposes import PURPOSES, named_purpose
from onefold.consent.ruling import ConsentRules, Region, shipped_consent
from onefold.consent.sealing import DailyKeys, seal, unseal
from onefold.consent.tcf import read_tc
from onefold.model.errors import BadInput
from onefold.model.time import DAY

__all__ = [
    "CATEGORIES",
    "GPP",
    "TCF",
    "Answers",
    "DailyKeys",
    "Gate",
    "allowed",
    "of_categories",
    "of_gpp",
    "of_tc",
    "read_answers",
    "seal",
    "unseal",
]

CATEGORIES, TCF, GPP = "categories", "tcf", "gpp"
_TC_NAMES = ("tcf", "tcString", "tcfString", "tcfv2")
_GPP_NAMES = ("gpp", "gppString")
_ANALYTICS = "analytics"
_MOST_KNOWN, _LONGEST_KNOWN = 4096, 4096
_objects = msgspec.json.Decoder(dict[str, object])


@dataclass(frozen=True, slots=True)
class Answers:
    """What was said of purposes.

    Attributes:
        told: Purpose -> yes or no; what is not named was not told.
        readable: Whether it could be read; what cannot be is a no to everything, for the event
            that carries it and no further.
        means: By what it was said: `categories`, `tcf`, `gpp`, or several joined by `+`.
        latest_time: It was said by then at the latest, microseconds, where a string tells when it
            was made; so a string that is sent again says nothing new.
    """

    told: Mapping[str, bool] = field(default_factory=dict)
    readable: bool = True
    means: str = CATEGORIES
    latest_time: int | None = None

    @property
    def said(self) -> int:
        """A mask of what was said of the four purposes: refused from bit 4 on, granted from 8."""
        found = 0
        for purpose, answer in self.told.items() if self.readable else ():
            found |= PURPOSES.get(purpose, 0) << (8 if answer else 4)
        return found


UNREADABLE = Answers(readable=False)


def read_answers(consent: bytes, rules: ConsentRules) -> Answers | None:
    """Return what a consent object says; None where it answers nothing.

    Args:
        consent: `context.consent` as sent, JSON. Read of it are `categoryPreferences`, a TC
            string (`tcf`, `tcString`) and a GPP string (`gpp`, `gppString`).
        rules: What categories and the TCF's purposes stand for.

    An empty `categoryPreferences` refuses everything, as in Segment's specification. A purpose
    that is told several times needs a yes each time.
    """
    try:
        said = _objects.decode(consent)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return UNREADABLE
    parts: list[Answers] = []
    preferences = said.get("categoryPreferences")
    if preferences is not None and not isinstance(preferences, dict):
        return UNREADABLE
    try:
        if preferences is not None:
            parts.append(Answers(dict(of_categories(preferences, rules))))
        parts += [of_tc(text, rules) for text in _texts(said, _TC_NAMES)]
        parts += [of_gpp(text, rules) for text in _texts(said, _GPP_NAMES)]
    except BadInput:
        return UNREADABLE
    return _together(parts) if parts else None


def _texts(said: Mapping[str, object], names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        text = said.get(name)
        if text is None or text == "":
            continue
        if not isinstance(text, str):
            raise BadInput(f"`{name}` is no text.", "Send the string.")
        yield text


def of_categories(
    preferences: Mapping[str, object], rules: ConsentRules
) -> Iterator[tuple[str, bool]]:
    """Yield each purpose that categories name, once, with its answer; anything but true is a no."""
    if not preferences:
        yield from ((purpose, False) for purpose in rules.known)
        return
    told: dict[str, bool] = {}
    for category, answer in preferences.items():
        folded = category.casefold()
        purpose = rules.categories.get(folded) or named_purpose(category)
        if purpose is None and folded in rules.purposes:
            purpose = folded
        if purpose is not None:
            told[purpose] = told.get(purpose, True) and answer is True
    yield from told.items()


def of_tc(text: str, rules: ConsentRules) -> Answers:
    """Return what a TC string answers.

    Raises:
        BadInput: It cannot be read.
    """
    said = read_tc(text)
    heard = not rules.tcf_vendor or rules.tcf_vendor in said.vendors
    told = {name: heard and said.purposes.issuperset(need) for name, need in rules.tcf.items()}
    # Since version 2.2 a string tells the day alone.
    return Answers(told, means=TCF, latest_time=said.updated_time + DAY)


def of_gpp(text: str, rules: ConsentRules) -> Answers:
    """Return what a GPP string answers.

    Sale stands for sharing; targeted advertising and sharing across sites for advertising; Global
    Privacy Control refuses both.

    Raises:
        BadInput: It cannot be read.
    """
    said = read_gpp(text)
    told: dict[str, bool] = {}
    latest = None
    if said.tc:
        european = of_tc(said.tc, rules)
        told |= european.told
        latest = european.latest_time
    for purpose, answers in (
        ("sharing", (said.sale, said.sharing)),
        ("advertising", (said.targeted, said.sharing)),
    ):
        heard = [answer for answer in answers if answer is not None]
        heard += [False] if said.gpc else []
        if heard:
            told[purpose] = told.get(purpose, True) and all(heard)
    return Answers(told, means=GPP, latest_time=latest)


def _together(parts: list[Answers]) -> Answers:
    told: dict[str, bool] = {}
    for part in parts:
        for purpose, answer in part.told.items():
            told[purpose] = told.get(purpose, True) and answer
    times = [part.latest_time for part in parts if part.latest_time is not None]
    means = "+".join(dict.fromkeys(part.means for part in parts))
    return Answers(told, means=means, latest_time=min(times, default=None))


def allowed(basis: str, answers: Answers | None, region: Region) -> int:
    """Return the mask of purposes that an event is kept for.

    Args:
        basis: Of its source, one of `BASES`.
        answers: What it says itself; None where it says nothing.
        region: What holds where it came from.

    >>> from onefold.consent.ruling import shipped_consent
    >>> germany = shipped_consent().region_of(country="DE")
    >>> allowed("notice", None, germany), allowed("contract", None, germany)
    (0, 3)
    """
    mask = BASES[region.basis(basis)]
    for purpose in region.ask:
        mask &= ~PURPOSES.get(purpose, 0)
    if answers is None:
        return mask
    if not answers.readable:
        return 0
    for purpose, answer in answers.told.items():
        bit = PURPOSES.get(purpose, 0)
        mask = mask | bit if answer else mask & ~bit
    return mask


class Gate:
    """Judges consent objects by one table of rules; remembers the last ones.

    Attributes:
        rules: By which it judges.
        identity_key: Keys the hashes under which a refusal is kept of whoever may not be known;
            empty where none is to be kept.
        keys: Under which events are held until their person agrees; None where none are held.
    """

    def __init__(
        self,
        rules: ConsentRules | None = None,
        *,
        identity_key: bytes = b"",
        vault: Path | None = None,
    ) -> None:
        """Take the rules, the key of hashes, and the file of the vault where events may be held."""
        self.rules = rules or shipped_consent()
        self.identity_key = identity_key
        holds = vault is not None and self.rules.holds
        self.keys = DailyKeys(vault, self.rules.held_days) if vault and holds else None
        self._answers: dict[bytes, Answers | None] = {}
        self._masks: dict[tuple[str, bytes | None, str], int] = {}

    def answers(self, consent: bytes) -> Answers | None:
        """Return what a consent object says (see `read_answers`)."""
        found = self._answers.get(consent, self)
        if found is self:
            found = read_answers(consent, self.rules)
            if len(self._answers) >= _MOST_KNOWN:
                self._answers.clear()
            if len(consent) <= _LONGEST_KNOWN:
                self._answers[consent] = found
        return found  # type: ignore[return-value]

    def untold(self, consent: bytes | None) -> bool:
        """Return whether a consent object says neither yes nor no to analytics."""
        answers = None if consent is None else self.answers(consent)
        if answers is None:
            return True
        return answers.readable and _ANALYTICS not in answers.told

    def mask(self, basis: str, consent: bytes | None, region: Region) -> int:
        """Return the purposes that an event is kept for (see `allowed`)."""
        key = (basis, consent, region.name)
        found = self._masks.get(key)
        if found is None:
            answers = None if consent is None else self.answers(consent)
            found = allowed(basis, answers, region)
            if len(self._masks) >= _MOST_KNOWN:
                self._masks.clear()
            if len(consent or b"") <= _LONGEST_KNOWN:
                self._masks[key] = found
        return found

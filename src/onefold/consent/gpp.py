"""GPP strings of IAB Tech Lab's Global Privacy Platform: the header and the sections we know.

Source: "Global Privacy Platform String Specification" and the "US Sections" of the same
repository (IAB Tech Lab, 2024): the header lists sections in Fibonacci's code; each US section
begins with its version and answers in two bits each (0 not applicable, 1, 2).
"""

from dataclasses import dataclass, field

from onefold.consent.bits import Bits
from onefold.model.errors import BadInput

TCF_EU, USP = 2, 6
"""Sections that are strings of their own: a TC string, and four letters ("1YNN")."""

_TYPE, _VERSION = 3, 1
_MOST_SECTIONS = 64
_OPTED_OUT, _STAYED = 1, 2
_GPC = 1
"""The type of a sub-section that tells the browser's Global Privacy Control."""

_PLAIN = ("notice", "sale_notice", "targeted_notice", "sale", "targeted")
_SENSITIVE = (*_PLAIN[:3], "sensitive_notice", "sale", "targeted")
_US: dict[int, tuple[str, tuple[str, ...]]] = {
    7: (
        "usnat",
        (
            "notice",
            "sale_notice",
            "sharing_notice",
            "targeted_notice",
            "sensitive_notice",
            "sensitive_limit_notice",
            "sale",
            "sharing",
            "targeted",
        ),
    ),
    8: ("usca", ("sale_notice", "sharing_notice", "sensitive_notice", "sale", "sharing")),
    11: ("usut", _SENSITIVE),
    18: ("usia", _SENSITIVE),
} | {
    number: (name, _PLAIN)
    for number, name in {
        9: "usva",
        10: "usco",
        12: "usct",
        13: "usfl",
        14: "usmt",
        15: "usor",
        16: "ustx",
        17: "usde",
        19: "usne",
        20: "usnh",
        21: "usnj",
        22: "ustn",
        23: "usmn",
    }.items()
}
"""Section -> its name, and the answers after its version as far as we read them, in order."""


@dataclass(frozen=True, slots=True)
class GppString:
    """What a GPP string says.

    Attributes:
        sections: Numbers of all its sections.
        tc: The TC string of Europe's section, or empty.
        sale: Whether data may be sold: False where opted out of in any section, True where asked
            and not, None where nobody says.
        sharing: Likewise of sharing for advertising across sites (California's word).
        targeted: Likewise of targeted advertising.
        gpc: The browser asks not to be sold, by Global Privacy Control.
    """

    sections: tuple[int, ...]
    tc: str = ""
    sale: bool | None = None
    sharing: bool | None = None
    targeted: bool | None = None
    gpc: bool = False
    unread: tuple[int, ...] = field(default=())


def read_gpp(text: str) -> GppString:
    """Return what a GPP string says.

    Raises:
        BadInput: The header, or a section that we know, cannot be read.
    """
    header, *parts = text.strip().split("~")
    bits = Bits(header, "GPP string")
    if bits.integer(6) != _TYPE or bits.integer(6) != _VERSION:
        raise BadInput("The GPP string has a header of another kind.", "Send one of version 1.")
    sections = _sections(bits)
    if len(sections) != len(parts) or not all(parts):
        message = f"The GPP string names {len(sections)} sections and has others."
        raise BadInput(message, "Send it whole.")
    answers: dict[str, set[int]] = {"sale": set(), "sharing": set(), "targeted": set()}
    tc, gpc, unread = "", False, []
    for number, part in zip(sections, parts, strict=True):
        if number == TCF_EU:
            tc = part
        elif number == USP:
            answers["sale"].add(_usp(part))
        elif number in _US:
            core, *more = part.split(".")
            for name, answer in _us(number, core).items():
                if name in answers:
                    answers[name].add(answer)
            gpc = gpc or any(map(_says_gpc, more))
        else:
            unread.append(number)
    told = {name: _settled(found) for name, found in answers.items()}
    return GppString(sections, tc, **told, gpc=gpc, unread=tuple(unread))


def _sections(bits: Bits) -> tuple[int, ...]:
    found: list[int] = []
    last = 0
    for _ in range(bits.integer(12)):
        several = bits.flag()
        start = last + bits.fibonacci()
        last = start + bits.fibonacci() if several else start
        if len(found) + last - start >= _MOST_SECTIONS:
            message = f"The GPP string names over {_MOST_SECTIONS} sections."
            raise BadInput(message, "Send the string as the platform gives it.")
        found += range(start, last + 1)
    return tuple(found)


def _us(number: int, core: str) -> dict[str, int]:
    name, fields = _US[number]
    bits = Bits(core, f"GPP section {name}")
    bits.integer(6)
    return {field: bits.integer(2) for field in fields}


def _says_gpc(part: str) -> bool:
    bits = Bits(part, "GPP sub-section")
    return bits.integer(2) == _GPC and bits.flag()


def _usp(text: str) -> int:
    """Return the answer on sale of a US Privacy string, such as 1YNN."""
    if len(text) != 4 or text[0] != "1" or not set(text[1:]) <= set("YN-"):
        raise BadInput(f"The US Privacy string is {text[:12]!r}.", "Write it as 1YNN.")
    return {"Y": _OPTED_OUT, "N": _STAYED}.get(text[2], 0)


def _settled(answers: set[int]) -> bool | None:
    """Return one answer of several sections: out of one is out."""
    if answers - {0, _OPTED_OUT, _STAYED} or _OPTED_OUT in answers:
        return False
    return True if _STAYED in answers else None

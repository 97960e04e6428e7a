"""A metric or a segment put together from a form, as the YAML that git would hold."""

import re
from collections.abc import Mapping, Sequence

import yaml

from onefold.metrics.records import UNIT_WORDS
from onefold.model.errors import BadInput

HOW = ("count", "sum", "distinct", "mean", "quantile", "share", "ratio", "time_to")
"""How a form counts: events, a property summed, its different values, how much a person has or the
one in the middle has, the share of people, one thing by another, how long until something."""
_ASIDE = ("label", "description", "owner", "purpose", "decision", "moves")
_SHORT = 4
"""So many of them a segment has too."""
_ODD = re.compile(r"[^a-z0-9]+")


def composed(given: Mapping[str, str]) -> str:
    """Return the YAML of the metric that a form describes; whether it holds, reading it tells.

    Args:
        given: `label`, `description`, `owner`, `purpose`, `decision`, `moves`, `version`; `how`,
            one of `HOW`; `events` and `below`, names apart by commas; `property` of what is summed
            or told apart; `filter` and `values`, a property and what it must be; `at_least` events
            of a unit; `cap`, what one counts for at most; `format`, `better`; `unit`, what counts
            for itself: `person` unless said, an account, a creator, an item or a campaign.

    Raises:
        BadInput: It says no label, or counts in no known way.
    """
    how = given.get("how", "count")
    if how not in HOW:
        raise BadInput(f"Nothing is counted by `{how[:40]}`.", f"Use one of: {', '.join(HOW)}.")
    name = _ODD.sub("_", given.get("label", "").lower()).strip("_")
    if not name:
        raise BadInput("The metric has no label.", "Write how pages are to call it.")
    told: dict[str, object] = {"metric": name, "version": _number(given.get("version") or "1")}
    told |= {part: given[part] for part in _ASIDE if given.get(part)}
    unit = given.get("unit") or "person"
    if unit not in UNIT_WORDS:
        known = ", ".join(UNIT_WORDS)
        raise BadInput(f"`{unit[:40]}` is no unit that counts for itself.", f"Use one of: {known}.")
    if unit != "person":
        told["unit"] = unit
    told["kind"] = "count" if how == "distinct" else how
    aside: tuple[str, ...] = ("format", "better")
    if how == "time_to":
        # A time is told as one, and events begin and end it.
        aside = ("better",)
        told["from"] = {"events": _names(given.get("below", ""))}
        told["to"] = _where(given, {"events": _names(given.get("events", ""))})
    else:
        told["numerator"] = _above(given, how, UNIT_WORDS[unit])
    if how in {"mean", "quantile", "share", "ratio"}:
        told["denominator"] = _below(given, how, UNIT_WORDS[unit])
    told |= {part: given[part] for part in aside if given.get(part)}
    return yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=100)


JOINED = ("all", "any", "not")
"""How a rule of a segment stands to the others: all hold, one of them, none."""
RULES = ("did", "trait", "account")
"""Of what a rule is: what was done, what somebody is said to be, of what account."""


def composed_segment(given: Mapping[str, str], rules: Sequence[Mapping[str, str]]) -> str:
    """Return the YAML of the segment that a form describes; whether it holds, reading it tells.

    Args:
        given: `label`, `description`, `owner`, `purpose`, `version`.
        rules: Of each its `join`, one of `JOINED`; its `of`, one of `RULES`; `name`, of an event, a
            trait or a column of accounts; `values`, apart by commas, of a trait or an account; of
            an event `property` and `values` of it, `at_least`, `at_most`, `days`.

    Raises:
        BadInput: It says no label, or a rule is of no known kind.
    """
    name = _ODD.sub("_", given.get("label", "").lower()).strip("_")
    if not name:
        raise BadInput("The segment has no label.", "Write how pages are to call it.")
    told: dict[str, object] = {"segment": name, "version": _number(given.get("version") or "1")}
    told |= {part: given[part] for part in _ASIDE[:_SHORT] if given.get(part)}
    for join in JOINED:
        if mine := [_ruled(rule) for rule in rules if _choice(rule, "join", JOINED) == join]:
            told[join] = mine
    return yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=100)


def _ruled(rule: Mapping[str, str]) -> dict[str, object]:
    of, name = _choice(rule, "of", RULES), rule.get("name", "").strip()
    values = _names(rule.get("values", ""))
    if of != "did":
        return {of: name, "is": values}
    told: dict[str, object] = {"did": name}
    if rule.get("property", "").strip():
        told["where"] = {rule["property"].strip(): values}
    told |= {
        part: _number(rule[part]) for part in ("at_least", "at_most", "days") if rule.get(part)
    }
    return told


def _choice(rule: Mapping[str, str], part: str, known: Sequence[str]) -> str:
    value = rule.get(part) or known[0]
    if value not in known:
        raise BadInput(f"No `{part}` `{value[:40]}`.", f"Use one of: {', '.join(known)}.")
    return value


def _above(given: Mapping[str, str], how: str, units: str) -> dict[str, object]:
    field = given.get("property", "").strip()
    told: dict[str, object] = {"count": units if how == "share" else "events"}
    if how in {"sum", "distinct"} or (field and how in {"mean", "quantile", "ratio"}):
        told = {"distinct" if how == "distinct" else "sum": field}
    told["events"] = _names(given.get("events", ""))
    _where(given, told)
    if how == "share" and given.get("at_least"):
        told["at_least"] = _number(given["at_least"])
    if given.get("cap"):
        told["cap"] = _number(given["cap"])
    return told


def _where(given: Mapping[str, str], told: dict[str, object]) -> dict[str, object]:
    """Return a term with what its events must be, if anything is said of that."""
    if name := given.get("filter", "").strip():
        told["where"] = {name: _names(given.get("values", ""))}
    return told


def _below(given: Mapping[str, str], how: str, units: str) -> dict[str, object]:
    events = _names(given.get("below", ""))
    if how == "ratio":
        return {"count": "events", "events": events} if events else {"count": "sessions"}
    return {"count": units, "events": events or _names(given.get("events", ""))}


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _number(text: str) -> object:
    """Return a number as one; anything else stays, and whoever reads it says what is wrong."""
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if value.is_integer() else value

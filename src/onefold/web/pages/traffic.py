"""Whose traffic a page shows: the control of every page of figures, and what it leaves out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from onefold.model.errors import BadInput, did_you_mean
from onefold.model.records import MARKED, MARKS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onefold.store import View

NAME = "include"
"""The parameter of an address."""
EVERYTHING = "all"
_WORDS = {
    "bot": "bots",
    "internal": "our own people",
    "test": "test users",
    "synthetic": "synthetic journeys",
}


@dataclass(frozen=True, slots=True)
class LetIn:
    """What marked traffic an address lets in.

    Attributes:
        text: As addresses spell it: empty, `all`, or marks apart by commas.
    """

    text: str = ""

    @property
    def marks(self) -> frozenset[str]:
        """Return it as a question takes it."""
        return frozenset(MARKS if self.text == EVERYTHING else self.text.split(",")) - {""}

    @property
    def words(self) -> str:
        """Return it as the control says it.

        >>> LetIn().words, LetIn("bot,test").words, LetIn("all").words
        ('customers', 'and bots, test users', 'everything')
        """
        if not self.text:
            return "customers"
        if self.text == EVERYTHING:
            return "everything"
        return f"and {', '.join(_WORDS[mark] for mark in self.text.split(','))}"

    def address(self, path: str, **params: str) -> str:
        """Return an address that lets the same in.

        >>> LetIn("bot").address("/", days="28"), LetIn().address("/live")
        ('/?days=28&include=bot', '/live')
        """
        return _address(path, params, self.text)


CUSTOMERS = LetIn()
"""Nothing but customers' events."""


def let_in(params: Mapping[str, str]) -> LetIn:
    """Return what an address lets in.

    Raises:
        BadInput: One of it is no mark.

    >>> let_in({"include": "tests,bots"}).text, let_in({}).text
    ('bot,test', '')
    """
    text = params.get(NAME, "")
    if text == EVERYTHING:
        return LetIn(text)
    parts = {part.removesuffix("s") for part in text.split(",") if part}
    for part in sorted(parts.difference(MARKS)):
        message = f"No traffic `{part}`.{did_you_mean(part, (*MARKS, EVERYTHING))}"
        raise BadInput(message, f"Use all, or some of: {', '.join(MARKS)}; apart by commas.")
    return LetIn(EVERYTHING if len(parts) == len(MARKS) else ",".join(sorted(parts)))


@dataclass(frozen=True, slots=True)
class Traffic:
    """The control of one page.

    Attributes:
        chosen: What its address lets in.
        path: Of the page.
        params: The rest of its address.
    """

    chosen: LetIn
    path: str
    params: Mapping[str, str] = field(default_factory=dict)

    def address(self, chosen: LetIn) -> str:
        """Return the address of the same page that lets something else in."""
        return _address(self.path, self.params, chosen.text)

    def control(self) -> dict[str, Any]:
        """Return the filter: customers alone, or with some of what is marked."""
        values = ["", *_WORDS, EVERYTHING]
        if self.chosen.text not in values:
            values.append(self.chosen.text)
        return {
            "label": "Traffic",
            "value": self.chosen.words,
            "options": [
                {
                    "label": LetIn(value).words,
                    "href": self.address(LetIn(value)),
                    "current": value == self.chosen.text,
                }
                for value in values
            ],
        }

    def left_out(self, view: View, span: tuple[int, int], *, of: str) -> dict[str, str]:
        """Return the line on what the page leaves out, with the way to see it.

        Args:
            view: Whose figures are shown.
            span: From and to, microseconds.
            of: Which events were looked at, such as "the last 28 days".
        """
        return self.line(view.marked_out(*span), of=of)

    def line(self, counts: Mapping[str, int], *, of: str) -> dict[str, str]:
        """Return the same line from events counted by their mark."""
        parts = ", ".join(f"{events:,} of {_WORDS[mark]}" for mark, events in counts.items())
        words = f"{MARKED} {parts or 'none'}, of {of}."
        if self.chosen.text == EVERYTHING:
            return {"words": "Shown are everybody's events, not only customers'.", "href": ""}
        more = self.address(LetIn(EVERYTHING))
        return {"words": words, "href": more, "more": "Show everything"}


def _address(path: str, params: Mapping[str, str], text: str) -> str:
    kept = {name: value for name, value in params.items() if name != NAME and value}
    if text:
        kept[NAME] = text
    return f"{path}?{urlencode(kept)}" if kept else path

"""Definitions as YAML: every complaint says file, line, column, and what would be right."""

from collections.abc import Callable, Iterable
from datetime import date
from difflib import get_close_matches
from typing import NoReturn, TypeVar

import yaml

from onefold.model.errors import BadInput, did_you_mean
from onefold.model.time import parse_date

_Value = TypeVar("_Value")
_TAG = "tag:yaml.org,2002:"


class Fields:
    """A mapping of a YAML document, asked field by field.

    A field that nobody has asked for is unknown, and `close` refuses it.
    """

    def __init__(self, node: yaml.MappingNode, path: str) -> None:
        self._path = path
        self._node = node
        self._asked: list[str] = []
        self._nodes: dict[str, yaml.Node] = {}
        self._keys: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if not name:
                self._refuse(key, "A name is missing before the colon.", "Write `name: value`.")
            if name in self._nodes:
                self._refuse(key, f"`{name}` stands here twice.", "Keep one of the two.")
            self._nodes[name], self._keys[name] = value, key

    def __contains__(self, name: str) -> bool:
        """Tell whether a field is there."""
        return name in self._nodes

    def names(self) -> tuple[str, ...]:
        """Return the names of all fields in the order of the file, and take them as asked."""
        self._asked.extend(self._nodes)
        return tuple(self._nodes)

    def text(self, name: str, default: str | None = None) -> str:
        """Return a field's text; required without default."""
        return self._value(name, default, self._text)

    def choice(self, name: str, options: Iterable[str], default: str | None = None) -> str:
        """Return a field's text, one of the options."""
        known = list(options)

        def chosen(node: yaml.Node) -> str:
            value = self._text(node)
            if value not in known:
                meant = did_you_mean(value, known)
                self._refuse(
                    node,
                    f"`{name}` cannot be `{value}`.{meant}",
                    f"Use one of: {', '.join(known)}.",
                )
            return value

        return self._value(name, default, chosen)

    def number(
        self, name: str, default: float | None = None, *, least: float | None = None
    ) -> float:
        """Return a field's number, at least `least`."""

        def numeric(node: yaml.Node) -> float:
            try:
                value = float(self._scalar(node))
            except ValueError:
                self._refuse(node, f"`{name}` is not a number.", "Write it as 12 or 0.5.")
            # A NaN fails both, so that it is refused too.
            if not abs(value) < float("inf") or (least is not None and value < least):
                self._refuse(
                    node, f"`{name}` is {value:g}.", f"It must be at least {least or 0:g}."
                )
            return value

        return self._value(name, default, numeric)

    def integer(self, name: str, default: int | None = None, *, least: int = 0) -> int:
        """Return a field's whole number, at least `least`."""
        value = self.number(name, default, least=least)
        if value != int(value):
            self.refuse(name, f"`{name}` is {value:g}.", "Write a whole number.")
        return int(value)

    def flag(self, name: str, default: bool | None = None) -> bool:  # noqa: FBT001
        """Return a field's truth value."""

        def truth(node: yaml.Node) -> bool:
            value = self._scalar(node).lower()
            if value not in {"true", "false"}:
                self._refuse(node, f"`{name}` is `{value}`.", "Write true or false.")
            return value == "true"

        return self._value(name, default, truth)

    def day(self, name: str, default: date | None = None) -> date:
        """Return a field's day, written as 2026-11-22."""

        def dated(node: yaml.Node) -> date:
            try:
                return parse_date(self._scalar(node))
            except BadInput as error:
                self._refuse(node, f"`{name}`: {error.message}", error.fix)

        return self._value(name, default, dated)

    def texts(self, name: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Return a field's list of texts; one text stands for a list of one."""

        def listed(node: yaml.Node) -> tuple[str, ...]:
            if isinstance(node, yaml.SequenceNode):
                return tuple(self._text(item) for item in node.value)
            return (self._text(node),)

        return self._value(name, default, listed)

    def fields(self, name: str) -> "Fields | None":
        """Return the mapping that a field holds, or None without the field."""
        self._asked.append(name)
        node = self._nodes.get(name)
        if node is None:
            return None
        if not isinstance(node, yaml.MappingNode):
            self._refuse(node, f"`{name}` holds no fields.", "Write fields below it, indented.")
        return Fields(node, self._path)

    def each(self, name: str) -> "tuple[Fields, ...]":
        """Return the mappings of a list that a field holds; nothing without the field."""
        self._asked.append(name)
        node = self._nodes.get(name)
        if node is None:
            return ()
        if not isinstance(node, yaml.SequenceNode):
            self._refuse(node, f"`{name}` is no list.", "Begin each line below it with `- `.")
        for item in node.value:
            if not isinstance(item, yaml.MappingNode):
                self._refuse(item, f"`{name}` holds no fields.", "Write `- name: value`.")
        return tuple(Fields(item, self._path) for item in node.value)

    def required(self, name: str) -> "Fields":
        """Return the mapping that a field holds; the field is required."""
        found = self.fields(name)
        if found is None:
            self._missing(name)
        return found

    def plain(self, name: str) -> object:
        """Return what a field holds as plain lists, mappings and values; None without it."""
        self._asked.append(name)
        node = self._nodes.get(name)
        if node is None:
            return None
        loader = yaml.SafeLoader("")
        try:
            return loader.construct_document(node)
        except (yaml.YAMLError, ValueError) as error:
            self._refuse(node, f"`{name}` cannot be read.", f"Write it otherwise: {error}.")
        finally:
            loader.dispose()

    def refuse(self, name: str, message: str, fix: str = "") -> NoReturn:
        """Complain about a field at its place.

        Raises:
            BadInput: Always.
        """
        self._refuse(self._nodes.get(name, self._node), message, fix)

    def close(self) -> None:
        """Refuse fields that nobody has asked for.

        Raises:
            BadInput: There is an unknown field.
        """
        for name, key in self._keys.items():
            if name not in self._asked:
                near = get_close_matches(name, self._asked, n=1)
                meant = f" Did you mean `{near[0]}`?" if near else ""
                known = ", ".join(sorted(set(self._asked)))
                self._refuse(key, f"No field `{name}` here.{meant}", f"Known are: {known}.")

    def _value(
        self, name: str, default: _Value | None, read: Callable[[yaml.Node], _Value]
    ) -> _Value:
        self._asked.append(name)
        node = self._nodes.get(name)
        empty = isinstance(node, yaml.ScalarNode) and node.tag == _TAG + "null"
        if node is not None and not empty:
            return read(node)
        if default is None:
            self._missing(name)
        return default

    def _missing(self, name: str) -> NoReturn:
        self._refuse(self._node, f"`{name}` is missing.", f"Add `{name}: ...`.")

    def _scalar(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            self._refuse(node, "One value belongs here.", "Write it behind the colon.")
        return str(node.value)

    def _text(self, node: yaml.Node) -> str:
        value = self._scalar(node).strip()
        if not value:
            self._refuse(node, "The text is empty.", "Write some words.")
        if node.tag == _TAG + "bool":
            self._refuse(node, f"YAML reads `{value}` as true or false.", f'Write "{value}".')
        return value

    def _refuse(self, node: yaml.Node, message: str, fix: str) -> NoReturn:
        raise BadInput(f"{_place(self._path, node.start_mark)}: {message}", fix)


def read_document(text: str, path: str) -> Fields:
    """Return the fields of a YAML document.

    Args:
        text: The document.
        path: How complaints name the file.

    Raises:
        BadInput: It is no YAML, or no mapping; with file, line and column.

    >>> read_document("metric: saves", "saves.yaml").text("metric")
    'saves'
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = _place(path, mark) if mark else path
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise BadInput(f"{place}: This is no YAML: {problem}.", "Check the indentation.") from error
    if not isinstance(node, yaml.MappingNode):
        raise BadInput(f"{path}:1:1: There are no fields.", "Write `name: value`, a line each.")
    return Fields(node, path)


def _place(path: str, mark: yaml.Mark) -> str:
    return f"{path}:{mark.line + 1}:{mark.column + 1}"

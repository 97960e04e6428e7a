"""The register of calls: what each takes, who may make it, what answers it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from onefold.governance import approvals, people, require
from onefold.model.errors import BadInput, unknown
from onefold.model.records import MARKS, OWNER, Answer, Asker, Column, Progress, Question
from onefold.runtime import binding
from onefold.runtime import call_params as take
from onefold.runtime.plain_values import check_plain
from onefold.runtime.using import AMONG, READ
from onefold.runtime.workspace import Workspace
from onefold.store import Vault, View

Body = Answer | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call answered.

    Attributes:
        body: The answer as plain JSON values.
        good: False where the answer is "no": a check that found something, drift.
    """

    body: dict[str, Any]
    good: bool = True


@dataclass(frozen=True, slots=True)
class Asked:
    """Of which workspace something is asked, by whom, and who wants to hear of progress."""

    workspace: Workspace
    asker: Asker
    progress: Progress

    def vault(self) -> Vault:
        """Return the vault as this asker may read it."""
        return self.workspace.vault_of(self.asker)

    def view(self, terms: take.Asking) -> View:
        """Return the facts as this asker may see them."""
        return self.workspace.view(
            Question(
                asker=self.asker,
                purpose=terms.purpose,
                environment=terms.environment,
                include=included(terms.include),
            )
        )


def included(text: str) -> frozenset[str]:
    """Return the marks that a question lets in, as written.

    >>> sorted(included("bots,internal")), included("")
    (['bot', 'internal'], frozenset())
    """
    if text == "all":
        return frozenset(MARKS)
    return frozenset(part.removesuffix("s") for part in text.split(",") if part)


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        name: As on the command line, words apart by a space.
        summary: One line of help.
        takes: The record of its parameters.
        action: What the asker must be allowed, one of governance's actions.
        changes: Whether it changes anything; a question does not.
        whole: Whether it tells of the whole workspace, so that who may see but some rows of it
            may not ask.
        run: What answers it.
    """

    name: str
    summary: str
    takes: type[msgspec.Struct]
    action: str
    changes: bool
    whole: bool
    run: Callable[[Asked, Any], Body | Outcome]

    @property
    def places(self) -> tuple[str, ...]:
        """The parameters that name a file or folder of the server's machine."""
        return self._that(_is_place)

    @property
    def lists(self) -> tuple[str, ...]:
        """The parameters of several values: an address repeats their name."""
        return self._that(lambda told: isinstance(told, msgspec.inspect.VarTupleType))

    def _that(self, meant: Callable[[msgspec.inspect.Type], bool]) -> tuple[str, ...]:
        told = msgspec.inspect.type_info(self.takes)
        fields = told.fields if isinstance(told, msgspec.inspect.StructType) else ()
        return tuple(field.encode_name for field in fields if meant(field.type))


CALLS: dict[str, Call] = {}
"""Every call by its name."""

_ALSO_ASKED = frozenset({"dashboard show", "sql"})
"""Questions that take other terms than those of a View."""
_EVENTS = ("event", "start", "back")
"""Parameters that name an event."""

Params = TypeVar("Params", bound=msgspec.Struct)
Run = Callable[[Asked, Params], Body | Outcome]


def named(
    name: str,
    takes: type[Params],
    *,
    action: str = "ask",
    changes: bool = False,
    whole: bool | None = None,
) -> Callable[[Run[Params]], Run[Params]]:
    """Return the decorator that registers what answers a call, under its name.

    Args:
        name: As on the command line, words apart by a space.
        takes: The record of its parameters.
        action: What the asker must be allowed, one of governance's actions.
        changes: Whether it changes anything.
        whole: Whether it tells of the whole workspace. Unless said, what is no question through
            a View does, but for settings, whose rows are no customer's.
    """
    if whole is None:
        whole = not issubclass(takes, take.Asking) and action != "settings"

    def keep(run: Run[Params]) -> Run[Params]:
        summary = (run.__doc__ or "").strip().partition("\n")[0]
        CALLS[name] = Call(name, summary, takes, action, changes, whole, run)
        return run

    return keep


def call(
    workspace: Workspace,
    asker: Asker,
    name: str,
    params: Mapping[str, Any],
    progress: Progress | None = None,
    *,
    strict: bool = False,
) -> Outcome:
    """Return what a call answers.

    Args:
        workspace: Of which workspace.
        asker: Who asks; role and scopes must allow the call's action.
        name: One of `CALLS`.
        params: Plain values, or texts as an address carries them.
        progress: Hears how far a long call is.
        strict: Values must be of their own kind; else a text or a number may stand for one.

    Raises:
        NotFound: There is no such call, or nothing of the name asked for.
        NotAllowed: The asker may not, or it waits to be signed.
        Conflict: What was signed is being made already.
        BadInput: A parameter is missing, unknown or of another kind.
    """
    if name not in CALLS:
        raise unknown("call", name, CALLS)
    found = CALLS[name]
    require(asker, found.action)
    if found.whole:
        workspace.require_whole(asker)
    taken = taken_by(found, params, strict=strict)
    check_plain(name, taken, found.places)
    draft = binding.settled(workspace, asker, name, taken)
    with approvals.making(workspace.state, [draft], asker=asker):
        said = found.run(Asked(workspace, asker, progress or _nobody_hears), taken)
    _note(workspace, asker, found, taken)
    if isinstance(said, Outcome):
        return said
    return Outcome(said.to_json() if isinstance(said, Answer) else dict(said))


def _note(workspace: Workspace, asker: Asker, found: Call, taken: Any) -> None:
    """Count that somebody asked a question, of what, of which segment, which events it read."""
    if found.changes or not (issubclass(found.takes, take.Asking) or found.name in _ALSO_ASKED):
        return
    # A record that is found by an id is somebody; of whom one asks is not counted.
    name = getattr(taken, "name", "")
    now = workspace.clock()
    workspace.uses.note(asker, found.name, (name,), now=now)
    if segment := getattr(taken, "segment", ""):
        workspace.uses.note(asker, AMONG, (segment,), now=now)
    events = (*getattr(taken, "events", ()), *(getattr(taken, one, "") for one in _EVENTS))
    if read := [event for event in events if isinstance(event, str) and event]:
        workspace.uses.note(asker, READ, read, now=now)


def taken_by(found: Call, params: Mapping[str, Any], *, strict: bool = False) -> Any:
    """Return the record of what a call takes.

    Raises:
        BadInput: A parameter is missing, unknown or of another kind.
    """
    try:
        return msgspec.convert(dict(params), found.takes, strict=strict)
    except msgspec.ValidationError as error:
        message = f"`{found.name}` cannot take that: {_said(error)}."
        raise BadInput(message, f"It takes: {_shape(found.takes)}.") from error


def _is_place(told: msgspec.inspect.Type) -> bool:
    if isinstance(told, msgspec.inspect.UnionType):
        return any(map(_is_place, told.types))
    return isinstance(told, msgspec.inspect.Metadata) and bool((told.extra or {}).get("place"))


def asker_named(workspace: Workspace, user: str | None) -> Asker:
    """Return the asker of a user's name; without one, the owner at the command line.

    Raises:
        NotFound: There is no such user.
    """
    if user is None:
        return OWNER
    return Asker(name=user, role=people.user_named(workspace.state, user).role)


def _nobody_hears(_what: str, _done: int, _total: int | None) -> None:
    """Take progress where nobody watches."""


def _said(error: msgspec.ValidationError) -> str:
    return str(error).replace(" - at `$.", ", at `").rstrip(".")


def _shape(takes: type[msgspec.Struct]) -> str:
    fields = msgspec.structs.fields(takes)
    if not fields:
        return "nothing"
    return ", ".join(f"{f.encode_name}{' (required)' if f.required else ''}" for f in fields)


def table(rows: tuple[tuple[object, ...], ...], *names: str, definition: str = "") -> Answer:
    """Return plain rows as an answer; a name that ends in _time or _share says its type."""
    return Answer(columns=tuple(_column(name) for name in names), rows=rows, definition=definition)


def _column(name: str) -> Column:
    if name.endswith("_time"):
        return Column(name, "time")
    if name.endswith("_date"):
        return Column(name, "date")
    if name in {"events", "entries", "rows", "id", "planned_days"}:
        return Column(name, "integer")
    if name == "sample":
        return Column(name, "number", "share")
    return Column(name, "text")

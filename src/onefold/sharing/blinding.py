"""How many people two parties have in common, where neither shows the other a list.

Private set intersection by elliptic curves (openmined-psi; Meadows 1986, and Huberman, Franklin &
Hogg 1999): the one who asks sends its values blinded by a secret, the one who answers blinds them
again and sends its own blinded once; who asks takes its secret off and counts what is equal. Three
steps, three files: request, response, result.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from onefold.model.errors import BadInput, NotAllowed, NotFound
from onefold.model.records import Answer, Asker, Column
from onefold.sharing import store
from onefold.sharing.hashing import META, cleaned_value
from onefold.sharing.joining import FIELDS, check_group
from onefold.sharing.queries import did, people_by_identifier
from onefold.sharing.spending import SMALLEST_GROUP, Cost, data_set, spend
from onefold.sharing.values import values_of_people

if TYPE_CHECKING:
    from onefold.store import State, Vault, View

MOST_BYTES = 400_000_000
_MOST_GROUPS = 20
_FORMAT = 1
_ALL = "everybody"
PROTECTS = (
    "Neither side sees a value of the other, nor who is in common; who asks learns how many. An "
    "asker who changes its software sees counts under k as well, and may fill a request with "
    "made-up values around one person: answer only partners to whom a contract forbids that."
)


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the one who asks sends: blinded values, by group."""

    format: int
    id: str
    field: str
    k: int
    groups: list[tuple[str, bytes]]


class Response(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the other one answers: for each group its values blinded, and theirs blinded again."""

    format: int
    id: str
    k: int
    groups: list[tuple[str, int, bytes, bytes]]


def ask(
    view: "View",
    vault: "Vault",
    state: "State",
    asker: Asker,
    *,
    field: str = FIELDS[0],
    events: Sequence[str] = (),
    k: int = SMALLEST_GROUP,
) -> bytes:
    """Return a request about our people, and those of them who did events; keep its secret.

    Raises:
        BadInput: A parameter is none, or the extra `privacy` is not installed.
        NotAllowed: A group is too small, or the privacy budget is used up.
    """
    check_group(k)
    psi = _psi()
    if field not in FIELDS:
        raise BadInput(f"No field `{field}`.", f"Use one of: {', '.join(FIELDS)}.")
    if len(events) >= _MOST_GROUPS:
        raise BadInput(f"{len(events)} events are too many.", f"Take under {_MOST_GROUPS}.")
    values = _values(view, vault, field)
    groups: dict[str, set[int]] = {_ALL: set(values)}
    for event in events:
        groups[event] = set(values) & did(view, event)
    for name, people in groups.items():
        if len(people) < k:
            message = f"The group `{name}` has fewer than {k} persons."
            raise NotAllowed(message, "Leave it out, or wait until it has more.")
    arrays = [np.fromiter(people, np.int64) for people in groups.values()]
    of = data_set(view.question.environment)
    spend(state, asker, of, Cost("intersection", answers=1), arrays, k=k)
    client = psi.client.CreateWithNewKey(False)
    request = Request(
        format=_FORMAT,
        id=secrets.token_hex(16),
        field=field,
        k=k,
        groups=[
            (name, client.CreateRequest(_flat(values, people)).SerializeToString())
            for name, people in groups.items()
        ],
    )
    detail = {"groups": len(groups)}
    with state.change(asker, "intersection.ask", request.id, detail=detail) as change:
        store.put_secret(change, request.id, client.GetPrivateKeyBytes(), state.now())
    return msgspec.msgpack.encode(request)


def respond(view: "View", vault: "Vault", state: "State", asker: Asker, content: bytes) -> bytes:
    """Return the response to a partner's request.

    Raises:
        BadInput: It is no request, or the extra `privacy` is not installed.
        NotAllowed: A group of it is too small, or the privacy budget is used up.
    """
    psi = _psi()
    request = _read(content, Request)
    check_group(request.k)
    if request.field not in FIELDS or not 0 < len(request.groups) <= _MOST_GROUPS:
        raise BadInput("The request asks for what is not answered.", "Ask the partner for another.")
    values = _values(view, vault, request.field)
    if len(values) < request.k:
        message = f"Fewer than {request.k} persons agreed to be joined."
        raise NotAllowed(message, "Answer once there are more.")
    found = []
    everybody = _flat(values, set(values))
    for name, blinded in request.groups:
        theirs = _parsed(psi.Request(), blinded)
        count = len(set(theirs.encrypted_elements))
        if count < request.k or count != len(theirs.encrypted_elements):
            message = f"A group of the request has {count} persons; it needs {request.k}."
            raise NotAllowed(message, "Ask the partner for larger groups.")
        # A fresh secret a group, so that answers cannot be put beside each other.
        server = psi.server.CreateWithNewKey(False)
        try:
            setup = server.CreateSetupMessage(0.0, count, everybody, psi.DataStructure.RAW)
            answer = server.ProcessRequest(theirs)
        except RuntimeError as error:
            raise BadInput("The request cannot be answered.", "Ask for another.") from error
        found.append((name, count, setup.SerializeToString(), answer.SerializeToString()))
    cost = Cost("intersection", answers=len(found), asked=request.id[:64])
    spend(state, asker, data_set(view.question.environment), cost)
    return msgspec.msgpack.encode(Response(_FORMAT, request.id, request.k, found))


def result(state: "State", asker: Asker, content: bytes, *, k: int = SMALLEST_GROUP) -> Answer:
    """Return how many are in common, by groups of at least k; its secret is used up by that.

    Raises:
        BadInput: It is no response, or the extra `privacy` is not installed.
        NotFound: It answers no request of ours, or one that was read already.
    """
    check_group(k)
    psi = _psi()
    response = _read(content, Response)
    secret = store.secret_of(state, response.id)
    if secret is None:
        message = "It answers no request of ours, or one that was read already."
        raise NotFound(message, "Make another request.")
    client = psi.client.CreateFromKey(secret, False)
    least = max(k, response.k)
    sizes: list[tuple[str, int, int]] = []
    for name, asked, setup, answer in response.groups:
        try:
            size = client.GetIntersectionSize(
                _parsed(psi.ServerSetup(), setup), _parsed(psi.Response(), answer)
            )
        except RuntimeError as error:
            raise BadInput("The response cannot be read.", "Ask for another.") from error
        sizes.append((name, asked, int(size)))
    with state.change(asker, "intersection.read", response.id) as change:
        store.drop_secret(change, response.id)
    whole = next((size for name, _, size in sizes if name == _ALL), 0)
    rows = tuple(_row(name, asked, size, whole, least) for name, asked, size in sizes)
    return Answer(
        columns=(
            Column("group", "text"),
            Column("asked", "integer", "persons"),
            Column("in_common", "integer", "persons"),
            Column("common_share", "number", "share"),
        ),
        rows=rows,
        definition=f"Values in common with the partner; counts under {least}, and those that would "
        "tell of fewer by what is missing, are left out.",
        notes=(PROTECTS,),
    )


def _row(name: str, asked: int, size: int, whole: int, least: int) -> tuple[object, ...]:
    tells = size >= least and not (name != _ALL and 0 < whole - size < least)
    return (name, asked, size if tells else None, size / asked if tells and asked else None)


def _values(view: "View", vault: "Vault", field: str) -> dict[int, frozenset[str]]:
    """Return the cleaned values of everybody whom the View lets in: person -> values."""
    people = people_by_identifier(view)
    found = {}
    for person, values in values_of_people(vault, people).items():
        cleaned = {cleaned_value(META, field, one.strip()) for one in values.get(field, ())} - {""}
        if cleaned:
            found[person] = frozenset(cleaned)
    return found


def _flat(values: Mapping[int, frozenset[str]], people: set[int]) -> list[str]:
    # In the order of the values: nothing tells who came when.
    return sorted({one for person in people for one in values[person]})


def _parsed(message: Any, content: bytes) -> Any:
    try:
        message.ParseFromString(content)
    except Exception as error:
        # Of the library's own kind, which is there only with the extra.
        raise BadInput("What came cannot be read.", "Ask the partner for another.") from error
    return message


def _read(content: bytes, kind: Any) -> Any:
    what = "request" if kind is Request else "response"
    fix = f"Give the file that the partner's {what} came as."
    if len(content) > MOST_BYTES:
        raise BadInput(f"It is too large for a {what}.", fix)
    try:
        found = msgspec.msgpack.decode(content, type=kind)
    except msgspec.MsgspecError as error:
        raise BadInput(f"It is no {what} of an intersection.", fix) from error
    if found.format != _FORMAT:
        raise BadInput(f"It is a {what} of format {found.format}.", "Use the same version.")
    return found


def _psi() -> Any:
    try:
        import private_set_intersection.python as psi
    except ImportError as error:
        message = "Private set intersection needs openmined-psi, which is not installed."
        raise BadInput(message, "Install `onefold[privacy]`.") from error
    return psi

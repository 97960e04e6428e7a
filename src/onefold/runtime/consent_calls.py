"""Calls about consent: what people said, their yes and no, and what was done about a no."""

from typing import Annotated, Literal

import msgspec

from onefold.collect import sources
from onefold.consent import people, proofs, rules, saying
from onefold.model.errors import BadInput, NotFound, unknown
from onefold.model.ids import IDENTIFIER_KINDS, identifier_key
from onefold.model.records import OWNER, Answer, Column, Question
from onefold.model.time import DAY
from onefold.runtime import call_params as take
from onefold.runtime import consent_file
from onefold.runtime.holding import Holding
from onefold.runtime.personalizing import PERSONALIZATION, switch, switched_off
from onefold.runtime.placing import placed
from onefold.runtime.registry import Asked, Body, Outcome, named, table

Basis = Literal["consent", "contract", "legitimate interest", "legal obligation"]
_LONGEST_ID = 1000


class ConsentShowParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whose consent, and in which environment."""

    id: str
    environment: take.Environment = "production"


class ConsentParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who says yes or no to what, on which legal basis, and where they are."""

    id: str
    purpose: str | None = None
    basis: Basis = "consent"
    region: str = ""


class ConsentStringParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whose TC or GPP string."""

    id: str
    string: Annotated[str, msgspec.Meta(min_length=1, max_length=20_000)]


class ConsentFileParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A CSV of what people said."""

    path: take.Place
    dry_run: bool = False


class SwitchParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whether it is to be on or off for everybody."""

    to: Literal["on", "off"]


class MostParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The last so many."""

    last: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 100


def _laid_down(asked: Asked) -> rules.ConsentRules:
    return asked.workspace.gate().rules


def _key(asked: Asked, text: str, environment: str = "production") -> int:
    """Return the key of an identifier as written: `user_id:u1`, or a bare id.

    A bare one is a user's, unless nobody of that is known and an anonymous one is.

    Raises:
        BadInput: It is empty or too long.
    """
    wanted = text.strip()
    kind, _, value = wanted.partition(":")
    if not wanted or len(wanted) > _LONGEST_ID:
        message = f"The id has {len(wanted)} characters."
        raise BadInput(message, "Give a user id, or `user_id:...`, `anonymous_id:...`.")
    identity_key = asked.workspace.identity_key
    if kind in IDENTIFIER_KINDS and value:
        return identifier_key(identity_key, kind, value)
    keys = [identifier_key(identity_key, each, wanted) for each in IDENTIFIER_KINDS]
    view = asked.workspace.view(Question(asker=asked.asker, environment=environment))
    return next((key for key in keys if people.is_known(view, key)), keys[0])


def _plain_key(asked: Asked, text: str) -> int:
    """Return the key of an id in a file; a bare one is a user's."""
    kind, _, value = text.partition(":")
    if not text or len(text) > _LONGEST_ID:
        raise BadInput(f"The id has {len(text)} characters.", "Write a user id.")
    if kind in IDENTIFIER_KINDS and value:
        return identifier_key(asked.workspace.identity_key, kind, value)
    return identifier_key(asked.workspace.identity_key, "user_id", text)


@named("consent show", ConsentShowParams, action="see_persons")
def _show(asked: Asked, params: ConsentShowParams) -> Body:
    """Where somebody stands with each purpose, and all that was said, over time."""
    key = _key(asked, params.id, params.environment)
    view = asked.workspace.view(Question(asker=asked.asker, environment=params.environment))
    said = people.said_of(view, key)
    if not said and not people.is_known(view, key):
        message = f"Nobody is known as `{params.id}`, and nothing was said of their consent."
        raise NotFound(message, "Give a user id, or `user_id:...`, `anonymous_id:...`.")
    now = asked.workspace.clock()
    stands = people.standing(said, _laid_down(asked).known, now=now)
    rows = tuple(
        (
            one.purpose,
            one.state,
            None if one.said is None else one.said.from_time,
            None if one.said is None else one.said.means,
            None if one.said is None else one.said.source or None,
            None if one.said is None else one.said.basis,
            None if one.said is None else one.said.region or None,
        )
        for one in stands
    )
    names = ("purpose", "state", "since_time", "means", "source", "basis", "region")
    told = table(rows, *names).to_json()
    told["definition"] = (
        "The latest word holds. Of what nobody was asked, each event decides by what it carries."
    )
    return {**told, "history": _history(said).to_json()}


def _history(said: tuple[people.Said, ...]) -> Answer:
    names = ("purpose", "answer", "from_time", "last_time", "means", "source", "basis", "region")
    rows = tuple(
        (
            one.purpose,
            "yes" if one.granted else "no",
            one.from_time,
            one.last_time,
            one.means,
            one.source or None,
            one.basis,
            one.region or None,
            f"{one.log_offset}:{one.place}",
        )
        for one in said
    )
    return table(rows, *names, "evidence", definition="All that was said, the earliest first.")


@named("consent grant", ConsentParams, action="consent", changes=True)
def _grant(asked: Asked, params: ConsentParams) -> Body:
    """Record that somebody agrees to a purpose, from now on."""
    if params.purpose is None:
        message = "Name the purpose that is agreed to."
        raise BadInput(message, f"Use one of: {', '.join(_laid_down(asked).known)}.")
    return _say(asked, params, answer=True)


@named("consent withdraw", ConsentParams, action="consent", changes=True)
def _withdraw(asked: Asked, params: ConsentParams) -> Body:
    """Record that somebody withdraws from a purpose, or from all of them."""
    return _say(asked, params, answer=False)


def _say(asked: Asked, params: ConsentParams, *, answer: bool) -> Body:
    known = _laid_down(asked).known
    if params.purpose is not None and params.purpose not in known:
        raise unknown("purpose", params.purpose, known)
    purposes = known if params.purpose is None else (params.purpose,)
    answers = dict.fromkeys(purposes, answer)
    return _state(
        asked, params.id, answers, means="api", basis=params.basis, region=params.region[:40]
    )


@named("consent record", ConsentStringParams, action="consent", changes=True)
def _record(asked: Asked, params: ConsentStringParams) -> Body:
    """Record what a TC string or a GPP string of somebody says."""
    laid_down, text = _laid_down(asked), params.string.strip()
    if "~" in text or text.startswith("DB"):
        answers = saying.of_gpp(text, laid_down)
    else:
        answers = saying.of_tc(text, laid_down)
    if not answers.told:
        message = "The string answers none of the purposes."
        raise BadInput(message, "See `tcf` in definitions/consent.yaml.")
    return _state(
        asked, params.id, dict(answers.told), means=answers.means, latest=answers.latest_time
    )


def _state(
    asked: Asked,
    text: str,
    answers: dict[str, bool],
    *,
    means: str,
    basis: str = "consent",
    region: str = "",
    latest: int | None = None,
) -> Body:
    """Bring a statement to the log, and return when questions obey it."""
    workspace = asked.workspace
    key, now = _key(asked, text), workspace.clock()
    view = workspace.view(Question(asker=asked.asker))
    seen = people.is_known(view, key)
    entry = sources.ConsentEntry(
        keys=[key],
        answers=answers,
        # A string that is sent again says nothing new.
        time=now if latest is None else min(now, latest),
        means=means,
        source=asked.asker.name,
        region=region,
        basis=basis,
    )
    granted = sorted(name for name, answer in answers.items() if answer)
    refused = sorted(set(answers) - set(granted))
    detail = {"granted": granted, "withdrawn": refused, "means": means, "basis": basis}
    action = "consent.withdraw" if refused else "consent.grant"
    body = msgspec.to_builtins(entry)
    with workspace.state.change(
        asked.asker, action, str(key), detail=detail, entry=(sources.ENTRY, body)
    ):
        pass
    workspace.catch_up(asked.progress)
    notes = [] if seen else ["Nobody of this id was seen yet; it holds for whoever comes with it."]
    return {
        "granted": granted,
        "withdrawn": refused,
        "since": table(((entry.time,),), "since_time").to_json()["rows"][0][0],  # type: ignore[index]
        "facts_offset": workspace.facts_offset,
        "notes": notes,
    }


@named("consent import", ConsentFileParams, action="import", changes=True)
def _import(asked: Asked, params: ConsentFileParams) -> Body:
    """Record what a CSV says of consent: id, purpose, answer; time, region and basis may be."""
    workspace = asked.workspace
    done = consent_file.bring(
        workspace,
        asked.asker,
        placed(workspace, asked.asker, params.path),
        lambda text: _plain_key(asked, text),
        dry_run=params.dry_run,
    )
    workspace.catch_up(asked.progress)
    notes = list(done.faults)
    if done.refused > len(notes):
        notes.append(f"{done.refused - len(notes):,} more rows do not count.")
    if params.dry_run:
        notes.append("Nothing was kept: this was a dry run.")
    return {"read": done.read, "kept": done.kept, "refused": done.refused, "notes": notes}


@named("consent proofs", MostParams, action="audit")
def _proofs(asked: Asked, params: MostParams) -> Body:
    """Withdrawals: whose, since when, and where and when they were applied."""
    found = proofs.listed(asked.workspace.state, most=params.last)
    rows = tuple(
        (
            f"{one.key & (1 << 64) - 1:016x}",
            one.purpose,
            one.means,
            one.source or None,
            one.asked_time,
            one.place,
            one.applied_time,
            (one.applied_time - one.asked_time) / 1e6,
            one.log_offset,
            one.applied_offset,
        )
        for one in found
    )
    plain = table(
        tuple(row[:7] for row in rows),
        "key",
        "purpose",
        "means",
        "source",
        "asked_time",
        "place",
        "applied_time",
    )
    columns = (
        *plain.columns,
        Column("after", "number", "seconds"),
        Column("log_offset", "integer"),
        Column("applied_offset", "integer"),
    )
    definition = (
        "Withdrawals, the latest first: the key of the identifier, since when it holds, and when "
        "each place obeyed. `facts` is every question, live count, page and export."
    )
    return Answer(columns=columns, rows=rows, definition=definition)


@named("consent summary", take.Nothing, action="see_persons")
def _summary(asked: Asked, _: take.Nothing) -> Body:
    """What was said of consent, by purpose, and what came before anybody was asked."""
    view = asked.workspace.view(Question(asker=asked.asker))
    rows = tuple(
        (row["purpose"], "yes" if row["granted"] else "no", row["means"], row["identifiers"])
        for row in people.by_purpose(view)
    )
    unnamed, dropped = people.before_consent(view, view.now - 28 * DAY, view.now + DAY)
    held, named = people.held_events(view, view.now - 28 * DAY, view.now + DAY)
    body = table(rows, "purpose", "answer", "means", "identifiers").to_json()
    body["notes"] = [
        f"Events of the last 28 days that consent left out of analytics: {unnamed:,}.",
        f"Events of which nothing was kept but that they came: {dropped:,}.",
        f"Events held for a yes: {held:,}, of which {named:,} were let in with their names.",
    ]
    return body


@named("consent settle", take.Nothing, action="settings", changes=True)
def _settle(asked: Asked, _: take.Nothing) -> Body:
    """Let in what is held and whose person agreed, and end the keys whose time has come."""
    done = Holding(asked.workspace).settle()
    return {
        "let_in": done.let_in,
        "unnamed": done.unnamed,
        "waiting": done.waiting,
        "keys_destroyed": done.keys,
    }


@named("personalization show", take.Nothing, whole=False)
def _switched(asked: Asked, _: take.Nothing) -> Body:
    """Whether personalization is on for everybody."""
    return {"on": not switched_off(asked.workspace.state)}


@named("personalization switch", SwitchParams, action="settings", changes=True)
def _switch(asked: Asked, params: SwitchParams) -> Body:
    """Switch personalization on or off for everybody."""
    changed = switch(asked.workspace.state, asked.asker, on=params.to == "on")
    return {"on": params.to == "on", "changed": changed}


@named("personalization allowed", ConsentShowParams)
def _allowed(asked: Asked, params: ConsentShowParams) -> Outcome:
    """Whether it is allowed for somebody: by the switch, by their word, else by their events."""
    workspace = asked.workspace
    answer, why = True, ""
    if switched_off(workspace.state):
        answer, why = False, "It is switched off for everybody."
    else:
        # The asker need not know who it is to be told yes or no.
        owner = workspace.view(
            Question(OWNER, purpose=PERSONALIZATION, environment=params.environment)
        )
        key = _key(Asked(workspace, OWNER, asked.progress), params.id, params.environment)
        said = people.said_of(owner, key)
        (stands,) = people.standing(said, (PERSONALIZATION,), now=workspace.clock())
        answer = stands.state == people.GRANTED
        why = f"They said {'yes' if answer else 'no'}."
        if stands.state == people.UNKNOWN:
            answer = people.may_use(owner, key)
            why = "They were not asked; their events " + ("allow it." if answer else "do not.")
    return Outcome({"allowed": answer, "why": why}, good=answer)

"""The vendor scorecard: what to ask of a system that holds customers, and how Onefold answers.

The same form may be put to any vendor. Where a check can run on the workspace it does, and the
answer is what it found; where none can, the answer says how to see for oneself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from onefold.consent import purpose_bit
from onefold.governance import approvals, audits, keys, policies
from onefold.model.facts import TABLES
from onefold.model.personal import class_of
from onefold.model.records import OWNER, Question
from onefold.runtime.anchoring import anchor_of
from onefold.runtime.registry import CALLS
from onefold.runtime.views import make_view

if TYPE_CHECKING:
    from onefold.runtime.workspace import Workspace

PORTABILITY, PRIVACY, AUDIT = AREAS = ("portability", "privacy", "audit")
PROVEN, STATED, FAILED = "proven here", "see for yourself", "fails here"

Found = tuple[bool, str]
Check = Callable[["Workspace"], Found]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One line of the form.

    Attributes:
        area: One of `AREAS`.
        question: What to ask a vendor.
        answer: What Onefold answers, or how to see it.
        check: What looks at the workspace; None where nothing there can show it.
    """

    area: str
    question: str
    answer: str
    check: Check | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A criterion as this workspace answers it: a verdict and its evidence."""

    criterion: Criterion
    verdict: str
    evidence: str


def scorecard(workspace: "Workspace") -> tuple[Line, ...]:
    """Return every line of the form as this workspace answers it."""
    return tuple(_line(workspace, one) for one in CRITERIA)


def _line(workspace: "Workspace", one: Criterion) -> Line:
    if one.check is None:
        return Line(one, STATED, one.answer)
    good, evidence = one.check(workspace)
    return Line(one, PROVEN if good else FAILED, evidence)


def _calls(*names: str) -> Check:
    def check(_: "Workspace") -> Found:
        missing = [name for name in names if name not in CALLS]
        told = ", ".join(f"`onefold {name}`" for name in names)
        return not missing, f"{told}: by command, API and Python alike."

    return check


def _plain_definitions(workspace: "Workspace") -> Found:
    files = [path for path in workspace.definitions.rglob("*") if path.is_file()]
    odd = [path.name for path in files if path.suffix not in {".yaml", ".yml", ".json"}]
    return not odd, f"{len(files)} definitions are YAML or JSON files in the folder."


def _readable_facts(workspace: "Workspace") -> Found:
    facts = workspace.folds.generation.facts
    held = set(facts.tables())
    view = workspace.view(Question(OWNER))
    kinds = {str(field.type) for field in view.ask(view.events.limit(0)).schema}
    return set(TABLES) <= held, f"{len(TABLES)} tables, read as Arrow ({len(kinds)} plain types)."


def _no_names_in_facts(workspace: "Workspace") -> Found:
    catalogue = workspace.catalogue()
    facts = workspace.folds.generation.facts
    columns = set(facts.tables()["events"].columns)
    personal = {
        name
        for event in catalogue.events.values()
        for name, found in event.properties.items()
        if found.pii != "none"
    }
    plain = [name for name in personal if f"p_{name}" in columns]
    texts = [
        column
        for table in TABLES.values()
        for column, kind in table.columns.items()
        if kind == "string" and class_of(column) in {"email", "phone"}
    ]
    good = not plain and not texts
    return good, f"{len(personal)} described personal fields, none of them a column of the facts."


def _consent_in_questions(workspace: "Workspace") -> Found:
    view = workspace.view(Question(OWNER, purpose="advertising"))
    bit = purpose_bit("advertising")
    refused = view.events.filter((view.events.purposes.cast("int64") & bit) == 0)
    shown = int(view.ask(refused.count().name("n").as_table())["n"][0].as_py())
    left = view.left_out(0, view.now)
    told = f"Asked for advertising, {left:,} events are left out, and {shown} of those are shown."
    return shown == 0, told


def _nobody_sees_nothing(workspace: "Workspace") -> Found:
    nothing = policies.Sight((policies.Rows(accounts=frozenset({"\x00"})),))
    view = make_view(
        workspace.folds.generation.facts,
        Question(OWNER),
        now=workspace.clock(),
        zone=workspace.settings.zone,
        fresh_time=None,
        sight=nothing,
    )
    tables = (view.events, view.sessions, view.identifiers, *view.records.values())
    rows = sum(int(view.ask(t.count().name("n").as_table())["n"][0].as_py()) for t in tables)
    kept = len(policies.policies(workspace.state))
    told = f"Who may see no account was shown {rows} rows of {len(tables)} tables; {kept} policies"
    return rows == 0, f"{told} are in force."


def _shut_files(workspace: "Workspace") -> Found:
    files = [workspace.folder / name for name in ("vault.sqlite", "state.sqlite", "run")]
    there = [path for path in files if path.exists()]
    loose = [path.name for path in there if path.stat().st_mode & 0o077]
    told = f"Open to others: {', '.join(loose)}." if loose else "Only their owner may read them."
    return not loose, told


def _whole_trail(workspace: "Workspace") -> Found:
    watch, now = workspace.trail_watch, workspace.clock()
    found = watch.look(workspace.state, anchor_of(workspace.log), now)
    return found.whole, found.why or f"{found.entries:,} entries follow from each other."


def _anchored(workspace: "Workspace") -> Found:
    known = anchor_of(workspace.log)
    if known is None:
        return False, "The log remembers no entry yet; it will once the server has run."
    return True, f"The log remembers entry {known.entry:,}."


def _taken_along(workspace: "Workspace") -> Found:
    lines = sum(1 for _ in audits.as_lines(workspace.state))
    last = audits.head(workspace.state)
    return last is not None and lines == last.entry, f"{lines:,} lines, each with its hash."


def _guarded_calls(_: "Workspace") -> Found:
    loose = [one.name for one in CALLS.values() if one.action not in keys.SCOPES["admin"]]
    return not loose, f"{len(CALLS)} calls, each with the action that a role must have."


def _kept_as_hashes(workspace: "Workspace") -> Found:
    found = keys.api_keys(workspace.state)
    long = [key for key in found if len(key.hint) > 4]
    return not long, f"{len(found)} keys; of each its hash is kept, and its last four letters."


def _signed(workspace: "Workspace") -> Found:
    rules = approvals.matrix(workspace.state)
    asked = sum(bool(rule.needs) for rule in rules)
    return bool(asked), f"{asked} of {len(rules)} kinds of change have to be signed."


CRITERIA = (
    Criterion(
        PORTABILITY,
        "Can everything be taken out in open formats, while it runs, without asking you?",
        "`onefold export DIR` writes Parquet, JSON lines and YAML with a manifest of hashes.",
        _calls("export"),
    ),
    Criterion(
        PORTABILITY,
        "Is what was taken out proven to be whole?",
        "`onefold restore` gives the checksums of `onefold checksum`; a test holds it to that.",
    ),
    Criterion(
        PORTABILITY,
        "Are definitions in files that other tools read, and kept in our own repository?",
        "`definitions/` holds YAML.",
        _plain_definitions,
    ),
    Criterion(
        PORTABILITY,
        "Can the stored data be read without your software?",
        "DuckDB or Parquet, SQLite.",
        _readable_facts,
    ),
    Criterion(
        PORTABILITY,
        "Do programs reach all that people reach?",
        "Every page's questions are calls of the API, described by OpenAPI.",
        _calls("metric", "account show", "person show", "advise"),
    ),
    Criterion(
        PRIVACY,
        "Is consent part of every question, or only of the banner?",
        "A term of every View.",
        _consent_in_questions,
    ),
    Criterion(
        PRIVACY,
        "Where do names stand, and where not?",
        "In the vault and the log alone.",
        _no_names_in_facts,
    ),
    Criterion(
        PRIVACY,
        "Can access be limited to rows and to classes of personal fields?",
        "`onefold policy`.",
        _nobody_sees_nothing,
    ),
    Criterion(
        PRIVACY,
        "Are files with names shut to other users of the machine?",
        "Mode 0600.",
        _shut_files,
    ),
    Criterion(
        PRIVACY,
        "What is found before data are used in a new way?",
        "`onefold approval checks`: consent, export, cross-border, ad disclosure.",
        _calls("approval checks"),
    ),
    Criterion(
        AUDIT,
        "Can a changed, moved or removed entry of the trail be found?",
        "A chain of hashes.",
        _whole_trail,
    ),
    Criterion(
        AUDIT,
        "Also one that is gone from the end?",
        "The log remembers the head.",
        _anchored,
    ),
    Criterion(
        AUDIT,
        "Can the trail be taken along and followed by others?",
        "`onefold audit export`.",
        _taken_along,
    ),
    Criterion(
        AUDIT,
        "Does every way in ask for a role?",
        "One register of calls.",
        _guarded_calls,
    ),
    Criterion(
        AUDIT,
        "Are keys of programs kept so that nobody can read them, scoped, and do they end?",
        "`onefold key`.",
        _kept_as_hashes,
    ),
    Criterion(
        AUDIT,
        "Does it take a second pair of eyes where it should?",
        "`onefold approval matrix`.",
        _signed,
    ),
)
"""The form, in the order in which it is asked."""

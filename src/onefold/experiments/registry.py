"""From YAML to an experiment; what it must say before anybody is shown anything."""

from pathlib import Path

from onefold.experiments.records import Arm, Experiment, Outcome
from onefold.model.documents import Fields, read_document
from onefold.model.errors import BadInput

UNITS = ("identifier", "user_id", "anonymous_id")
SCALES = ("relative", "absolute")


def parse_experiment(text: str, path: str) -> Experiment:
    """Return the experiment that a YAML document registers.

    Hypothesis, owner, rollout, rollback and privacy are required: without them it cannot start.

    Args:
        text: The document.
        path: How complaints name the file.

    Raises:
        BadInput: Something is missing, unknown or contradictory; with file, line and column.
    """
    fields = read_document(text, path)
    name = fields.text("experiment")
    arms = _arms(fields)
    experiment = Experiment(
        name=name,
        version=fields.integer("version", 1, least=1),
        label=fields.text("label"),
        question=fields.text("question"),
        hypothesis=fields.text("hypothesis"),
        owner=fields.text("owner"),
        started_date=fields.day("started_date"),
        planned_days=fields.integer("planned_days", least=1),
        unit=fields.choice("unit", UNITS, "identifier"),
        arms=arms,
        control=fields.choice("control", [arm.name for arm in arms], arms[0].name),
        salt=fields.text("salt", name),
        short=_short(fields.required("short")),
        long=_long(fields.required("long")),
        rollout=fields.text("rollout"),
        rollback=fields.text("rollback"),
        privacy=fields.text("privacy"),
        moves=fields.text("moves", ""),
    )
    fields.close()
    return experiment


def load_experiments(folder: Path) -> dict[str, Experiment]:
    """Return the experiments of a folder by name; none where there is no folder.

    Raises:
        BadInput: A definition cannot be used, or two files register the same name.
    """
    found: dict[str, Experiment] = {}
    seen: dict[str, str] = {}
    for path in sorted(folder.glob("*.y*ml")):
        place = f"{folder.name}/{path.name}"
        experiment = parse_experiment(path.read_text(encoding="utf-8"), place)
        if experiment.name in found:
            raise BadInput(
                f"{path.name} and {seen[experiment.name]} both register `{experiment.name}`.",
                "Give one of them another name.",
            )
        found[experiment.name] = experiment
        seen[experiment.name] = path.name
    return found


def _arms(fields: Fields) -> tuple[Arm, ...]:
    weights = fields.required("arms")
    labels = fields.fields("labels")
    names = weights.names()
    if len(names) < 2:
        fields.refuse(
            "arms", "An experiment needs two arms.", "Write `control: 50`, a line an arm."
        )
    known = set(labels.names()) if labels else set()
    for name in sorted(known - set(names)):
        fields.refuse("labels", f"No arm `{name}`.", f"Arms are: {', '.join(names)}.")
    return tuple(
        Arm(
            name=name,
            weight=weights.integer(name, least=1),
            label=labels.text(name) if labels and name in known else _readable(name),
        )
        for name in names
    )


def _readable(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").capitalize()


def _short(fields: Fields) -> Outcome:
    outcome = Outcome(
        label=fields.text("label"),
        question=fields.text("question", "Does it help now?"),
        events=fields.texts("events"),
        first_day=1,
        last_day=fields.integer("within_days", 1, least=1),
        scale=fields.choice("scale", SCALES, "relative"),
        margin=fields.number("margin", 0.01, least=0.0),
        better=fields.choice("better", ("up", "down"), "up"),
    )
    fields.close()
    return outcome


def _long(fields: Fields) -> Outcome:
    outcome = Outcome(
        label=fields.text("label", "Back in week 4"),
        question=fields.text("question", "Do people come back?"),
        events=fields.texts("events", ()),
        first_day=fields.integer("from_day", 22, least=1),
        last_day=fields.integer("to_day", 28, least=1),
        scale=fields.choice("scale", SCALES, "absolute"),
        margin=fields.number("margin", 0.01, least=0.0),
        better=fields.choice("better", ("up", "down"), "up"),
    )
    fields.close()
    if outcome.last_day < outcome.first_day:
        fields.refuse("to_day", "The window ends before it begins.", "Give a later `to_day`.")
    return outcome

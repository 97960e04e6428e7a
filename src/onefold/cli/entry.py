"""The entry of the command line: every command by name, every error by its exit code."""

import json
import os
import sys
from collections.abc import Sequence

import click

from onefold import __version__
from onefold.cli.options import Group
from onefold.model.errors import BadInput, MachineFailed, OnefoldError

ROOMS = {
    "Workspace": {
        "init": ("workspace", "Make a workspace; print its keys once."),
        "serve": ("workspace", "Take events in, answer the API, show the pages."),
        "demo": ("demo", "A simulated market whose truth is known, served."),
        "status": ("workspace", "Counts, lag, sizes and rates."),
        "trace": ("workspace", "The way of what was sent under one trace."),
        "doctor": ("workspace", "What is wrong and how to mend it."),
        "rebuild": ("workspace", "Make the facts anew from the log."),
        "migrate": ("workspace", "Move the facts to another engine."),
        "checksum": ("workspace", "Rows and hash of every table of the facts."),
        "export": ("portability", "The whole workspace in open formats, with a manifest."),
        "facts": ("facts", "The facts as Parquet, for engines beside this one."),
        "restore": ("portability", "A workspace from an export, with equal checksums."),
        "plan": ("definitions", "What the definitions in this folder would change."),
        "apply": ("definitions", "Let the definitions in this folder hold."),
        "check": ("catalogue", "What changed definitions would break; for CI."),
    },
    "Collect": {
        "source": ("collect", "Where events come from, and on what basis."),
        "import": ("imports", "Bring in records by a mapping file."),
        "runs": ("imports", "What imports brought in, and whether it stands."),
        "undo": ("imports", "Take one run of an import back."),
        "links": ("imports", "What imported rows name and nobody knows."),
        "purchases": ("imports", "Purchases online and offline, each counted once."),
        "quarantine": ("collect", "What was refused, and why; let mended ones in."),
        "catalogue": ("catalogue", "Descriptions of events: made, brought in, handed out."),
        "audit-instrumentation": ("catalogue", "Whether what is sent is what was planned."),
    },
    "Know": {
        "person": ("customers", "One person: who, what happened, which accounts."),
        "link": ("links", "Records of one account or contact that share no key."),
        "account": ("customers", "One account: spend, open issues, timeline."),
        "touchpoints": ("inventory", "Every contact with people: owner, control, volume."),
        "friction": ("customers", "Where customers get stuck and what it costs."),
        "services": ("customers", "What help really changed."),
    },
    "Measure": {
        "cohort": ("cohorts", "Frozen cohorts: members stay, changes stand beside."),
        "dashboard": ("dashboards", "Questions that stand together, from git or kept here."),
        "metrics": ("measure", "The metrics that are defined."),
        "metric": ("measure", "A metric with its intervals."),
        "period": ("periods", "Closed periods: figures stay as they were then."),
        "funnel": ("measure", "How many people went how far through some events."),
        "paths": ("measure", "What people did after an event, or before it."),
        "distribution": ("measure", "How often people did something: how it is spread."),
        "calendar": ("measure", "The days worth a mark: calendar.yaml and campaigns."),
        "economics": ("measure", "What each month's new people brought since; when it paid back."),
        "segment": ("measure", "Segments: who did what how often; as of any day."),
        "lifecycle": ("measure", "Who is new, returning, resurrected and dormant."),
        "stickiness": ("measure", "On how many days people were there."),
        "retention": ("measure", "Who came back after the first time, by cohort."),
        "sql": ("sql", "A question of your own, read-only and within limits."),
        "mcp": ("assistants", "Let an assistant ask, read-only (extra mcp)."),
        "experiment": ("measure", "Experiments and their verdicts."),
        "stale": ("usage", "Events, metrics, segments, dashboards nobody uses."),
        "usage": ("usage", "Who asks how much, and what of it is self-served."),
    },
    "Advise": {
        "advise": ("advice", "The three to five things worth doing next."),
    },
    "Govern": {
        "consent": ("consent", "What people said may be done with what they do."),
        "personalization": ("consent", "Whether what people see may be made for them."),
        "user": ("governance", "Who may sign in, and as what."),
        "scorecard": ("inventory", "What to ask of a vendor, and how this workspace answers."),
        "approval": ("approvals", "Changes that have to be signed: queue, checks, sign-off."),
        "key": ("governance", "Keys of programs: scoped, for a while, shown once."),
        "team": ("access", "Who works on the same accounts."),
        "policy": ("access", "Who sees which rows, and what of persons in clear."),
        "audit": ("governance", "The trail, and whether it is whole."),
        "expiry": ("expiry", "For how many days events serve a purpose."),
        "destination": ("sharing", "Where data goes, for which purpose."),
        "transfer": ("sharing", "Data across borders: bases, and what went."),
        "join": ("joining", "Who of a partner's file is a customer, in groups."),
        "intersect": ("joining", "People in common with a partner, without a list."),
        "release": ("joining", "Counts to publish, with noise."),
        "budget": ("joining", "What is left of the privacy budget."),
    },
}


@click.group(
    "onefold",
    cls=Group,
    rooms=ROOMS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 the answer is no, 2 bad input, 3 not allowed, 4 not found, "
    "5 the machine failed.",
)
@click.version_option(__version__, prog_name="onefold")
def root() -> None:
    """One log of what happened; customers, figures, causes and advice are folds of it."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(_run(given))


def _run(given: list[str]) -> int:
    as_json = "--json" in given
    try:
        answer = root.main(given, prog_name="onefold", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as help_asked:
        help_asked.show()
        return 2
    except click.ClickException as error:
        return _fail(_usage(error), as_json=as_json)
    except OnefoldError as error:
        return _fail(error, as_json=as_json)
    except (KeyboardInterrupt, click.Abort):
        return 130
    except BrokenPipeError:
        # Whoever read us has left, as `head` does; nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("ONEFOLD_TRACE"):
            raise
        fix = "Set ONEFOLD_TRACE=1 and run it again to see where."
        return _fail(MachineFailed(f"{type(error).__name__}: {error}.", fix), as_json=as_json)
    return answer if isinstance(answer, int) else 0


def _usage(error: click.ClickException) -> OnefoldError:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "onefold"
    message = error.format_message()
    return BadInput(message, f"Run `{path} --help` to see what it takes.")


def _fail(error: OnefoldError, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps(error.to_problem(), ensure_ascii=False))  # noqa: T201
    click.secho(f"onefold: {error.message}", err=True, fg="red")
    if error.fix:
        click.echo(f"  {error.fix}", err=True)
    return error.exit_code

"""Experiments: did it help now, and do people come back?"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from markupsafe import Markup
from starlette.routing import Route

from onefold.experiments import exposure_log, load_experiments, read_experiment, verdicts
from onefold.model.errors import unknown
from onefold.model.records import MARKED, Question
from onefold.model.time import day_start, parse_date
from onefold.model.words import plural
from onefold.web import charts, wording
from onefold.web.desk import ask, page, signed_in
from onefold.web.drawing import interval, shared_axis
from onefold.web.pages.traffic import CUSTOMERS, LetIn, Traffic, let_in
from onefold.web.remembered import remembered
from onefold.web.wording import NO_BREAK, number, sentence, share, watch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.experiments import Experiment, ExperimentReading, Half
    from onefold.model.records import Asker, Estimate
    from onefold.runtime import Workspace
    from onefold.store import View

TONES = {"better": "better", "worse": "worse", "no_difference": "even", "not_yet": "even"}


@signed_in()
async def list_page(request: Request) -> Response:
    """Show all experiments with what each says."""
    workspace, asker = request.app.state.workspace, request.state.asker
    shown = await ask(request, _list, workspace, asker, let_in(request.query_params))
    return page(request, "experiments/list.html", here="Experiments", title="Experiments", **shown)


@signed_in()
async def experiment_page(request: Request) -> Response:
    """Show one experiment: the card, its arms, its path, its split, as registered."""
    workspace, asker = request.app.state.workspace, request.state.asker
    name = request.path_params["name"]
    shown = await ask(request, _one, workspace, asker, name, dict(request.query_params))
    return page(
        request,
        "experiments/experiment.html",
        here="Experiments",
        title=shown["label"],
        **shown,
    )


routes = [
    Route("/experiments", list_page),
    Route("/experiments/{name:path}", experiment_page),
]


def _list(workspace: Workspace, asker: Asker, chosen: LetIn) -> dict[str, Any]:
    view = workspace.view(Question(asker=asker, include=chosen.marks))
    traffic = Traffic(chosen, "/experiments")
    known = load_experiments(workspace.definitions / "experiments")
    readings = [_read(workspace, view, known[name]) for name in sorted(known)]
    return {
        "question": "What do the experiments say?",
        "answer": list_answer(readings),
        "rows": [list_row(reading, chosen) for reading in readings],
        "filters": [traffic.control()],
        "left_out": _traffic_left_out(view, traffic, readings),
        "fresh": wording.freshness(view.fresh_time, view.now, zone=view.zone),
        "demo": (workspace.folder / "demo" / "truth.json").is_file(),
    }


def _traffic_left_out(
    view: View, traffic: Traffic, readings: Sequence[ExperimentReading]
) -> dict[str, str] | None:
    """Return the line on what is left out since the first of some experiments started."""
    if not readings:
        return None
    start = day_start(min(each.experiment.started_date for each in readings), view.zone)
    span = (start, max(each.read_time for each in readings))
    return traffic.left_out(view, span, of="all events since the start")


def _one(workspace: Workspace, asker: Asker, name: str, params: dict[str, str]) -> dict[str, Any]:
    as_of, chosen = params.get("as_of", ""), let_in(params)
    known = load_experiments(workspace.definitions / "experiments")
    if name not in known:
        raise unknown("experiment", name, known)
    zone = workspace.settings.zone
    until = day_start(parse_date(as_of) + timedelta(days=1), zone) - 1 if as_of else None
    view = workspace.view(Question(asker=asker, as_of_time=until, include=chosen.marks))
    here = f"/experiments/{quote(name, safe='')}"
    traffic = Traffic(chosen, here, {"as_of": as_of} if as_of else {})
    reading = _read(workspace, view, known[name])
    return shown_of(reading, zone=view.zone, now=view.now) | {
        "filters": [*_filters(reading, known, view.zone, as_of, chosen), traffic.control()],
        "left_out": _traffic_left_out(view, traffic, [reading]),
        "exposures": _exposures(workspace, view, known[name]),
    }


def _exposures(workspace: Workspace, view: View, experiment: Experiment) -> dict[str, object]:
    """Return the block of exposures: a row a first variant and version of its flag."""
    key = ("exposures", view.question, experiment)
    log: Any = remembered(workspace, key, lambda: exposure_log(view, experiment), sight=view.sight)
    return {
        "rows": [
            [
                row[0] or "none",
                row[1] or "none",
                number(row[2]),
                number(row[3]),
                wording.day(row[4], view.zone),
                wording.day(row[5], view.zone),
            ]
            for row in log.rows
        ],
        "notes": [note for note in log.notes if not note.startswith(MARKED)],
    }


def _read(workspace: Workspace, view: View, experiment: Experiment) -> ExperimentReading:
    key = ("experiment", view.question, experiment)
    return remembered(workspace, key, lambda: read_experiment(view, experiment), sight=view.sight)


def list_answer(readings: Sequence[ExperimentReading]) -> list[object]:
    """Return the answer of the list, in pieces."""
    if not readings:
        return ["No experiment is registered yet."]
    helped = [each for each in readings if not each.withheld and each.short.verdict == "better"]
    waits = [each for each in readings if _waits(each)]
    told: list[object] = []
    if helped:
        names = _listed([each.experiment.label for each in helped])
        told += [wording.better(f"{names} {'helps' if len(helped) == 1 else 'help'} now"), ". "]
    else:
        told.append("None helps now for certain. ")
    brings = [each for each in readings if not each.withheld and each.long.verdict == "better"]
    if brings:
        names = _listed([each.experiment.label for each in brings])
        verb = "brings" if len(brings) == 1 else "bring"
        told += [wording.better(f"{names} {verb} more people back"), ". "]
    if waits:
        count = wording.count_word(len(waits))
        told += [
            count,
            " ",
            watch("cannot be read to the end yet" if len(waits) > 1 else "is not finished yet"),
            ". ",
        ]
    if thin := [
        each for each in readings if verdicts.NOT_ENOUGH in {each.short.word, each.long.word}
    ]:
        names = _listed([each.experiment.label for each in thin])
        told += [f"{names} ended ", watch("without enough data"), "."]
    elif not waits:
        told.append("All have been read to the end.")
    return told


def _waits(reading: ExperimentReading) -> bool:
    return not reading.withheld and "Not yet" in {reading.short.word, reading.long.word}


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def list_row(reading: ExperimentReading, chosen: LetIn = CUSTOMERS) -> list[object]:
    """Return a row of the list: name, both verdicts with their effects, people, day."""
    experiment = reading.experiment
    path = f"/experiments/{quote(experiment.name, safe='')}"
    link = {"href": chosen.address(path), "label": experiment.label}
    people = number(sum(arm.people for arm in reading.arms))
    day = f"day {reading.day}" if reading.day else "not started"
    if reading.withheld:
        withheld = {"tag": reading.short.word, "tone": "worse"}
        return [link, withheld, None, withheld, None, people, day, experiment.owner]
    return [
        link,
        _verdict_tag(reading.short),
        effect_words(reading.short.effect, reading.short.scale),
        _verdict_tag(reading.long),
        effect_words(reading.long.effect, reading.long.scale),
        people,
        day,
        experiment.owner,
    ]


def _verdict_tag(half: Half) -> dict[str, str]:
    """Return a half's word, as its card and the command line have it."""
    waits = half.word == "Not yet"
    tone = {"better": "better", "worse": "worse"}.get(half.verdict, "watch" if waits else "even")
    return {"tag": half.word, "tone": tone}


def effect_words(effect: Estimate, scale: str) -> str | None:
    """Return an effect and its range in words; None where there is none.

    >>> from onefold.model.records import Estimate
    >>> effect_words(Estimate(0.042, 0.021, 0.063, 900), "relative").replace(NO_BREAK, " ")
    '+4.2 %, 2.1 to 6.3'
    """
    if effect.estimate is None:
        return None
    unit = "%" if scale == "relative" else "points"
    told = f"{number(effect.estimate * 100, 1, signed=True)}{NO_BREAK}{unit}"
    if effect.low is None or effect.high is None:
        return told
    return f"{told}, {number(effect.low * 100, 1)} to {number(effect.high * 100, 1)}"


def shown_of(reading: ExperimentReading, *, zone: str, now: int) -> dict[str, Any]:
    """Return what the page of an experiment shows."""
    experiment = reading.experiment
    withheld = reading.withheld
    arms = arm_rows(reading)
    return {
        "label": experiment.label,
        "version": experiment.version,
        "question": experiment.question,
        "answer": answer_of(reading),
        "short": None if withheld else half_shown(reading, long=False, now=now),
        "long": None if withheld else half_shown(reading, long=True, now=now),
        "so": reading.so,
        "withheld": withheld,
        "arms": arms["rows"],
        "arm_axis": arms["axis"],
        "long_arms": long_rows(reading),
        "chart": None if withheld or not reading.path else path_chart(reading),
        "path_rows": path_rows(reading),
        "path_note": reading.path_note,
        "split": split_rows(reading),
        "split_counts": list(reading.split.counts),
        "split_label": _split_label(reading),
        "registered": registered_rows(reading),
        "notes": [note for note in reading.notes if not note.startswith(MARKED)],
        "short_query": reading.short.query,
        "long_query": reading.long.query,
        "counted": counted_rows(reading),
        "fresh": wording.freshness(reading.fresh_time, now, zone=zone, label=_state(reading)),
    }


def _state(reading: ExperimentReading) -> str:
    if reading.day == 0:
        return "Not started"
    return "Running" if _waits(reading) else "Read to the end"


def answer_of(reading: ExperimentReading) -> list[object]:
    """Return the page's answer in pieces, each half in its tone."""
    if reading.withheld:
        return [wording.worse(reading.headline)]
    pieces: list[object] = []
    for half in (reading.short, reading.long):
        words = half.headline
        tone = TONES[half.verdict]
        if half.verdict == "not_yet":
            pieces.append(watch(words))
        elif tone == "better":
            pieces.append(wording.better(words))
        else:
            pieces.append(wording.worse(words) if tone == "worse" else words)
        pieces.append(" ")
    return pieces[:-1]


def half_shown(reading: ExperimentReading, *, long: bool, now: int) -> dict[str, object]:
    """Return a half of the answer card as the part `half` takes it."""
    half = reading.long if long else reading.short
    unit = "%" if half.scale == "relative" else "points"
    when = "Long-term" if long else "Short-term"
    effect = half.effect
    margin = half.margin if half.better == "down" else -half.margin
    shown: dict[str, object] = {
        "question": f"{when}: {half.label[:1].lower()}{half.label[1:]}. {half.question}",
        "word": half.word,
        "tone": _half_tone(half.verdict),
        "effect": _effect(effect, unit),
        "words": half.sentence,
        "badges": {
            "version": reading.experiment.version,
            "seconds": _seconds(reading, now),
            "n": half.ready_people,
            "of": "people",
            "left_out": _left_out(reading),
        },
    }
    if effect.estimate is None or effect.low is None or effect.high is None:
        shares = [arm.long_share if long else arm.short_share for arm in reading.arms[:2]]
        few = {"have": half.ready_people, "need": half.people}
        if (smallest := min(each.n for each in shares)) < verdicts.SMALLEST:
            few = {"have": smallest, "need": verdicts.SMALLEST}
        return shown | {"too_few": few}
    ends = [(effect.low, effect.high), (margin, margin)]
    if half.naive.estimate is not None:
        ends.append((half.naive.estimate, half.naive.estimate))
    axis = shared_axis(ends)
    bar = interval(
        effect.estimate,
        effect.low,
        effect.high,
        axis=axis,
        better="down" if half.better == "down" else "up",
        naive=half.naive.estimate,
        margin=margin,
        unit=unit,
        scale=100.0,
        tone=_bar_tone(half.verdict),
    )
    return shown | {"bar": bar, "ticks": ticks(axis)}


def _half_tone(verdict: str) -> str:
    return {"better": "better", "worse": "worse", "not_yet": "watch"}.get(verdict, "")


def _bar_tone(verdict: str) -> Any:
    return TONES[verdict]


def _effect(effect: Estimate, unit: str) -> str:
    if effect.estimate is None:
        return ""
    return f"{number(effect.estimate * 100, 1, signed=True)}{NO_BREAK}{unit}"


def ticks(axis: tuple[float, float]) -> list[str]:
    """Return five numbers under a bar, in per cent or points.

    >>> ticks((-0.08, 0.08))
    ['−8', '−4', '0', '+4', '+8']
    """
    low, high = axis[0] * 100, axis[1] * 100
    places = [low + (high - low) * step / 4 for step in range(5)]
    whole = all(abs(place - round(place)) < 1e-9 for place in places)
    found = [number(place, 0 if whole else 1, signed=True) for place in places]
    return [each if number(0, 0 if whole else 1, signed=True) != each else "0" for each in found]


def arm_rows(reading: ExperimentReading) -> dict[str, Any]:
    """Return the table of arms by the short-term outcome, and the words over its bars."""
    unit = "%" if reading.short.scale == "relative" else "points"
    effects = [arm.short_effect for arm in reading.arms]
    ends = [
        (each.low, each.high)
        for each in effects
        if each and each.low is not None and each.high is not None
    ]
    naive = [
        arm.short_naive.estimate for arm in reading.arms if arm.short_naive.estimate is not None
    ]
    axis = shared_axis([*((low, high) for low, high in ends), *((each, each) for each in naive)])
    rows: list[list[object]] = []
    for arm in reading.arms:
        effect = arm.short_effect
        head: list[object] = [arm.label, number(arm.people), share(arm.short_share.estimate)]
        naive_words = _percent(arm.short_naive.estimate)
        if effect is None:
            words = "reference" if arm.is_control else "withheld"
            rows.append(
                [*head, words, None, None, None, naive_words if not arm.is_control else None]
            )
        else:
            rows.append(
                [
                    *head,
                    *_effect_cells(effect, arm.short_naive, axis, unit, reading.short.better),
                    naive_words,
                ]
            )
    low, high = (
        number(end * 100, 0 if float(end * 100).is_integer() else 1, signed=True) for end in axis
    )
    return {"rows": rows, "axis": f"Change to control, {low} to {high}{NO_BREAK}{unit}"}


def _effect_cells(
    effect: Estimate, naive: Estimate, axis: tuple[float, float], unit: str, side: str
) -> list[object]:
    if effect.estimate is None or effect.low is None or effect.high is None:
        return [effect.note or None, None, None, None]
    bar = interval(
        effect.estimate,
        effect.low,
        effect.high,
        axis=axis,
        better="down" if side == "down" else "up",
        naive=naive.estimate,
        unit=unit,
        scale=100.0,
    )
    return [bar, _percent(effect.estimate), _percent(effect.low), _percent(effect.high)]


def _percent(value: float | None) -> str | None:
    return None if value is None else number(value * 100, 1, signed=True)


def long_rows(reading: ExperimentReading) -> list[list[object]]:
    """Return the table of arms by the long-term outcome."""
    rows: list[list[object]] = []
    for arm in reading.arms:
        effect, naive = arm.long_effect, arm.long_naive
        told = None if effect is None else effect_words(effect, reading.long.scale)
        reference = "reference" if arm.is_control else "withheld"
        rows.append(
            [
                arm.label,
                number(arm.long_share.n),
                share(arm.long_share.estimate),
                reference if effect is None else told or effect.note,
                None if arm.is_control else _percent(naive.estimate),
            ]
        )
    return rows


def path_chart(reading: ExperimentReading) -> charts.Spec:
    """Return the effect by day inside the band of one look."""
    rows: list[charts.Row] = [
        {
            "day": each.day,
            "estimate": each.effect.estimate,
            "low": each.effect.low,
            "high": each.effect.high,
        }
        for each in reading.path
    ]
    last = reading.path[-1].effect.estimate
    label = (
        ""
        if last is None
        else _effect(
            reading.path[-1].effect, "%" if reading.short.scale == "relative" else "points"
        )
    )
    return charts.path_with_band(rows, label=label, value_format=".0%")


def path_rows(reading: ExperimentReading) -> list[list[object]]:
    """Return the path as a table, a row a day."""
    return [
        [
            f"day {each.day}, {day_words(each.on_date)}",
            number(each.effect.n),
            _percent(each.effect.estimate),
            _percent(each.effect.low),
            _percent(each.effect.high),
        ]
        for each in reading.path
    ]


def day_words(day: date) -> str:
    """Return a day as pages say it.

    >>> from datetime import date
    >>> day_words(date(2026, 11, 23))
    '23 November'
    """
    return f"{day.day} {day:%B}"


def split_rows(reading: ExperimentReading) -> list[tuple[str, object]]:
    """Return the pairs of "Was the split fair?"."""
    split = reading.split
    expected = " : ".join(number(each * 100, 1) for each in split.expected_shares)
    seen = " : ".join(number(each * 100, 2) for each in split.seen_shares)
    counts = " and ".join(number(count) for count in split.counts)
    left_out = [
        f"{plural(split.seen_twice, 'person', 'people')} in several arms, left out"
        if split.seen_twice
        else "nobody in several arms"
    ]
    if split.unknown_arm:
        left_out.append(
            f"{plural(split.unknown_arm, 'person', 'people')} in an arm that is not registered"
        )
    if split.without_person:
        left_out.append(f"{plural(split.without_person, 'exposure')} without a person")
    fair = ("better", "even") if split.fair else ("worse", "uneven")
    return [
        ("Expected", expected),
        ("Seen", sentence(seen, " ", Markup('<span class="quiet">{}</span>').format(counts))),
        ("p", sentence(_p(split.p), " ", Markup('<span class="tag {}">{}</span>').format(*fair))),
        ("Seen twice", "; ".join(left_out)),
    ]


def _p(p: float) -> str:
    return "under 0.001" if p < 0.001 else number(p, 3 if p < 0.1 else 2)


def _split_label(reading: ExperimentReading) -> str:
    split = reading.split
    return ", ".join(
        f"{name} {number(count)}" for name, count in zip(split.arms, split.counts, strict=True)
    )


def registered_rows(reading: ExperimentReading) -> list[tuple[str, object]]:
    """Return the pairs of "As registered"."""
    experiment = reading.experiment
    weights = " : ".join(f"{arm.weight}" for arm in experiment.arms)
    arms = ", ".join(arm.label for arm in experiment.arms)
    last = experiment.planned_days
    day = f"day {reading.day} today" if reading.day else "not started"
    return [
        ("Question", experiment.question),
        ("Hypothesis", experiment.hypothesis),
        ("Arms", f"{arms}; {weights} by {experiment.unit.replace('_', ' ')}, as sent"),
        ("Started", f"{day_words(experiment.started_date)} {experiment.started_date.year}, {day}"),
        (
            "Planned",
            f"people enter for {plural(last, 'day')}, until {day_words(reading.planned_end_date)}",
        ),
        ("Rule", "One look, once everybody has had the window; until then: not yet"),
        ("Rollout", experiment.rollout),
        ("Rollback", experiment.rollback),
        ("Privacy", experiment.privacy),
        ("Moves", experiment.moves or "no key result is named"),
        ("Owner", experiment.owner),
        ("Certificate", reading.short.certificate),
    ]


def counted_rows(reading: ExperimentReading) -> list[tuple[str, object]]:
    """Return how each figure is counted, naive and adjusted."""
    return [
        (reading.short.label, reading.short.definition),
        (reading.long.label, reading.long.definition),
        ("Naive, open circle", reading.short.naive_definition),
        ("Certificate, long term", reading.long.certificate),
        ("Left out", _left_out_words(reading)),
    ]


def _left_out_words(reading: ExperimentReading) -> str:
    events = reading.excluded_by_consent
    if not events:
        return "No event since the start is left out by consent"
    return f"{plural(events, 'event')} since the start, for want of consent"


def _filters(
    reading: ExperimentReading,
    known: dict[str, Experiment],
    zone: str,
    as_of: str,
    chosen: LetIn,
) -> list[dict[str, object]]:
    options = [
        {
            "label": each.label,
            "href": chosen.address(f"/experiments/{quote(name, safe='')}"),
            "current": name == reading.experiment.name,
        }
        for name, each in sorted(known.items())
    ]
    day = f", day {reading.day}" if reading.day else ""
    here = f"/experiments/{quote(reading.experiment.name, safe='')}"
    return [
        {"label": "Experiment", "value": reading.experiment.label, "options": options},
        {
            "label": "Read as of",
            "value": wording.day(reading.read_time, zone) + day,
            "options": [{"label": "now", "href": chosen.address(here), "current": not as_of}],
            "fields": [{"label": "End of", "name": "as_of", "type": "date", "value": as_of}],
            "action": here,
            "kept": {"include": chosen.text} if chosen.text else {},
        },
    ]


def _seconds(reading: ExperimentReading, now: int) -> float | None:
    if reading.fresh_time is None:
        return None
    return max((now - reading.fresh_time) / 1_000_000, 0.0)


def _left_out(reading: ExperimentReading) -> float | None:
    return None if reading.excluded_by_consent else 0.0

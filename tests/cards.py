"""An experiment as tests register it, and a market of people who enter it."""

from datetime import UTC, datetime

import numpy as np

from onefold.experiments import assign, parse_experiment
from onefold.model.time import DAY
from small_facts import SmallFacts

CARD = """\
experiment: larger-pins
label: Larger pins
question: Do larger pins help now, and do people still come back?
hypothesis: A larger first pin is easier to judge.
owner: Growth
started_date: 2026-09-01
planned_days: 14
arms: {control: 50, larger: 50}
labels: {larger: Larger pins}
short:
  label: First save
  events: [pin_saved]
  within_days: 1
  scale: relative
  margin: 0.02
long: {}
rollout: Half of all visitors.
rollback: Turn the flag off.
privacy: Nothing new is kept.
"""
START = int(datetime(2026, 9, 1, tzinfo=UTC).timestamp()) * 1_000_000
PLANNED = 14 * DAY
EXPOSED = "Experiment Viewed"


def experiment(**changes):
    text = CARD
    for was, becomes in changes.items():
        text = text.replace(*becomes) if isinstance(becomes, tuple) else f"{text}{was}: {becomes}\n"
    return parse_experiment(text, "pins.yaml")


def market(seed, *, people=2000, saves=(0.3, 0.3), returns=(0.4, 0.4), read=60, earlier=0.0):
    """Return facts of people who enter over the planned days; rates are (control, larger)."""
    rng = np.random.default_rng(seed)
    small = SmallFacts(now=START + read * DAY)
    registered = experiment()
    for person in range(people):
        arm = assign(registered, f"{seed}-{person}").arm
        at = int(arm == "larger")
        begin = START + int(rng.integers(0, PLANNED))
        small.add(EXPOSED, begin, person, experiment_id="larger-pins", variation_id=arm)
        if rng.random() < saves[at]:
            small.add("pin_saved", begin + int(rng.integers(0, DAY)), person)
        if rng.random() < returns[at]:
            small.add("search_made", begin + int(rng.integers(21 * DAY, 28 * DAY)), person)
        if rng.random() < earlier:
            before = START - 1 - int(rng.integers(0, 10 * DAY))
            small.add("pin_viewed", before, 10_000_000 + person)
    return small

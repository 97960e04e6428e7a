"""Columns of events become request bodies, by joining columns of text in bulk."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from onefold.model.time import format_time
from onefold.simulate.behaviour import KINDS, Events
from onefold.simulate.catalogue import PAGES, QUERIES, SURFACES, UTM, Items
from onefold.simulate.records import DAY, Ints, MarketPlan, Request, Strings

BATCH = 300
"""Events a request: at 300 to 400 bytes each well under Segment's 500 KB."""
GROUPS = 200
"""Requests whose text is made at once: some 20 MB."""
ON_THE_WAY = 120_000
"""Microseconds between sending and receiving."""

HEADS = {
    "exposure": '{"type":"track","event":"Experiment Viewed"',
    "identify": '{"type":"identify"',
    "group": '{"type":"group"',
    "misspelt": '{"type":"track","event":"pin_svaed"',
    "bad_click": '{"type":"track","event":"ad_clicked"',
    "bad_search": '{"type":"track","event":"search_made"',
    "bad_open": '{"type":"track","event":"pin_opened"',
}


@dataclass(frozen=True, slots=True)
class Words:
    """Text that events refer to by place; each entry is a finished piece of JSON.

    Attributes:
        who: Ids and context of every device, first without and then with its user id; the
            context is left open for a campaign.
        traits: Traits of every person.
        items: `"item_id":...,"creator_id":...` of every item.
        campaigns: `"campaign_id":...,"account_id":...,"item_id":...` of every campaign.
        groups: `"groupId":...,"traits":...` of every account.
        exposures: Properties of an exposure, by experiment * 2 + arm.
    """

    who: Strings
    traits: Strings
    items: Strings
    campaigns: Strings
    groups: Strings
    exposures: Strings


def item_words(items: Items) -> Strings:
    """Return the item and creator of every item as JSON members."""
    return pa.array(
        [f'"item_id":"i{i}","creator_id":"c{c}"' for i, c in enumerate(items.creator.tolist())]
    )


def requests(
    plan: MarketPlan, events: Events, sent: tuple[Ints, Ints], words: Words
) -> Iterator[Request]:
    """Yield the market's requests in the order in which they arrive.

    Args:
        plan: The market.
        events: All its events.
        sent: What is sent, in order: the place of the event and the time of its arrival; an
            event may be sent twice.
        words: Text that the events refer to.
    """
    place, arrival = sent
    writer = _Writer(plan, words)
    step = BATCH * GROUPS
    for low in range(0, len(place), step):
        rows, times = place[low : low + step], arrival[low : low + step]
        text = writer.lines(events, rows)
        ends = np.frombuffer(text.buffers()[1], np.int32)[text.offset : text.offset + len(text) + 1]
        data = memoryview(text.buffers()[2])
        for first in range(0, len(rows), BATCH):
            last = min(first + BATCH, len(rows))
            sent_time = int(times[last - 1])
            # Each line begins with a comma; the first one of a batch does without.
            lines = data[int(ends[first]) + 1 : int(ends[last])]
            tail = f'],"sentAt":"{format_time(sent_time)}"}}'.encode()
            yield Request(
                received_time=min(sent_time + ON_THE_WAY, plan.end_time),
                body=b'{"batch":[' + bytes(lines) + tail,
                events=last - first,
            )


class _Writer:
    """Writes lines of JSON; keeps the tables of text that every line needs."""

    def __init__(self, plan: MarketPlan, words: Words) -> None:
        self.words = words
        self.first_day = plan.start_time // DAY - 1
        days = range(self.first_day, self.first_day + plan.days + 80)
        self.dates = pa.array([format_time(day * DAY)[:11] for day in days])
        self.seconds = pa.array(
            [f"{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}." for s in range(86_400)]
        )
        self.millis = pa.array([f'{ms:03}Z",' for ms in range(1_000)])
        self.surfaces = pa.array([f',"surface":"{name}"' for name in SURFACES])
        self.pages = pa.array([f'{{"type":"page","name":"{name}"' for name in PAGES])
        self.queries = pa.array([f'"query":{json.dumps(q)}' for q in QUERIES])
        self.found = pa.array([f',"results":{n},' for n in range(1_000)])
        self.cents = pa.array([f',"revenue":{n / 100},"currency":"USD"' for n in range(1_000)])
        self.ids = f'"messageId":"m{plan.seed}-'
        self.tails = pa.array(
            ["}}"]
            + [f',"campaign":{{"source":"{s}","medium":"{m}","name":"{n}"}}}}}}' for s, m, n in UTM]
        )

    def lines(self, events: Events, rows: Ints) -> Strings:
        """Return one line an event, each with a comma before it, in the order of the rows."""
        kind = events.kind[rows]
        order = np.argsort(kind, kind="stable")
        parts = [
            self._of_kind(events, rows[kind == value], KINDS[value])
            for value in np.unique(kind).tolist()
        ]
        back = np.empty(len(rows), np.int64)
        back[order] = np.arange(len(rows))
        return pa.concat_arrays(parts).take(pa.array(back))

    def _of_kind(self, events: Events, rows: Ints, kind: str) -> Strings:
        time = events.time[rows] // 1_000
        within = time % 86_400_000
        head = HEADS.get(kind, f'{{"type":"track","event":"{kind}"')
        pieces: list[Strings | str] = [","]
        pieces.append(self.pages.take(pa.array(events.item[rows])) if kind == "page" else head)
        pieces += [
            "," + self.ids,
            pc.cast(pa.array(rows), pa.string()),
            '","timestamp":"',
            self.dates.take(pa.array(time // 86_400_000 - self.first_day)),
            self.seconds.take(pa.array(within // 1_000)),
            self.millis.take(pa.array(within % 1_000)),
            self.words.who.take(pa.array(events.device[rows] * 2 + events.known[rows])),
            *self._content(events, rows, kind),
        ]
        if kind == "page":
            pieces.append(self.tails.take(pa.array(events.number[rows])))
        else:
            pieces.append("}}")
        scalars = [p if isinstance(p, pa.Array) else pa.scalar(p) for p in pieces]
        return pc.binary_join_element_wise(*scalars, "")

    def _content(self, events: Events, rows: Ints, kind: str) -> list[Strings | str]:
        """Return what comes between the ids and the end of the context, by kind."""
        words, surface = self.words, events.surface[rows]
        if kind == "page":
            return []
        if kind == "identify":
            people = len(words.traits)
            return ['},"traits":{', words.traits.take(pa.array(events.device[rows] % people))]
        if kind == "group":
            return ["},", words.groups.take(pa.array(events.item[rows]))]
        if kind == "exposure":
            return ['},"properties":{', words.exposures.take(pa.array(events.item[rows]))]
        return ['},"properties":{', *self._properties(events, rows, kind, surface)]

    def _properties(
        self,
        events: Events,
        rows: Ints,
        kind: str,
        surface: np.ndarray[tuple[int], np.dtype[np.int8]],
    ) -> list[Strings | str]:
        words = self.words
        where = self.surfaces.take(pa.array(surface))
        number = events.number[rows]
        item = words.items.take(pa.array(events.item[rows]))
        if kind == "search_made":
            query = self.queries.take(pa.array(events.query[rows]))
            found = self.found.take(pa.array(np.minimum(number, 999)))
            return [query, found, pc.utf8_slice_codeunits(where, 1)]
        if kind in ("ad_viewed", "ad_clicked"):
            ad = words.campaigns.take(pa.array(events.campaign[rows]))
            money = [self.cents.take(pa.array(number))] if kind == "ad_clicked" else []
            return [ad, where, *money]
        if kind == "pin_opened":
            asked = pc.binary_join_element_wise(
                pa.scalar(","), self.queries.take(pa.array(np.maximum(events.query[rows], 0))), ""
            )
            return [item, where, pc.if_else(pa.array(events.query[rows] >= 0), asked, "")]
        if kind in ("pin_saved", "board_created", "misspelt"):
            board = pc.binary_join_element_wise(
                pa.scalar('"board_id":"b'),
                pc.cast(pa.array(events.device[rows] % len(words.traits)), pa.string()),
                pa.scalar("-"),
                pc.cast(pa.array(number), pa.string()),
                pa.scalar('"'),
                "",
            )
            return [board] if kind == "board_created" else [item, ",", board, where]
        return [*_plain(kind, item, where)]


def _plain(kind: str, item: Strings, where: Strings) -> list[Strings | str]:
    """Return the properties of the kinds that need little, the broken ones among them."""
    if kind == "pin_viewed":
        return [item, where]
    if kind == "link_clicked":
        return [pc.replace_substring_regex(item, ',"creator_id".*', "")]
    if kind == "bad_click":
        return ['"campaign_id":"cmp-1","account_id":"acc-1","revenue":"free","currency":"USD"']
    if kind == "bad_search":
        return ['"query":"lamp","results":"many","surface":"search_results"']
    if kind == "bad_open":
        return [pc.utf8_slice_codeunits(where, 1)]
    return []

"""A rebuild reads of every accepted event what intake read of it."""

import json

import hypothesis.strategies as st
from hypothesis import assume, given, settings

from onefold.collect.channels import shipped_channels
from onefold.collect.dialects.segment import BATCH, KIND_SET, decode
from onefold.collect.dialects.stored import read_singles, read_slowly, read_stored
from onefold.collect.enrich import Enricher

RECEIVED = 1_760_000_000_000_000

ids = st.one_of(st.none(), st.text(max_size=6), st.integers(0, 99), st.just(" "))
times = st.one_of(
    st.none(),
    st.sampled_from(
        [
            "2025-10-09T08:53:20Z",
            "2025-10-09T08:53:20.123456+02:00",
            "2025-10-09",
            "2031-01-01T00:00:00Z",
            "never",
            1760000000,
        ]
    ),
)
values = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8))
objects = st.one_of(st.none(), st.dictionaries(st.text(max_size=5), values, max_size=3))
contexts = st.one_of(
    objects,
    st.fixed_dictionaries(
        {},
        optional={
            "locale": st.sampled_from(["de-DE", "fr", 7, None, "\ud83d"]),
            "userAgent": st.sampled_from(["Googlebot/2.1", "", 3]),
            "page": st.sampled_from(
                [None, [], {"url": "https://a.example/?gclid=1", "referrer": "https://b.example"}]
            ),
            "campaign": st.sampled_from([None, {"source": "google", "medium": "cpc"}]),
            "location": st.sampled_from([{"country": "DE"}, "DE"]),
            "sample_rate": st.sampled_from([None, 0.5, 2, "x"]),
            "traffic": st.sampled_from([None, "test", 5]),
            "synthetic": st.sampled_from([None, True, "yes"]),
        },
    ),
)
events = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(
            ["track", "identify", "page", "screen", "group", "alias", "Track", "nonsense", 3]
        ),
        "messageId": st.one_of(st.none(), st.text(max_size=6), st.integers(0, 9)),
        "userId": ids,
        "anonymousId": ids,
        "previousId": ids,
        "groupId": ids,
        "event": st.one_of(st.none(), st.text(max_size=6), st.integers(0, 9)),
        "name": st.one_of(st.none(), st.text(max_size=6)),
        "category": st.one_of(st.none(), st.text(max_size=6)),
        "timestamp": times,
        "originalTimestamp": times,
        "sentAt": times,
        "properties": objects,
        "traits": objects,
        "context": contexts,
    },
)
plain = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["track", "identify", "page", "group", "alias"]),
        "messageId": st.text(min_size=1, max_size=6),
        "userId": st.sampled_from(["u1", " ", None]),
        "anonymousId": st.sampled_from(["a1", "", None]),
        "event": st.sampled_from(["pin_saved", "", None]),
    },
    optional={
        "previousId": ids,
        "groupId": ids,
        "name": st.sampled_from(["Home", None]),
        "timestamp": times,
        "sentAt": times,
        "properties": objects,
        "traits": objects,
        "context": contexts,
    },
)
batches = st.fixed_dictionaries(
    {"batch": st.lists(st.one_of(events, plain), max_size=6)},
    optional={"sentAt": times, "context": contexts},
)


# What the fold goes by: its column -> what intake calls it.
FIELDS = {
    "kinds": "kind",
    "events": "event",
    "message_ids": "message_id",
    "user_ids": "user_id",
    "anonymous_ids": "anonymous_id",
    "previous_ids": "previous_id",
    "group_ids": "group_id",
    "times": "event_time",
    "bases": "time_basis",
    "properties": "properties",
}


def rows(columns, places) -> list[tuple]:
    """Return the events at some places, each as the tuple of its fields."""
    return [tuple(getattr(columns, name)[place] for name in FIELDS) for place in places]


@settings(max_examples=400, deadline=None)
@given(batch=batches)
def test_stored_batches_read_as_intake_read_them(batch) -> None:
    body = json.dumps(batch).encode()
    at_intake = decode(BATCH, body, RECEIVED, b"app")
    stored = read_stored(BATCH, body, RECEIVED, b"app")
    assert all(len(getattr(stored, name)) == len(at_intake) for name in FIELDS)
    good = [place for place, event in enumerate(at_intake) if not event.code]
    theirs = [tuple(getattr(at_intake[p], name) for name in FIELDS.values()) for p in good]
    assert rows(stored, good) == theirs
    assert rows(stored.at(good), range(len(good))) == theirs
    slowly = read_slowly(BATCH, body, RECEIVED, b"app")
    assert surroundings(stored.at(good)) == surroundings(slowly.at(good))


def surroundings(columns) -> list:
    """Return what each event gets from its context."""
    enricher = Enricher(shipped_channels(), ["*headless*"])
    return [enricher.at(place) for place in enricher.places(columns.contexts)]


@settings(max_examples=300, deadline=None)
@given(sent=st.lists(st.tuples(st.sampled_from(sorted(KIND_SET)), plain), max_size=5))
def test_single_events_read_together_are_what_intake_read_of_each(sent) -> None:
    kinds = [kind for kind, _ in sent]
    bodies = [json.dumps(event).encode() for _, event in sent]
    times = [RECEIVED + 60_000_000 * place for place in range(len(sent))]
    stored = read_singles(kinds, bodies, times)
    at_intake = [
        decode(kind, body, time)[0] for kind, body, time in zip(kinds, bodies, times, strict=True)
    ]
    # Where one of them is not plain, each is read by the decoder of intake itself.
    assume(stored is not None)
    good = [place for place, event in enumerate(at_intake) if not event.code]
    theirs = [tuple(getattr(at_intake[p], name) for name in FIELDS.values()) for p in good]
    assert rows(stored, good) == theirs
    slowly = [
        read_slowly(kind, body, time, b"")
        for kind, body, time in zip(kinds, bodies, times, strict=True)
    ]
    assert [surroundings(stored)[place] for place in good] == [
        surroundings(slowly[place])[0] for place in good
    ]

"""Caps, limits, priorities and blocked values; and how identifiers are read and compared."""

import random

import pytest

from identity_graphs import Graphs, Told, key
from onefold.collect.known_as import (
    Blocked,
    in_context,
    in_traits,
    parse_identity,
    shipped_identity,
)
from onefold.model.errors import BadInput
from onefold.model.kinds import DEFAULT, IdentityRules, KindRule, normal_value


def mail_rules(cap: int) -> IdentityRules:
    kinds = [
        KindRule(
            rule.name, rule.limit, cap if rule.name == "email" else rule.shared_by, rule.record
        )
        for rule in DEFAULT.kinds
    ]
    # In a file of records nothing but the address says who is who.
    return IdentityRules(tuple(k if k.name != "contact_id" else CONTACTS for k in kinds))


CONTACTS = KindRule("contact_id", limit=0, shared_by=0, record=True)


def mailbox(cap: int) -> float:
    """Return the precision of pairs where addresses alone join records.

    The construction of the published figures: most people have an address of their own and two
    records; a few addresses (an office's, a hall's) stand in the records of many.
    """
    chance = random.Random(11)
    contacts, truth = {}, {}
    for person in range(160):
        for copy in range(2):
            truth[name := f"p{person}-{copy}"] = person
            own = person % 4 or chance.random() < 0.5
            contacts[name] = [f"email:own{person}@x.example" if own else "email:office@x.example"]
    for pair in range(16):
        # Two people, one household's address: below any cap, and wrong.
        for person in (1000 + 2 * pair, 1001 + 2 * pair):
            truth[name := f"h{person}"] = person
            contacts[name] = [f"email:home{pair}@x.example"]
    graphs = Graphs(mail_rules(cap))
    graphs.fold(Told(contacts=contacts))
    named = {key(f"contact_id:{name}"): person for name, person in truth.items()}
    pairs = right = 0
    for person in graphs.persons():
        who = [named[one] for one in person if one in named]
        for at, one in enumerate(who):
            pairs += len(who) - at - 1
            right += sum(one == other for other in who[at + 1 :])
    assert graphs.agrees()
    return right / pairs


def test_a_shared_mailbox_joins_strangers_without_a_cap_and_few_with_one() -> None:
    # Published of a public truth set: .17 without a cap, .90 with a cap of 3.
    assert mailbox(0) == pytest.approx(0.17, abs=0.03)
    assert mailbox(3) == pytest.approx(0.90, abs=0.03)


def test_a_value_shared_by_more_than_its_cap_counts_for_nobody_from_the_first_link_on() -> None:
    graphs = Graphs()
    mail = "email:hall@x.example"
    devices = [f"anonymous_id:a{n}" for n in range(5)]
    users = [f"user_id:u{n}" for n in range(4)]
    for n in range(3):
        graphs.fold(Told(seen=users[n : n + 1], edges=[(mail, users[n], "trait", n + 1)]))
    assert graphs.same(mail, "user_id:u0")
    assert not graphs.same(mail, "user_id:u1")
    graphs.fold(Told(seen=[users[3], devices[0]], edges=[(mail, users[3], "trait", 9)]))
    assert not any(graphs.same(mail, user) for user in users)
    (row,) = [r for r in graphs.table("identifiers").to_pylist() if r["key"] == key(mail)]
    assert (row["state"], row["person_id"]) == ("shared", None)
    graphs.restart()
    graphs.fold(Told(edges=[(users[3], users[2], "alias", 1), (users[1], users[2], "alias", 1)]))
    assert graphs.same(mail, "user_id:u0")
    assert graphs.agrees()


def test_a_chain_of_shared_devices_and_addresses_makes_no_giant() -> None:
    graphs = Graphs()
    edges = []
    for n in range(60):
        for user in (n, n + 1):
            edges += [
                (f"anonymous_id:a{n}", f"user_id:u{user}", "identify", n),
                (f"device_id:d{n}", f"user_id:u{user}", "device", n),
                (f"email:m{n}@x.example", f"user_id:u{user}", "trait", n),
            ]
    seen = [f"user_id:u{n}" for n in range(61)] + [f"anonymous_id:a{n}" for n in range(60)]
    graphs.fold(Told(seen=seen, edges=edges))
    users = {key(f"user_id:u{n}") for n in range(61)}
    assert max(len(person & users) for person in graphs.persons()) == 1
    assert max(map(len, graphs.persons())) <= 3
    assert graphs.agrees()


def test_limits_are_settled_by_priority_then_time_then_value() -> None:
    graphs = Graphs()
    user = "user_id:u1"
    mails = [f"email:m{n}@x.example" for n in range(7)]
    told = [(mail, user, "trait", 10 - n) for n, mail in enumerate(mails)]
    graphs.fold(Told(seen=[user], edges=told))
    kept = {mail for mail in mails if graphs.same(user, mail)}
    assert kept == set(mails[2:])
    graphs.fold(Told(edges=[(mails[0], user, "trait", 1)]))
    assert {mail for mail in mails if graphs.same(user, mail)} == {mails[0], *mails[3:]}


def test_what_was_stated_is_bound_by_no_limit() -> None:
    graphs = Graphs()
    devices = [f"anonymous_id:a{n}" for n in range(8)]
    edges = [(one, f"user_id:u{n % 2}", "identify", n) for n, one in enumerate(devices)]
    graphs.fold(Told(seen=["user_id:u0", "user_id:u1", *devices], edges=edges))
    graphs.fold(Told(made=[("l1", "merge", "user_id:u0", "user_id:u1")]))
    assert all(graphs.same("user_id:u0", one) for one in [*devices, "user_id:u1"])


def test_a_blocked_value_is_nobody() -> None:
    graphs = Graphs()
    null = "user_id:null"
    graphs.fold(
        Told(
            seen=[null, "anonymous_id:a1", "anonymous_id:a2"],
            edges=[(f"anonymous_id:a{n}", null, "identify", 1) for n in (1, 2)],
            blocked=[null],
        )
    )
    assert len(graphs.persons()) == 2
    assert not any(key(null) in person for person in graphs.persons())


@pytest.mark.parametrize(
    ("value", "blocked"),
    [
        ("0", True),
        ("00000000-0000-0000-0000-000000000000", True),
        ("-1", True),
        ("NULL", True),
        (" anonymous ", True),
        ("u0", False),
        ("1000", False),
    ],
)
def test_segments_blocked_values_are_blocked(value, blocked) -> None:
    assert Blocked(DEFAULT)(value) is blocked


def test_the_shipped_rules_are_the_ones_in_the_code() -> None:
    assert shipped_identity() == DEFAULT


@pytest.mark.parametrize(
    "text",
    [
        "kinds: [{kind: user_id}]",
        "kinds: [{kind: other}]",
        "kinds: [{kind: user_id}, {kind: user_id}, {kind: other}]",
        "kinds: [{kind: User Id}, {kind: other}]",
        "kinds: [{kind: user_id, limit: -1}, {kind: other}]",
        "traits: {email: 'E Mail'}",
        "colour: red",
    ],
)
def test_rules_that_cannot_be_used_say_where(text) -> None:
    with pytest.raises(BadInput, match=r"identity.yaml:\d+:\d+"):
        parse_identity(text, "identity.yaml")


def test_what_a_context_tells_is_read_and_nothing_else() -> None:
    externals = (
        b'[{"id":"S-1","type":"Stripe ID","encoding":"none"},{"id":"x","type":"email",'
        b'"encoding":"sha256"},{"id":"Jo@X.example","type":"email"},7,{"id":null,"type":"a"},'
        b'{"id":"","type":"b"},{"id":"y","type":"<script>"}]'
    )
    device = b'{"id":"d-1","advertisingId":"ad-1","adTrackingEnabled":false}'
    assert in_context(externals, device) == (
        ("stripe_id", "S-1", "external_id"),
        ("email", "jo@x.example", "external_id"),
        ("device_id", "d-1", "device"),
    )
    for broken in (b"", b"null", b"{}", b'{"id":7}', b'{"id":"\xff"}'):
        assert in_context(broken, broken) == ()


def test_traits_tell_what_the_rules_name() -> None:
    traits = b'{"email":" Jo@X.Example","phone":49301234567,"$set_once":{"email":"a@b.c"}}'
    assert list(in_traits(traits, DEFAULT)) == [
        ("email", "jo@x.example", "trait"),
        ("phone", "49301234567", "trait"),
        ("email", "a@b.c", "trait"),
    ]
    for odd in (b'["email"]', b'{"email":null}', b'{"email":true}', b'{"email":{}}', b'{"email'):
        assert list(in_traits(odd, DEFAULT)) == []


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("email", "JO@x.example ", "jo@x.example"),
        ("email", "@", ""),
        ("phone", "+49 (30) 1234567", "+49301234567"),
        ("phone", "12", ""),
        ("crm_id", " 7 ", "7"),
        ("crm_id", "x" * 300, ""),
    ],
)
def test_identifiers_are_compared_in_one_form(kind, text, value) -> None:
    assert normal_value(kind, text) == value

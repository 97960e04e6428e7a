"""Snowplow's events become the one shape, and nothing of them is lost on the way."""

import base64
import json
from urllib.parse import urlencode

import pytest

from onefold.collect import Source, make_catalogue, receive
from onefold.collect.countries import Whence
from onefold.collect.dialects.segment import decode
from onefold.collect.dialects.snowplow import key_in, route_of
from onefold.model.errors import BadInput

NOW = 1_795_347_800_000_000
SCHEMA = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"


def taken(body, *, route="tp2", basis="notice", beside=None):
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return receive(
        Source("app", "wk", basis=basis),
        dialect="snowplow",
        route=route,
        body=sent,
        received_time=NOW,
        catalogue=make_catalogue(()),
        whence=Whence(beside),
    )


def shaped(event, **more):
    receipt = taken({"schema": SCHEMA, "data": [event]}, **more)
    assert (receipt.row.dialect, receipt.row.route) == ("snowplow", "batch")
    return json.loads(receipt.row.body)["batch"][0]


def event(**fields):
    return {"e": "pv", "aid": "wk", "eid": "id-1", "uid": "u1", "duid": "d1", **fields}


def described(schema, data, *, coded=True, **fields):
    wrapped = json.dumps({"schema": "iglu:x/y/jsonschema/1-0-0", "data": entity(schema, data)})
    if coded:
        return event(e="ue", ue_px=base64.urlsafe_b64encode(wrapped.encode()).decode(), **fields)
    return event(e="ue", ue_pr=wrapped, **fields)


def entity(schema, data):
    return {"schema": f"iglu:{schema}", "data": data}


def contexts(*entities):
    return json.dumps({"schema": "iglu:x/contexts/jsonschema/1-0-1", "data": entities})


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/com.snowplowanalytics.snowplow/tp2", ("tp2", "")),
        ("/wk_1/com.snowplowanalytics.snowplow/tp2", ("tp2", "wk_1")),
        ("/a/b/com.snowplowanalytics.snowplow/tp2", None),
        ("/i", ("i", "")),
        ("/index", None),
    ],
)
def test_routes(path, route):
    assert route_of(path) == route


def test_a_page_view():
    told = shaped(event(url="https://x.test/p?a=1", page="A shop", refr="https://r.test/"))
    page = {"url": "https://x.test/p?a=1", "path": "/p", "search": "?a=1", "title": "A shop"}
    assert told["type"] == "page"
    assert told["properties"] == page | {"referrer": "https://r.test/"}
    assert told["context"]["page"] == told["properties"]
    assert told["messageId"] == "id-1"


@pytest.mark.parametrize("coded", [True, False])
def test_a_self_describing_event_and_its_entities(coded):
    own = "com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0"
    listed = contexts(
        entity("com.acme/board/jsonschema/2-0-1", {"id": "b1"}),
        entity("com.acme/board/jsonschema/2-0-1", {"id": "b2"}),
        entity(own, {"id": "view-1"}),
    )
    coding = (
        {"cx": base64.urlsafe_b64encode(listed.encode()).decode().rstrip("=")}
        if coded
        else {"co": listed}
    )
    told = shaped(
        described("com.acme/pin_saved/jsonschema/3-0-0", {"item_id": "i1"}, coded=coded, **coding)
    )
    assert (told["type"], told["event"]) == ("track", "pin_saved")
    assert told["properties"] == {
        "item_id": "i1",
        "contexts_com_acme_board_2": [{"id": "b1"}, {"id": "b2"}],
    }
    assert told["context"]["schema"] == "iglu:com.acme/pin_saved/jsonschema/3-0-0"
    assert told["context"]["protocols"] == {"event_version": 3}
    assert told["context"]["web_page"] == {"id": "view-1"}


def test_screen_structured_ping_and_orders():
    screen = shaped(
        described("com.snowplowanalytics.mobile/screen_view/jsonschema/1-0-0", {"name": "Boards"})
    )
    assert (screen["type"], screen["name"]) == ("screen", "Boards")
    structured = shaped(event(e="se", se_ca="boards", se_ac="open", se_la="l", se_va="3.5"))
    assert structured["event"] == "open"
    assert structured["properties"] == {"category": "boards", "label": "l", "value": 3.5}
    ping = shaped(event(e="pp", pp_mix="0", pp_may="700"))
    assert (ping["event"], ping["properties"]) == ("page_ping", {"min_x": 0.0, "max_y": 700.0})
    order = shaped(event(e="tr", tr_id="o1", tr_tt="9.90", tr_cu="EUR"))
    assert order["event"] == "transaction"
    assert order["properties"] == {"order_id": "o1", "total": 9.9, "currency": "EUR"}
    item = shaped(event(e="ti", ti_id="o1", ti_sk="s1", ti_qu="2", ti_pr="free"))
    assert item["properties"] == {
        "order_id": "o1",
        "sku": "s1",
        "quantity": 2.0,
        "price": "free",
    }


@pytest.mark.parametrize(
    ("ids", "user", "anonymous"),
    [
        ({"uid": "u1", "duid": "d1", "nuid": "n1"}, "u1", "d1"),
        ({"uid": "", "duid": "", "nuid": "n1"}, None, "n1"),
        ({"uid": "", "duid": "d1"}, None, "d1"),
    ],
)
def test_ids_in_their_order(ids, user, anonymous):
    told = shaped(event(**ids))
    assert (told.get("userId"), told.get("anonymousId")) == (user, anonymous)


def test_an_event_of_nobody_counts():
    receipt = taken({"data": [event(uid="", duid="")]})
    (told,) = json.loads(receipt.row.body)["batch"]
    assert receipt.accepted == 1
    assert not {"userId", "anonymousId"} & told.keys()


def test_a_phone_is_known_by_its_session():
    own = "com.snowplowanalytics.snowplow/client_session/jsonschema/1-0-2"
    told = shaped(event(uid="", duid="", co=contexts(entity(own, {"userId": "phone-1"}))))
    assert told["anonymousId"] == "phone-1"


def test_headers_help_where_the_event_is_silent():
    beside = {"nuid": "n1", "ua": "Mozilla"}
    told = shaped(event(uid="", duid="", p="web"), beside=beside)
    assert told["anonymousId"] == "n1"
    assert told["context"]["userAgent"] == "Mozilla"
    server = shaped(event(p="srv", ua="own"), beside=beside)
    assert (server["anonymousId"], server["context"]["userAgent"]) == ("d1", "own")
    assert "userAgent" not in shaped(event(p="srv"), beside=beside)["context"]


def test_times():
    def read(**fields):
        receipt = taken({"data": [event(**fields)]})
        return decode("batch", receipt.row.body, NOW, b"app")[0]

    ahead = read(dtm="1795354200000", stm="1795354210000")
    assert (ahead.event_time, ahead.time_basis) == (NOW - 10_000_000, "corrected")
    true = read(dtm="1795354200000", stm="1795354210000", ttm="1795340000000")
    assert (true.event_time, true.time_basis) == (1_795_340_000_000_000, "sent")
    assert read().time_basis == "received"


def test_all_other_parameters_stay_in_the_context():
    told = shaped(event(tv="js-4.1.0", lang="de", res="800x600", vp="1x1", ds="x", strange="7"))
    context = told["context"]
    assert context["library"] == {"name": "snowplow-js", "version": "4.1.0"}
    assert context["locale"] == "de"
    assert context["screen"] == {"width": 800, "height": 600}
    assert context["snowplow"] == {"vp": "1x1", "ds": "x", "strange": "7"}


def test_consent_comes_as_an_entity():
    said = {"categoryPreferences": {"analytics": True}}
    cx = contexts(entity("com.acme/consent/jsonschema/1-0-0", said))
    receipt = taken({"data": [event(co=cx), event()]}, basis="opt-in")
    known, nobody = json.loads(receipt.row.body)["batch"]
    assert known["userId"] == "u1"
    assert "userId" not in nobody
    assert receipt.row.verdicts == bytes([1, 0])


def test_an_event_in_an_address():
    query = urlencode(event(page="A shop & more")).encode()
    receipt = taken(query, route="i")
    assert receipt.accepted == 1
    assert json.loads(receipt.row.body)["batch"][0]["properties"] == {"title": "A shop & more"}
    assert key_in(query) == "wk"


def test_a_bad_event_costs_its_batch_nothing():
    bad = [
        "no object",
        event(e="xx"),
        event(e=""),
        event(dtm="soon"),
        event(e="se"),
        event(e="ue", ue_px="***"),
        event(e="ue", ue_pr='{"data": 3}'),
        event(co="{"),
        event(co=contexts({"schema": 3})),
    ]
    receipt = taken({"data": [event(), *bad, event(eid="id-2")]})
    assert receipt.accepted == 2
    reasons = {one.index: one.reason for one in receipt.quarantined}
    assert sorted(reasons) == list(range(1, 10))
    assert reasons[2].startswith("The kind of the event, `xx`, is unknown")
    assert reasons[4] == "`dtm` is no time in milliseconds since 1970."
    assert reasons[6] == "`ue_px` cannot be read."
    kept = json.loads(receipt.row.body)["batch"]
    assert kept[6]["context"]["snowplow"]["ue_px"] == "***"
    assert kept[8]["context"]["snowplow"]["co"] == "{"


def test_one_broken_event_in_broken_json_costs_its_batch_nothing():
    good = json.dumps(event()).encode()
    body = b'{"data":[' + good + b',{"e":NaN},' + good + b"]}"
    receipt = taken(body)
    assert (receipt.accepted, len(receipt.quarantined)) == (2, 1)
    assert key_in(body) == "wk"


@pytest.mark.parametrize("body", [b"", b"{", b'{"data": 3}', b"[]", b"\xff"])
def test_what_is_no_event_at_all_is_refused_as_a_whole(body):
    with pytest.raises(BadInput):
        taken(body)
    assert key_in(body) == ""


def test_without_consent_nothing_that_tells_of_a_person_is_kept():
    secrets = ["u-nobody-1", "d-nobody-2", "n-nobody-3", "203.0.113.9", "s-nobody-4", "p-nobody-5"]
    user, domain, network, address, session, phone = secrets
    own = "com.snowplowanalytics.snowplow/client_session/jsonschema/1-0-2"
    sent = described(
        "com.acme/pin_saved/jsonschema/1-0-0",
        {"note": f"by {user}", "userId": user},
        nuid=network,
        ip=address,
        sid=session,
        url=f"https://x.test/?u={user}",
        co=contexts(entity(own, {"userId": phone})),
        tna=user,
    )
    sent |= {"uid": user, "duid": domain}
    receipt = taken({"data": [sent]}, basis="opt-in")
    held = receipt.row.body + receipt.row.reasons
    assert [secret for secret in secrets if secret.encode() in held] == []

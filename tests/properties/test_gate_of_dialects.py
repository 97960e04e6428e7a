"""In any dialect: without consent nothing of an event that tells of a person reaches the disk."""

import json
import string
from base64 import urlsafe_b64encode
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onefold.collect import Source, make_catalogue, receive

NOW = 1_795_000_000_000_000
letters = st.sampled_from(string.ascii_letters + string.digits)
secrets = st.text(letters, min_size=12, max_size=20).map(lambda text: f"Q{text}x9Z")
FORMS = {"rudder": ("batch", "batch"), "posthog": ("batch", "batch"), "snowplow": ("tp2", "data")}


def hidden(draw, secret):
    """Return a value in which an identifier hides."""
    return draw(
        st.sampled_from(
            [
                secret,
                f"by {secret}, today",
                f"https://x.test/p?u={quote(secret)}",
                {"deep": [{"er": secret}]},
                {secret: 1},
                urlsafe_b64encode(f'{{"u":"{secret}"}}'.encode()).decode(),
            ]
        )
    )


def posthog(draw, user, device, session, email):
    names = ["pin_saved", "$identify", "$set", "$create_alias", "$groupidentify", "$pageview"]
    properties = {
        "$device_id": device,
        "$session_id": session,
        "$window_id": session,
        "$current_url": f"https://x.test/p?u={user}#{device}",
        "$referrer": f"https://y.test/?email={quote(email)}",
        "$set": {"email": email, "name": user},
        "$set_once": {"first": device},
        "$groups": {"company": user},
        "$group_type": "company",
        "$group_key": user,
        "alias": device,
        "$ip": "203.0.113.77",
        "$raw_user_agent": "Quite Telling",
        "note": hidden(draw, user),
        "more": hidden(draw, device),
        **draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "$is_identified": st.booleans(),
                    "$user_id": st.just(user),
                    "$anon_distinct_id": st.just(device),
                    "$process_person_profile": st.booleans(),
                },
            )
        ),
    }
    event = {"event": draw(st.sampled_from(names)), "distinct_id": user, "uuid": "id-1"}
    return event | {"properties": properties, "$set": {"email": email}, "odd": hidden(draw, user)}


def snowplow(draw, user, device, session, email):
    def entity(name, data):
        return {"schema": f"iglu:{name}/jsonschema/1-0-0", "data": data}

    listed = [
        entity("com.snowplowanalytics.snowplow/client_session", {"userId": device, "id": session}),
        entity("com.acme/person", {"email": email, "user_id": user, "note": hidden(draw, device)}),
    ]
    described = entity("com.acme/saved", {"by": hidden(draw, user), "contact": email})
    event = {
        "eid": "id-1",
        "uid": user,
        "duid": device,
        "nuid": device,
        "sid": session,
        "ip": "203.0.113.77",
        "ua": "Quite Telling",
        "url": f"https://x.test/p?u={user}",
        "refr": f"https://y.test/?email={quote(email)}",
        "page": f"Page of {user}",
        "se_ac": f"seen {user}",
        "se_la": email,
        "tna": user,
        "co": json.dumps(entity("x/contexts", listed)),
        "ue_pr": json.dumps(entity("x/unstruct_event", described)),
        "strange": device,
    }
    return event | {"e": draw(st.sampled_from(["pv", "pp", "se", "ue", "tr", "zz"]))}


def rudder(draw, user, device, session, email):
    kinds = ["track", "identify", "page", "screen", "group", "alias", "merge"]
    return {
        "type": draw(st.sampled_from(kinds)),
        "event": f"seen {user}",
        "channel": "web",
        "messageId": "id-1",
        "userId": user,
        "anonymousId": device,
        "previousId": device,
        "groupId": user,
        "rudderId": device,
        "request_ip": "203.0.113.77",
        "mergeProperties": [{"type": "email", "value": email}],
        "properties": {"note": hidden(draw, user), "contact": email},
        "context": {
            "traits": {"email": email, "name": user},
            "sessionId": session,
            "userAgent": "Quite Telling",
            "ip": "203.0.113.77",
            "more": hidden(draw, device),
        },
    }


SENDERS = {"posthog": posthog, "snowplow": snowplow, "rudder": rudder}


@pytest.mark.parametrize("dialect", FORMS)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_without_consent_no_identifier_reaches_the_disk(dialect, data):
    user, device, session = (data.draw(secrets) for _ in range(3))
    email = "mail" + data.draw(st.text(string.ascii_lowercase, min_size=8)) + "@example.com"
    event = SENDERS[dialect](data.draw, user, device, session, email)
    route, named = FORMS[dialect]
    receipt = receive(
        Source("app", "wk", basis="opt-in"),
        dialect=dialect,
        route=route,
        body=json.dumps({named: [event]}).encode(),
        received_time=NOW,
        catalogue=make_catalogue(()),
    )
    assert len(receipt.row.verdicts) == 1
    held = (receipt.row.body + receipt.row.reasons).lower()
    for secret in (user, device, session, email, "203.0.113.77", "Telling"):
        for form in (secret, quote(secret), urlsafe_b64encode(secret.encode()).decode()[:-4]):
            assert form.lower().encode() not in held, (secret, held)

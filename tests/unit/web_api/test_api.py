"""The API: the same calls as the commands, by key, by session or through the owner's socket."""

import asyncio
import json
import re

import httpx
import jsonschema_rs
import msgspec
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parsed

from onefold.governance import trail
from onefold.governance.api_keys import add_api_key
from onefold.model.records import OWNER
from onefold.model.time import now
from onefold.runtime import CALLS, create_workspace, open_workspace
from onefold.web.api import description, owner_door
from onefold.web.app import make_app


class Client:
    """Asks the app in this process, one request after the other; keeps cookies."""

    def __init__(self, app):
        self._loop = asyncio.new_event_loop()
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://localhost")

    def get(self, url, **more):
        return self._loop.run_until_complete(self._client.get(url, **more))

    def post(self, url, **more):
        return self._loop.run_until_complete(self._client.post(url, **more))

    def close(self):
        self._loop.run_until_complete(self._client.aclose())
        self._loop.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = create_workspace(tmp_path_factory.mktemp("api") / "w")
    workspace = open_workspace(made.folder)
    reader = add_api_key(workspace.state, "reader", ("read",), asker=OWNER, now=now())
    app = make_app(workspace)
    yield {"made": made, "workspace": workspace, "app": app, "reader": reader}
    app.state.questions.shutdown()
    workspace.close()


@pytest.fixture
def client(world):
    made = Client(world["app"])
    yield made
    made.close()


@pytest.fixture
def bearer(world):
    return {"Authorization": f"Bearer {world['made'].api_key}"}


def test_a_question_is_asked_by_its_name_with_get_or_post(client, bearer):
    got = client.get("/api/v1/source/list", headers=bearer)
    posted = client.post("/api/v1/source/list", headers=bearer, json={})
    assert got.status_code == posted.status_code == 200
    assert got.json() == posted.json()
    assert got.json()["rows"][0][0] == "app"
    assert got.headers["cache-control"] == "no-store"


def test_parameters_of_an_address_are_texts(client, bearer):
    answer = client.get("/api/v1/audit/show?last=1", headers=bearer)
    assert len(answer.json()["rows"]) == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer of_made_up"}, 401),
        ({"Authorization": "Basic eDo="}, 401),
    ],
)
def test_nobody_is_answered(client, headers, status):
    answer = client.get("/api/v1/status", headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["fix"]


def test_a_key_may_do_what_its_scope_says(client, world):
    reading = {"Authorization": f"Bearer {world['reader']}"}
    assert client.get("/api/v1/status", headers=reading).status_code == 200
    refused = client.post("/api/v1/rebuild", headers=reading)
    assert refused.status_code == 403
    assert refused.json()["title"] == "Not allowed"


def test_a_write_key_is_told_to_those_who_may_define_only(client, bearer, world):
    def keys(headers):
        body = client.get("/api/v1/source/list", headers=headers).json()
        place = [column["name"] for column in body["columns"]].index("write_key")
        return {row[place] for row in body["rows"]}

    assert keys(bearer) == {world["made"].write_key}
    assert keys({"Authorization": f"Bearer {world['reader']}"}) == {"hidden"}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("quarantine/list?event=a%00b", 200),
        ("person/show?id=%00", 404),
        ("account/show?id=acc%00", 404),
        ("metric?name=save_rate&from=0001-01-01&to=9999-12-31", 422),
        ("metric?name=save_rate&from=1900-01-01&to=9000-01-01&every=day", 422),
    ],
)
def test_what_an_engine_cannot_read_is_no_failure(client, bearer, path, status):
    assert client.get(f"/api/v1/{path}", headers=bearer).status_code == status


def test_a_definition_that_no_question_could_use_is_not_applied(client, bearer, world):
    broken = world["workspace"].definitions / "metrics" / "broken.yaml"
    broken.write_text("metric: [oops\n")
    try:
        for call in ("plan", "apply"):
            answer = client.post(f"/api/v1/{call}", json={}, headers=bearer)
            assert answer.status_code == 422
            assert "broken.yaml" in answer.json()["detail"]
    finally:
        broken.unlink()


def test_the_trail_names_who_applied_definitions(client, world):
    workspace = world["workspace"]
    path = workspace.definitions / "events" / "seen.yaml"
    path.write_text("event: seen\nversion: 1\nowner: Web\ndescription: It was seen.\n")
    key = add_api_key(workspace.state, "ci", ("write",), asker=OWNER, now=now())
    answer = client.post("/api/v1/apply", json={}, headers={"Authorization": f"Bearer {key}"})
    assert answer.json() == {"changed": True}
    assert trail(workspace.state, most=1, action="definitions.")[0].actor == "key:ci"


def test_a_change_is_no_get(client, bearer):
    answer = client.get("/api/v1/rebuild", headers=bearer)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert "POST" in answer.json()["fix"]


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("metric", {}, 422, "name"),
        ("metric", {"name": "click_rate", "form": "x"}, 422, "form"),
        ("metric", {"name": "click_rate", "every": "hour"}, 422, "every"),
        ("metric", {"name": "clickrate"}, 404, "click_rate"),
        ("chekcsum", {}, 404, "checksum"),
        ("metric", [1], 422, "object"),
    ],
)
def test_bad_input_says_what_would_be_right(client, bearer, path, body, status, said):
    answer = client.post(f"/api/v1/{path}", headers=bearer, json=body)
    assert answer.status_code == status
    assert said in answer.text


def test_what_is_no_json_or_too_large_is_refused(client, bearer):
    assert client.post("/api/v1/status", headers=bearer, content=b"{").status_code == 422
    large = b'{"x": "' + b"a" * 1_100_000 + b'"}'
    assert client.post("/api/v1/status", headers=bearer, content=large).status_code == 413


PLACES = [(name, place) for name, one in CALLS.items() for place in one.places]


def test_a_parameter_that_sounds_like_a_place_is_one():
    told = {
        (name, field.encode_name)
        for name, one in CALLS.items()
        for field in msgspec.structs.fields(one.takes)
        if field.encode_name in {"file", "folder", "path", "mapping", "definitions"}
    }
    assert ("person export", "folder") in told
    assert told <= set(PLACES)


@pytest.mark.parametrize(("name", "parameter"), PLACES)
def test_a_key_reads_and_writes_no_files_outside_the_workspace(
    client, bearer, tmp_path, name, parameter
):
    (tmp_path / "m.yaml").write_text("import: x")
    address = f"/api/v1/{name.replace(' ', '/')}"
    for place in (f"{tmp_path}/m.yaml", "../m.yaml", "/"):
        answer = client.post(address, headers=bearer, json={parameter: place})
        assert answer.status_code == 403
        if not CALLS[name].changes:
            answer = client.get(address, headers=bearer, params={parameter: place})
            assert answer.status_code == 403
    answer = client.post(address, headers=bearer, json={parameter: "a\0b"})
    assert answer.status_code == 422


def sign_in(client, world):
    link = client.post(
        "/api/v1/user/link",
        headers={"Authorization": f"Bearer {world['made'].api_key}"},
        json={"name": "owner"},
    ).json()["path"]
    client.get(link)


def test_a_session_asks_and_changes_only_with_its_token(client, world):
    sign_in(client, world)
    assert client.get("/api/v1/status").status_code == 200
    assert client.post("/api/v1/checksum").status_code == 403
    page = client.get("/settings").text
    token = re.search(r'name="csrf" value="([^"]+)"', page).group(1)
    answer = client.post("/api/v1/checksum", headers={"X-CSRF-Token": token})
    assert answer.status_code == 200


def test_progress_comes_as_lines_and_the_answer_last(client, bearer):
    headers = {**bearer, "Accept": "application/x-ndjson"}
    answer = client.post("/api/v1/rebuild", headers=headers)
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert {key for line in lines[:-1] for key in line} <= {"progress"}
    assert lines[-1]["good"] is True
    assert lines[-1]["answer"]["columns"]


def test_a_problem_on_the_way_is_a_line_too(client, bearer):
    headers = {**bearer, "Accept": "application/x-ndjson"}
    answer = client.post("/api/v1/metric", headers=headers, json={"name": "nothing"})
    assert json.loads(answer.text.splitlines()[-1])["problem"]["status"] == 404


def test_the_owners_socket_needs_no_key_and_asks_as_others(world):
    owner = Client(owner_door(world["app"]))
    assert owner.post("/api/v1/audit/verify").json()["whole"] is True
    owner.post("/api/v1/user/add", json={"name": "Vera", "role": "viewer"})
    refused = owner.post("/api/v1/rebuild", headers={"Onefold-As": "Vera"})
    assert refused.status_code == 403
    owner.close()


def test_the_mark_of_the_owner_cannot_be_sent(client):
    headers = {"onefold.owner": "1", "Onefold-As": "owner"}
    assert client.get("/api/v1/status", headers=headers).status_code == 401


def test_the_description_names_every_call_and_is_valid(client):
    described = client.get("/api/v1/openapi.json").json()
    assert described == json.loads(json.dumps(description()))
    assert set(described["paths"]) == {f"/api/v1/{name.replace(' ', '/')}" for name in CALLS}
    for schema in described["components"]["schemas"].values():
        jsonschema_rs.meta.validate({**schema, "components": described["components"]})
    references = re.findall(r'"\$ref": "#/components/schemas/(\w+)"', json.dumps(described))
    assert set(references) <= set(described["components"]["schemas"])


def test_measures_are_open_metrics_and_tell_nothing_of_the_business(client, world):
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    lines = answer.text.splitlines()
    assert lines[-1] == "# EOF"
    end = world["workspace"].log.last_offset()
    assert f"onefold_log_offset {end}" in lines
    assert "onefold_lag_rows 0" in lines
    found = {family.name: family for family in parsed(answer.text)}
    assert {"onefold_events_per_second", "onefold_disk_free_bytes", "onefold_stalled"} <= set(found)
    assert found["onefold_disk_free_bytes"].unit == "bytes"
    samples = [sample for family in found.values() for sample in family.samples]
    assert {label for sample in samples for label in sample.labels} <= {"plane", "step"}


def test_what_has_several_values_is_repeated_in_an_address(client, bearer):
    asked = "/api/v1/funnel?events=pin_opened&events=pin_saved&within=2d"
    got = client.get(asked, headers=bearer)
    posted = client.post(
        "/api/v1/funnel",
        headers=bearer,
        json={"events": ["pin_opened", "pin_saved"], "within": "2d"},
    )
    assert got.status_code == posted.status_code == 200
    assert got.json() == posted.json()
    assert "pin_opened, then pin_saved within 2 days" in got.json()["definition"]
    assert client.get("/api/v1/funnel?events=alone", headers=bearer).status_code == 422

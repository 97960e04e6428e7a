"""What wraps every answer: policy, ids, errors, logs."""

import logging

import httpx
import pytest
from starlette.responses import Response
from starlette.routing import Route

from onefold.governance.sign_in import sign_in_link
from onefold.model.errors import BadInput
from onefold.model.records import OWNER
from onefold.web import desk


def add(house, path, handler, **more):
    house.router.routes.append(Route(path, handler, **more))


def test_every_answer_has_the_policy_and_a_request_id(visitor):
    for path in ("/sign-in", "/static/onefold.css", "/nowhere"):
        headers = visitor.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert len(headers["x-request-id"]) == 16


def test_pages_are_not_kept_and_stamped_files_are(visitor):
    assert visitor.get("/sign-in").headers["cache-control"] == "no-store"
    assert "immutable" in visitor.get("/static/onefold.css?v=1").headers["cache-control"]
    assert visitor.get("/static/onefold.css").headers["cache-control"] == "no-cache"


def test_an_error_is_a_page_for_people_and_a_problem_for_programs(owner, house):
    def refuse(request):
        raise BadInput("No metric `saves`.", "Use `saves_per_session`.")

    add(house, "/explore-x", refuse)
    add(house, "/api/v1/x", refuse)
    page = owner.get("/explore-x")
    assert page.status_code == 422
    assert "No metric <code>saves</code>." in page.text
    assert page.headers["x-request-id"] in page.text
    problem = owner.get("/api/v1/x")
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json() == {
        "type": "about:blank",
        "title": "Bad input",
        "status": 422,
        "detail": "No metric `saves`.",
        "fix": "Use `saves_per_session`.",
    }


def test_a_crash_says_nothing_of_the_inside(owner, house, caplog):
    def crash(request):
        raise RuntimeError("hunter2")

    add(house, "/crash", crash)
    answer = owner.get("/crash")
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert "could not be made" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-request-id"] in answer.text
    assert answer.headers["x-request-id"] in caplog.text


def test_a_body_over_the_limit_is_refused(state, clock):
    import asyncio

    from starlette.applications import Starlette

    from onefold.web import app as web_app
    from onefold.web.shield import Shield

    async def read(request):
        return Response(await request.body())

    async def failing(request, error):
        return Response("broken", 500)

    async def answers():
        app = Starlette(
            routes=[Route("/api/x", read, methods=["POST"])],
            exception_handlers={web_app.OnefoldError: web_app._refused},
        )
        transport = httpx.ASGITransport(Shield(app, on_failure=failing, most_bytes=10))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            small = await client.post("/api/x", content=b"1234567890")
            return small, await client.post("/api/x", content=b"12345678901")

    small, large = asyncio.run(answers())
    assert small.status_code == 200
    assert large.status_code == 413
    assert large.json()["title"] == "Too large"


def test_what_is_not_there_is_said_in_the_form_it_was_asked(owner):
    assert owner.get("/nowhere").status_code == 404
    assert "There is no page" in owner.get("/nowhere").text
    assert owner.get("/api/v1/nowhere").json()["status"] == 404


def test_roles_decide(viewer):
    answer = viewer.post("/settings/keys", data={"csrf": viewer.csrf, "name": "k", "scope": "read"})
    assert answer.status_code == 403
    assert "may not" in answer.text


@pytest.mark.parametrize("token", ["", "wrong", "ünlike"])
def test_a_change_without_the_visits_token_is_refused(owner, token):
    answer = owner.post("/settings/theme", data={"csrf": token, "theme": "dark"})
    assert answer.status_code == 403
    assert "does not belong to your visit" in answer.text


def test_a_script_may_send_the_token_as_a_header(owner):
    headers = {"x-csrf-token": owner.csrf}
    answer = owner.post("/settings/theme", data={"theme": "dark"}, headers=headers)
    assert answer.status_code == 200
    assert 'data-theme="dark"' in answer.text


def test_questions_run_beside_the_loop(owner, house):
    import threading

    @desk.signed_in()
    async def where(request):
        return Response(await desk.ask(request, lambda: threading.current_thread().name))

    add(house, "/where", where)
    assert owner.get("/where").text.startswith("question")


def test_the_log_has_no_token(visitor, state, clock, caplog):
    caplog.set_level(logging.INFO, logger="onefold.web")
    link = sign_in_link(state, "Vera", asker=OWNER, now=clock())
    visitor.get(link)
    written = "\n".join(str(vars(record)) for record in caplog.records if record.msg == "request")
    assert "/sign-in/link/{token}" in written
    assert link.rsplit("/", 1)[1] not in written


def test_the_browser_sdk_finds_its_bundles(visitor):
    from onefold.web.rendering import STATIC

    folder = STATIC / "vendor" / "analytics-next" / "bundles"
    names = [file.name for file in folder.glob("*.js")]
    assert names
    assert visitor.get(f"/analytics-next/bundles/{names[0]}").status_code == 200

"""What the processes say of themselves: readable lines that tell nothing about anybody."""

import io
import json
import logging

import pytest

from onefold.web import logs
from onefold.web.heard import route_of_door

SECRETS = [
    "ada@example.org",
    "wk_0123456789abcdef",
    "203.0.113.9",
    "2001:db8::8a2e:370:7334",
    "+49 30 1234567",
]


@pytest.fixture
def said():
    """Return what sets up a form and gives the stream that is written to."""
    root, former = logging.getLogger(), list(logging.getLogger().handlers)
    level = root.level

    def make(form):
        stream = io.StringIO()
        logs.set_up(form, stream)
        return stream

    yield make
    for handler in list(root.handlers):
        root.removeHandler(handler)
    for handler in former:
        root.addHandler(handler)
    root.setLevel(level)
    logging.getLogger("onefold").setLevel(logging.NOTSET)


@pytest.mark.parametrize("form", logs.FORMS)
@pytest.mark.parametrize("secret", SECRETS)
def test_no_line_holds_what_may_name_somebody(said, form, secret):
    stream = said(form)
    log = logging.getLogger("onefold.door")
    log.warning("It broke at %s today.", secret)
    try:
        raise ValueError(secret)
    except ValueError:
        log.exception("A request failed.")
    text = stream.getvalue()
    assert secret not in text
    assert "It broke at ... today." in text
    assert "ValueError" in text
    assert "test_logs.py:" in text


def test_json_lines_are_json_whatever_is_said(said):
    stream = said("json")
    log = logging.getLogger("onefold.web")
    log.info("request", extra={"method": "GET", "route": "/today", "status": 200, "ms": 1.5})
    log.warning('two\nlines "quoted" \x00 \ud800')
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first["level"] == "info"
    assert (first["route"], first["status"], first["ms"]) == ("/today", 200, 1.5)
    assert second["message"].startswith("two\nlines")


def test_quiet_says_warnings_alone(said):
    stream = said("quiet")
    logging.getLogger("onefold.web").info("request")
    assert stream.getvalue() == ""
    logging.getLogger("somebody.else").warning("Invalid HTTP request received.")
    assert stream.getvalue() == "somebody.else: Invalid HTTP request received.\n"


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/v1/batch", "/v1/batch"),
        ("/i/v0/e/", "/i/v0/e/"),
        ("/v1/projects/wk_secret/settings", "/v1/projects/..."),
        ("/wk_secret/com.snowplowanalytics.snowplow/tp2", "/..."),
        ("/array/phc_secret/config", "/array/..."),
        ("/v1/pixel/ada@example.org", "/v1/pixel/..."),
    ],
)
def test_an_address_of_the_door_loses_what_may_be_a_key(path, told):
    assert route_of_door(path) == told

"""Connect your app: snippets with the key filled in, and word of the first event that comes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse
from starlette.routing import Route

from onefold.collect import Source, sources
from onefold.collect import questions as queries
from onefold.governance import may
from onefold.model.errors import unknown
from onefold.model.records import Question
from onefold.model.time import DAY
from onefold.web import rendering, wording
from onefold.web.desk import ask, page, secure, signed_in
from onefold.web.wording import better, coded, watch

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.model.records import Asker
    from onefold.runtime import Workspace

HIDDEN_KEY = "YOUR_WRITE_KEY"
_CONSENT = {"consent": {"categoryPreferences": {"analytics": True}}}

_PYTHON = """\
# pip install segment-analytics-python
import segment.analytics as analytics

analytics.write_key = {key}
analytics.host = {address}
analytics.track(
    user_id="person-1",
    event="pin_saved",
    properties={{"item_id": "item-1"}},
    context={{"consent": {{"categoryPreferences": {{"analytics": True}}}}}},
)
analytics.flush()
"""
_NODE = """\
// npm install @segment/analytics-node
import {{ Analytics }} from "@segment/analytics-node";

const analytics = new Analytics({{ writeKey: {key}, host: {address} }});
analytics.track({{
  userId: "person-1",
  event: "pin_saved",
  properties: {{ item_id: "item-1" }},
  context: {consent},
}});
await analytics.closeAndFlush();
"""
_BROWSER = """\
<script src="{sdk}"></script>
<script>
  const analytics = AnalyticsNext.AnalyticsBrowser.load(
    {{ writeKey: {key}, cdnURL: {address} }},
    {{ integrations: {{ "Segment.io": {{ apiHost: {api}, protocol: {protocol} }} }} }},
  );
  analytics.track("pin_saved", {{ item_id: "item-1" }}, {{
    context: {consent},
  }});
</script>
"""
_BUNDLED = """\
// In a browser app that is built: npm install @segment/analytics-next
import {{ AnalyticsBrowser }} from "@segment/analytics-next";

const analytics = AnalyticsBrowser.load(
  {{ writeKey: {key}, cdnURL: {address} }},
  {{ integrations: {{ "Segment.io": {{ apiHost: {api}, protocol: {protocol} }} }} }},
);
analytics.track("pin_saved", {{ item_id: "item-1" }}, {{
  context: {consent},
}});
"""
_SHELL = """\
curl {address}/v1/track -u {key}: -H 'content-type: application/json' -d '
  {{"userId": "person-1", "event": "pin_saved", "properties": {{"item_id": "item-1"}},
   "context": {consent}}}'
"""
_RUDDERSTACK = """\
// npm install @rudderstack/rudder-sdk-node
import Analytics from "@rudderstack/rudder-sdk-node";

const analytics = new Analytics({key}, {{ dataPlaneUrl: {address} }});
analytics.track({{
  userId: "person-1",
  event: "pin_saved",
  properties: {{ item_id: "item-1" }},
  context: {consent},
}});
analytics.flush();
"""
_POSTHOG = """\
// npm install posthog-js
import posthog from "posthog-js";

posthog.init({key}, {{ api_host: {address} }});
posthog.register({{ $consent: {answers} }});
posthog.capture("pin_saved", {{ item_id: "item-1" }});
"""
_SNOWPLOW = """\
# pip install snowplow-tracker
from snowplow_tracker import Emitter, SelfDescribing, SelfDescribingJson, Subject, Tracker

emitter = Emitter({host}, protocol={protocol}, method="post")
subject = Subject().set_user_id("person-1")
tracker = Tracker("shop", emitters=emitter, app_id={key}, subject=subject)
saved = SelfDescribingJson("iglu:com.acme/pin_saved/jsonschema/1-0-0", {{"item_id": "item-1"}})
consent = SelfDescribingJson("iglu:com.acme/consent/jsonschema/1-0-0", {python_answers})
tracker.track(SelfDescribing(saved, context=[consent]))
tracker.flush()
"""


@signed_in(whole=True)
async def connect(request: Request) -> Response:
    """Show how to send, for one source."""
    workspace, asker = request.app.state.workspace, request.state.asker
    known = sources.list_sources(workspace.state)
    source = _source(known, request.query_params.get("source", ""))
    told = await ask(request, _told, workspace, asker, source)
    key = source.write_key if may(asker, "define") else HIDDEN_KEY
    return page(
        request,
        "data/connect.html",
        here="Data",
        title="Connect your app",
        filters=[
            {
                "label": "Source",
                "value": source.name,
                "options": [
                    {
                        "label": f"{each.name}, {each.environment}",
                        "href": f"?source={each.name}",
                        "current": each.name == source.name,
                    }
                    for each in known
                ],
            }
        ],
        source=source,
        hidden=key == HIDDEN_KEY,
        snippets=snippets(key, _address(request)),
        **told,
    )


@signed_in(whole=True)
async def state(request: Request) -> Response:
    """Return the part of the page that tells whether an event has come."""
    workspace, asker = request.app.state.workspace, request.state.asker
    known = sources.list_sources(workspace.state)
    source = _source(known, request.query_params.get("source", ""))
    told = await ask(request, _told, workspace, asker, source)
    html = rendering.render("data/connect_state.html", {"source": source, **told})
    return HTMLResponse(html, headers={"cache-control": "no-store"})


routes = [Route("/connect", connect), Route("/connect/state", state)]


def _source(known: tuple[Source, ...], name: str) -> Source:
    by_name = {source.name: source for source in known}
    if not name and known:
        return known[0]
    if name not in by_name:
        raise unknown("source", name, by_name)
    return by_name[name]


def _address(request: Request) -> str:
    scheme = "https" if secure(request) else "http"
    return f"{scheme}://{request.headers.get('host', 'localhost:8000')}"


def snippets(key: str, address: str) -> list[dict[str, str]]:
    """Return what to copy: name, language and code of each way to send."""
    scheme, _, host = address.partition("://")
    filled = {
        "address": json.dumps(address),
        "key": json.dumps(key),
        "api": json.dumps(f"{host}/v1"),
        "protocol": json.dumps(scheme),
        "consent": json.dumps(_CONSENT),
        "host": json.dumps(host),
        "sdk": f"{address}/static/vendor/analytics-next.min.js",
        "answers": json.dumps(_CONSENT["consent"]),
        "python_answers": repr(_CONSENT["consent"]).replace("'", '"'),
    }
    plain = filled | {"address": address, "key": key}
    return [
        {"name": "Python", "code": _PYTHON.format(**filled)},
        {"name": "Node", "code": _NODE.format(**filled)},
        {"name": "Browser", "code": _BROWSER.format(**filled)},
        {"name": "Bundle", "code": _BUNDLED.format(**filled)},
        {"name": "Shell", "code": _SHELL.format(**plain)},
        {"name": "RudderStack", "code": _RUDDERSTACK.format(**filled)},
        {"name": "PostHog", "code": _POSTHOG.format(**filled)},
        {"name": "Snowplow", "code": _SNOWPLOW.format(**filled)},
    ]


def _told(workspace: Workspace, asker: Asker, source: Source) -> dict[str, Any]:
    """Return whether an event of a source has come, and if not, why it does not show."""
    view = workspace.view(Question(asker=asker, environment=source.environment))
    seen = queries.last_event(view, source.name)
    if seen is not None:
        time, event = seen
        when = f"{wording.day(time, view.zone)}, {wording.clock(time, view.zone)}"
        return {
            "connected": True,
            "answer": [better("Connected"), f": {event} came in, {when}."],
            "lead": "Every event shows on the pages within a second.",
        }
    waits = [each for each in queries.reasons(view) if each.source == source.name]
    if waits:
        return {
            "connected": False,
            "answer": [watch("An event came, but it waits"), "."],
            "lead": coded(f"{waits[0].reason} {queries.mend_of(waits[0].reason)}"),
        }
    if view.left_out(view.now - DAY, view.now + DAY):
        return {
            "connected": False,
            "answer": [watch("Events came without consent"), "."],
            "lead": coded(
                "They are kept as nobody's and left out of figures. Send `context.consent` with "
                f"`analytics: true`, or choose another basis than {source.basis} in Settings."
            ),
        }
    return {
        "connected": False,
        "answer": ["No event has come yet."],
        "lead": "Run one of these; this page hears of the first event by itself.",
    }

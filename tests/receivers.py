"""A house with people who agreed to things, and receivers that note what they get."""

import json
import threading
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook

from onefold.collect import sources
from onefold.model.ids import identifier_key
from onefold.model.records import OWNER
from onefold.model.time import now
from onefold.runtime.leaving import house_of
from onefold.sharing import Destination, destinations, runs
from worlds import IDENTITY_KEY, World, iso

ALL = {"analytics": True, "advertising": True, "personalization": True, "sharing": True}


def event(name, message_id, user, at=0.0, *, agreed=ALL, **properties):
    """Return a track call of a person who agreed to something."""
    return {
        "type": "track",
        "event": name,
        "messageId": message_id,
        "userId": user,
        "timestamp": iso(at),
        "properties": properties,
        "context": {"consent": {"categoryPreferences": agreed}},
    }


def identify(user, message_id, *, agreed=ALL, **traits):
    """Return an identify call of a person who agreed to something."""
    return {
        "type": "identify",
        "messageId": message_id,
        "userId": user,
        "timestamp": iso(0),
        "traits": traits,
        "context": {"consent": {"categoryPreferences": agreed}},
    }


def key_of(user):
    return identifier_key(bytes.fromhex(IDENTITY_KEY), "user_id", user)


@dataclass
class House:
    """A world whose first source is in the EU, and who of it withdrew."""

    world: World
    withdrawn: set = field(default_factory=set)

    @classmethod
    def make(cls, folder):
        world = World(folder / "w")
        # A receiver looks whether a signature is fresh by its own clock.
        world.clock.now = now()
        sources.set_source(world.workspace.state, OWNER, "app", region="eu")
        return cls(world)

    @property
    def state(self):
        return self.world.workspace.state

    def view(self, question):
        """Return the View as it is once some have withdrawn."""
        found = self.world.workspace.view(question)
        gone = sorted(key_of(user) for user in self.withdrawn)
        if not gone:
            return found
        events, of_persons = found.events, found.person_events
        return replace(
            found,
            events=events.filter(~events.identifier.isin(gone)),
            person_events=of_persons.filter(~of_persons.identifier.isin(gone)),
        )

    def house(self):
        self.world.fold()
        return replace(house_of(self.world.workspace), view=self.view)

    def add(self, name, kind, **given):
        settings = given.pop("settings", {})
        fields = {"purpose": "sharing", "region": "eu", "basis": "contract 1"} | given
        one = Destination(name=name, kind=kind, settings=settings, **fields)
        return destinations.add_destination(self.state, OWNER, one)

    def run(self, name, **more):
        return runs.run(self.house(), name, **more)

    def standing(self, name):
        return destinations.destination_named(self.state, name)


class Receiver:
    """A webhook's other end: it checks signatures and puts and drops as it is told."""

    def __init__(self):
        self.secret = ""
        self.answers = []
        self.location = ""
        self.messages = []
        self.headers = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                status = outer.answers.pop(0) if outer.answers else 204
                if status < 300:
                    outer.take(dict(self.headers), body)
                self.send_response(status)
                if outer.location:
                    self.send_header("location", outer.location)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/hook"

    def take(self, headers, body):
        headers = {name.lower(): value for name, value in headers.items()}
        self.headers.append(headers)
        self.messages.append(json.loads(body))
        self.checked = Webhook(self.secret).verify(body, headers)

    def held(self):
        """Return message id -> event, as who puts by id and drops by subject holds them."""
        rows = {}
        for message in self.messages:
            for row in message["data"].get("events", ()):
                rows[row["message_id"]] = row
            gone = set(message["data"].get("subjects", ()))
            rows = {key: row for key, row in rows.items() if row["subject"] not in gone}
        return rows

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

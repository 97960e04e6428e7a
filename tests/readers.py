"""Somebody signed in who looks at pages of a throwaway workspace."""

import asyncio

import httpx

from onefold.governance import add_user, people
from onefold.model.records import OWNER
from onefold.web.app import make_app

COOKIE = "onefold_visit"


class Reader:
    """Somebody signed in who looks at pages."""

    def __init__(self, world, role):
        state, now = world.workspace.state, world.clock()
        add_user(state, role.title(), role, asker=OWNER, now=now)
        link = people.sign_in_link(state, role.title(), asker=OWNER, now=now)
        self.token = people.open_link(state, link.rpartition("/")[2], now=now)
        self._app = make_app(world.workspace)

    def get(self, path):
        async def asked():
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://here:8500"
            ) as client:
                client.cookies.set(COOKIE, self.token)
                return await client.get(path)

        return asyncio.run(asked())

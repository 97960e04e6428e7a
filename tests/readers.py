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
        # Every workspace has an owner of that name.
        name = role if role == "owner" else role.title()
        if name != role:
            add_user(state, name, role, asker=OWNER, now=now)
        link = people.sign_in_link(state, name, asker=OWNER, now=now)
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

    def post(self, path, form, *, from_page):
        """Send a form with the token that a page carries; errors stand as answers."""
        token = self.get(from_page).text.partition('name="csrf" value="')[2].partition('"')[0]

        async def pressed():
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://here:8500"
            ) as client:
                client.cookies.set(COOKIE, self.token)
                return await client.post(path, data={"csrf": token, **form})

        return asyncio.run(pressed())

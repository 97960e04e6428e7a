"""How far the facts are: what the door asks the house for `/health/ready`."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from onefold.web.health import FACTS


async def facts(request: Request) -> Response:
    """Tell the last log offset that the facts hold."""
    workspace = request.app.state.workspace
    told = {
        "facts_offset": workspace.facts_offset,
        "rebuilding": workspace.rebuilding,
        "trouble": workspace.trouble,
    }
    return JSONResponse(told)


routes = [Route(FACTS, facts, name="facts")]
"""Joined to the application by `web.app`."""

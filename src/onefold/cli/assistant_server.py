"""The server that an assistant speaks to: tools by the Model Context Protocol over a pipe."""

import json
from contextlib import suppress
from functools import partial
from typing import Any

import anyio
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ContentBlock,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
    ToolAnnotations,
)

from onefold import __version__
from onefold.cli import assistant_tools
from onefold.cli.options import Terms
from onefold.cli.reach import ask, is_served
from onefold.model.errors import OnefoldError, did_you_mean
from onefold.model.ids import new_secret


def serve(given: Terms) -> None:
    """Answer an assistant under some terms until its input ends."""
    anyio.run(_serve, given)


async def _serve(given: Terms) -> None:
    # One at a time: where no house serves the workspace, each call opens it for itself.
    gate = anyio.CapacityLimiter(1)
    server: Server[Any] = Server(
        "onefold",
        version=__version__,
        title="Onefold",
        instructions=assistant_tools.INSTRUCTIONS,
        on_list_tools=partial(_listed, given, gate),
        on_call_tool=partial(_called, given, gate),
    )
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


async def _listed(
    given: Terms,
    gate: anyio.CapacityLimiter,
    _: ServerRequestContext[Any],
    __: PaginatedRequestParams | None,
) -> ListToolsResult:
    found = await anyio.to_thread.run_sync(assistant_tools.offered, given, limiter=gate)
    return ListToolsResult(tools=list(map(_described, found)))


def _described(tool: assistant_tools.Tool) -> Tool:
    hints = ToolAnnotations(
        read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
    )
    return Tool(
        name=tool.name,
        description=tool.about,
        input_schema=tool.schema(),
        annotations=hints,
    )


async def _called(
    given: Terms,
    gate: anyio.CapacityLimiter,
    _: ServerRequestContext[Any],
    params: CallToolRequestParams,
) -> CallToolResult:
    tools = assistant_tools.TOOLS
    if params.name not in tools:
        near = did_you_mean(params.name, tools)
        raise MCPError(INVALID_PARAMS, f"No tool `{params.name}`.{near}")
    tool, taken = tools[params.name], dict(params.arguments or {})
    if refused := tool.hidden & taken.keys():
        return _failed(f"`{tool.name}` takes no `{', '.join(sorted(refused))}`.", "Leave it out.")
    name = new_secret("mcp_") if "name" in tool.hidden else ""
    asked = taken | ({"name": name} if name else {})
    try:
        said, body = await anyio.to_thread.run_sync(
            assistant_tools.answered, given, tool, asked, limiter=gate, abandon_on_cancel=True
        )
    except OnefoldError as error:
        return _failed(error.message, error.fix)
    except anyio.get_cancelled_exc_class():
        if name:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(_cancel, given, name)
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the assistant has to hear of it
        return _failed(f"The machine failed: {type(error).__name__}.", "Run `onefold doctor`.")
    told = _texts(said, json.dumps(body, ensure_ascii=False))
    return CallToolResult(content=told, structured_content={"terms": said, **body})


def _failed(message: str, fix: str) -> CallToolResult:
    return CallToolResult(content=_texts(f"{message} {fix}".strip()), is_error=True)


def _texts(*texts: str) -> list[ContentBlock]:
    return [TextContent(type="text", text=text) for text in texts]


def _cancel(given: Terms, name: str) -> None:
    """End a question that a house answers; by itself it ends at its limit of time."""
    with suppress(OnefoldError):
        if is_served(given.folder):
            ask(given, "sql cancel", {"name": name})

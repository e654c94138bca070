"""The tools over HTTP: an ASGI application that speaks MCP by its own SDK, in the version that a client asks for.

Knows no page and no key: whoever mounts it decides who gets here. A run ends when the request that waits for it does:
the SDK lets it go on, and nobody could read it then.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.types import Receive, Scope, Send

from playground import visitor
from playground.mcp_server import mcp_texts as said
from playground.mcp_server.arguments import Arguments, language_of, near
from playground.mcp_server.calls import Call, Calls
from playground.mcp_server.runner import Runner
from playground.mcp_server.tools import Tool, all_tools
from playground.types import PlaygroundError, Text
from playground.visitor import Visitor

NAME = "playground"
_GONE, _VISITOR = "playground.gone", "playground.visitor"  # in a request's scope
_SESSIONS = 256  # of clients that speak a version with sessions; each costs a task and some kilobytes
_IDLE = 600.0  # seconds after which such a session is given up
log = logging.getLogger(__name__)


class McpServer:
    """One server's MCP. `most_body` in bytes."""

    def __init__(self, runner: Runner, most_body: int) -> None:
        self._tools: Mapping[str, Tool] = all_tools()
        self._calls = Calls(runner)
        self._open = 0
        server: Server[Any] = Server(
            NAME,
            title="Playground",
            instructions=said.INSTRUCTIONS,
            get_tool_input_schema=lambda name: self._tools[name].takes if name in self._tools else None,
            on_list_tools=self._list,
            on_call_tool=self._call,
        )
        self._manager = StreamableHTTPSessionManager(
            server, session_idle_timeout=_IDLE, max_request_body_size=most_body, max_sessions=_SESSIONS
        )

    @property
    def busy(self) -> bool:
        """Whether a call is being answered."""
        return self._open > 0

    def running(self) -> AbstractAsyncContextManager[None]:
        """Must be open while requests are answered, once for a server."""
        return self._manager.run()

    async def answer(self, scope: Scope, receive: Receive, send: Send, asks: Visitor) -> None:
        """Answers one HTTP request of this visitor."""
        gone = threading.Event()
        try:
            await self._manager.handle_request({**scope, _GONE: gone, _VISITOR: asks}, receive, send)
        finally:
            gone.set()

    async def _list(self, _: Any, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_described(tool) for tool in self._tools.values()])

    async def _call(self, context: Any, asked: types.CallToolRequestParams) -> types.CallToolResult:
        given = asked.arguments or {}
        scope = context.request.scope
        visitor.answer_to(scope[_VISITOR])
        gone: threading.Event = scope[_GONE]
        self._open += 1
        try:
            tool = self._tools.get(asked.name)
            if tool is None:
                name = asked.name[:60]
                raise PlaygroundError(said.NO_TOOL.filled(name=repr(name)), near(name, self._tools))
            arguments = Arguments(tool.name, given, tool.takes["properties"])
            call = Call(arguments, gone, context.session.report_progress)
            return _result(await self._calls.by_name[tool.name](call))
        except PlaygroundError as error:
            return _failed(Text(error.say("en"), error.say("zh")), given)
        except Exception:  # the last edge before the client: the terminal gets the traceback, the client a sentence
            log.exception("A tool failed")
            return _failed(said.FAILED, given)
        finally:
            gone.set()
            self._open -= 1


def _described(tool: Tool) -> types.Tool:
    hints = types.ToolAnnotations(read_only_hint=True, idempotent_hint=not tool.writes, open_world_hint=False)
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.takes,
        output_schema=tool.gives,
        annotations=hints,
    )


def _result(value: dict[str, Any]) -> types.CallToolResult:
    """As data, and as JSON text for clients that read no data."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)], structured_content=value)


def _failed(error: Text, given: Mapping[str, Any]) -> types.CallToolResult:
    said_of_it = error.say(language_of(given))
    return types.CallToolResult(content=[types.TextContent(type="text", text=said_of_it)], is_error=True)

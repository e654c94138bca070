"""What an event's handler raises, as the page and gradio_client show it: one sentence, and no traceback of Gradio's.

Knows no handler. An error of ours goes on as it is said; anything else is logged, once a kind.
"""

from __future__ import annotations

import logging
from typing import Any

import gradio as gr

from playground import visitor
from playground.machine import disk
from playground.types import PlaygroundError
from playground.ui.error_log import is_ours
from playground.ui.page_texts import UNEXPECTED
from playground.ui.server_responses import language_of
from playground.ui.server_texts import BAD_REQUEST
from playground.visitor import Visitor, address_of

log = logging.getLogger(__name__)


class TellingBlocks(gr.Blocks):
    """gr.Blocks whose events know their visitor, and tell him in one sentence whatever goes wrong."""

    async def process_api(self, *given: Any, request: Any = None, **named: Any) -> Any:
        visitor.answer_to(_visitor_of(request))
        try:
            return await super().process_api(*given, request=request, **named)
        except Exception as error:
            raise shown(error, request) from error


def _visitor_of(request: Any) -> Visitor:
    client, session = getattr(request, "client", None), getattr(request, "session_hash", None)
    return Visitor(str(session or ""), address_of(getattr(client, "host", None)))


def shown(error: Exception, request: Any) -> gr.Error:
    """The error for the sender of this request, in the language of the browser."""
    if isinstance(error, gr.Error) and not error.print_exception:
        return error  # one of ours: Gradio prints its own
    shown_error = error if isinstance(error, PlaygroundError) else _unexpected(error)
    headers = getattr(request, "headers", None)
    language = language_of(headers) if headers is not None else "en"
    return gr.Error(shown_error.say(language), print_exception=False)


def _unexpected(error: Exception) -> PlaygroundError:
    ours = is_ours(error.__traceback__)
    log.error("A handler failed" if ours else "An event could not be read", exc_info=error)
    if disk.is_full(error):
        return disk.DiskError(error)
    return PlaygroundError(UNEXPECTED if ours else BAD_REQUEST)

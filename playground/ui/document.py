"""Gradio's document made ours: with our head in front of its script, and without what it has for its own site.

Knows no element. What else is worked around, gradio_workarounds.py lists.
"""

from __future__ import annotations

import re

_FIRST_MODULE = b'<script type="module"'  # Gradio's own
_IN_A_FRAME = b"iframeResizer.contentWindow"  # a script that only Hugging Face's frames speak to
# What stands for Gradio in other sites' previews, and an address that the server does not have.
_FOR_OTHERS = re.compile(rb'\s*<(?:meta\s+(?:property="og:|name="twitter:)|link rel="manifest")[^>]*>')


def ours(page: bytes, head: bytes) -> bytes:
    """The page with this in its head, before all scripts that are modules."""
    before, mark, behind = _without_frame_script(page).partition(_FIRST_MODULE)
    if not mark:
        raise RuntimeError("Gradio's page has no module script any more.")
    return b"".join((_FOR_OTHERS.sub(b"", before), head, b"\n\t\t", mark, behind))


def _without_frame_script(page: bytes) -> bytes:
    at = page.find(_IN_A_FRAME)
    if at < 0:
        return page
    begins, ends = page.rindex(b"<script", 0, at), page.index(b"</script>", at) + len(b"</script>")
    return page[:begins].rstrip() + page[ends:]

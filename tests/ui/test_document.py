"""What a browser gets of the page itself: Gradio's document without what is Gradio's, and none of it twice."""

from __future__ import annotations

import re

import pytest

from playground.ui import document
from tests.ui.test_routes import asked

GRADIOS = b"""<head>
		<meta charset="utf-8" />
		<meta property="og:title" content="Gradio" />
		<meta
			name="twitter:description"
			content=""
		/>
		<script>window.gradio_config = {"say": "<meta property=\\"og:title\\" \\u003cscript"};</script>
		<script>
			script.src = `/static/js/iframeResizer.contentWindow.min.js`;
		</script>
		<link rel="manifest" href="/manifest.json" />
		<script type="module" crossorigin src="./assets/index.js"></script>
		<meta property="og:kept" content="behind the head" />
"""


def test_the_document_has_our_head_and_nothing_that_is_gradios_alone() -> None:
    page = document.ours(GRADIOS, b"<ours>").decode()
    assert page.index("window.gradio_config") < page.index("<ours>") < page.index('<script type="module"')
    assert not re.search(r'<meta\s+(property="og:title" content="G|name="twitter)|iframeResizer|manifest', page)
    assert 'say": "<meta property=\\"og:title\\" \\u003cscript"};</script>' in page and 'charset="utf-8"' in page
    assert document.ours(b'<script type="module">', b"").endswith(b'<script type="module">')
    with pytest.raises(RuntimeError, match="no module script"):
        document.ours(b"<html>", b"")


def test_the_served_document_names_gradio_to_nobody(scripted: str) -> None:
    _, page, _ = asked(scripted, "GET", "/")
    head = page.partition("<script>window.gradio_config")[0] + page.rpartition("</script>\n\t\t<script type=")[2]
    assert "gradio.app" not in head and "@Gradio" not in head and "og:" not in head
    assert "iframeResizer.contentWindow" not in page and page.count("<script") == page.count("</script>")


@pytest.mark.parametrize("path", ["/", "/config"])
def test_what_a_browser_has_is_not_sent_again(scripted: str, path: str) -> None:
    status, page, headers = asked(scripted, "GET", path)
    tag = headers["etag"]
    assert status == 200 and headers["cache-control"] == "no-cache" and headers["vary"] == "Accept-Encoding"
    for known in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        for method in ("GET", "HEAD"):
            status, text, again = asked(scripted, method, path, If_None_Match=known, Accept_Encoding="gzip")
            assert (status, text) == (304, "") and again["etag"] == tag and again["cache-control"] == "no-cache"
            assert "content-encoding" not in again
    assert asked(scripted, "GET", path, If_None_Match='"other"')[:2] == (200, page)
    elsewhere = asked(scripted, "GET", path, If_None_Match=tag, X_Forwarded_Proto="https")
    assert elsewhere[0] == 200 and elsewhere[2]["etag"] != tag, "its texts name another origin"


def test_the_theme_that_the_page_names_is_kept_for_good_and_no_other(scripted: str) -> None:
    _, config, _ = asked(scripted, "GET", "/config")
    named = re.search(r'"theme_hash": ?"(\w+)"', config)
    assert named is not None
    status, css, headers = asked(scripted, "GET", f"/theme.css?v={named[1]}")
    assert status == 200 and headers["content-type"].startswith("text/css") and "--pg-" in css
    assert "immutable" in headers["cache-control"]
    for query in ("", "?v=", "?v=0123", f"?v={named[1]}&x"):
        assert asked(scripted, "GET", f"/theme.css{query}")[2]["cache-control"] == "no-cache"

"""What the page says once its server is gone, and once it is back, in both languages, under one key each."""

from __future__ import annotations

from collections.abc import Mapping

from playground.types import Text

CONNECTION_TEXTS: Mapping[str, Text] = {
    # Instead of the page's own news
    "connection_gone": Text(
        "The server is gone. Everything on this page is kept, and the page goes on by itself once the server is back.",
        "与服务器的连接已断开。本页的内容都会保留；连接恢复后，页面会自动继续。",
    ),
    "connection_login": Text(
        "The server is back and asks for its password again. Everything on this page is kept.",
        "服务器已恢复，需要重新输入密码。本页的内容都会保留。",
    ),
    "connection_other": Text(
        "The server is back with another version of this page. Reload it to go on; what you have typed here is kept.",
        "服务器已恢复，但页面版本已更新。请重新加载后继续；你在这里输入的内容会保留。",
    ),
    "connection_back": Text("The server is back.", "服务器已恢复。"),
    "connection_restarted": Text(
        "The server is back. It has been restarted, so the tokens of earlier texts cannot be looked into any more.",
        "服务器已恢复。它重新启动过，因此之前各篇文本的词元无法再查看。",
    ),
    "log_in_again": Text("Log in", "登录"),
    "reload": Text("Reload", "重新加载"),
    # Beside Generate and Stop
    "gone_wait": Text(
        "The server is gone. Generate and Stop wait until it is back.", "服务器已断开，恢复之前无法生成或停止。"
    ),
    "login_wait": Text("Log in again to generate.", "请重新登录后再生成。"),
    "other_wait": Text("Reload the page to generate.", "请重新加载页面后再生成。"),
    "run_cut_off": Text(
        "The run was cut off; its text up to there is kept. Generate again for a whole one.",
        "生成被中断，此前的文字已保留。要得到完整的文本，请重新生成。",
    ),
    # On a card
    "finish_gone": Text("the server is gone; the text up to here is kept", "服务器已断开；此前的文字已保留"),
    "finish_cut_off": Text(
        "cut off as the server went; the text up to here is kept", "因服务器断开而中断；此前的文字已保留"
    ),
}

"""What the server says of a request that does not reach the page, and of its own end. Knows no route."""

from __future__ import annotations

from playground.types import Text

HOST_REFUSED = Text(
    "This server does not answer to the name {host}; its owner can allow it with --allowed-host {host}.",
    "此服务器不接受主机名 {host}；运行它的人可以用 --allowed-host {host} 放行。",
)
ORIGIN_REFUSED = Text(
    "A page of {origin} may not use this server; its owner can allow its name with --allowed-host.",
    "来自 {origin} 的页面不能使用此服务器；运行它的人可以用 --allowed-host 放行该名称。",
)
OTHER_SITE = Text("Another site may not do this here.", "其他网站不能在这里这样做。")
NO_SUCH_PAGE = Text("There is nothing here.", "这里什么也没有。")
NO_LENGTH = Text("Say how long the request is (Content-Length).", "请求须注明长度（Content-Length）。")
TOO_LONG = Text("The request has {size} bytes; at most {most} are taken.", "请求有 {size} 字节，最多接受 {most} 字节。")
TOO_MANY_VALUES = Text(
    "The request holds too many values, or too many lists within lists; at most {most} values are taken.",
    "请求中的值过多，或列表嵌套过深；最多接受 {most} 个值。",
)
TOO_SLOW = Text("The request came too slowly. Please send it again.", "请求传输过慢，请重新发送。")
BODIES_OF_ADDRESS = Text(
    "Too many long requests come from your address at once. Please try again.", "您的地址同时发来的长请求过多，请重试。"
)
BODIES_IN_ALL = Text("Too many long requests come at once. Please try again.", "同时收到的长请求过多，请重试。")
STOPPING = Text("The server is being stopped; the text ends here.", "服务器正在停止，文本到此为止。")
STOPPED = Text("The server is being stopped. Nothing new begins.", "服务器正在停止，不再开始新的任务。")
MCP_OFF = Text(
    "MCP is off on this page; its owner can turn it on with --mcp and --api-key-file.",
    "本页未开启 MCP；运行它的人可以用 --mcp 和 --api-key-file 开启。",
)
MCP_KEY = Text(
    "This needs a key of this server: send it as Authorization: Bearer KEY.",
    "此处需要本服务器的密钥：请以 Authorization: Bearer 密钥 的形式发送。",
)
BAD_REQUEST = Text("This request cannot be read.", "无法读取此请求。")

LOG_IN = Text("Log in", "登录")
USER = Text("User name", "用户名")
PASSWORD = Text("Password", "密码")
NOT_LOGGED_IN = Text("Please log in first.", "请先登录。")
WRONG = Text("The user name or the password is wrong.", "用户名或密码不正确。")
TOO_MANY_GUESSES = Text(
    "Too many wrong passwords. Try again in {seconds} s.", "密码错误次数过多，请在 {seconds} 秒后再试。"
)

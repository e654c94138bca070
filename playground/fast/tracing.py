"""torch's tracer, kept to the thread that traces.

While torch traces, as each compilation does for a moment, it stands in for the call of every module in the program, and
refuses those it does not know: a model that runs in another thread would fail. Knows no model.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from torch.fx import Tracer

_THREAD = "_playground_thread"


def confine() -> None:
    """From now on, modules that another thread calls are called as if nobody traced. More than once is once."""
    if not hasattr(Tracer.call_module, _THREAD):
        Tracer.trace = _remembering(Tracer.trace)  # type: ignore[method-assign]
        Tracer.call_module = _own_only(Tracer.call_module)  # type: ignore[method-assign]


def _remembering(trace: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(trace)
    def traced(self: Tracer, *args: Any, **kwargs: Any) -> Any:
        self.__dict__[_THREAD] = threading.get_ident()
        return trace(self, *args, **kwargs)

    return traced


def _own_only(call_module: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call_module)
    def called(self: Tracer, module: Any, forward: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        if self.__dict__.get(_THREAD, threading.get_ident()) != threading.get_ident():
            return forward(*args, **kwargs)
        return call_module(self, module, forward, args, kwargs)

    setattr(called, _THREAD, True)
    return called

"""What model authors write against: the base class, and the call that is being answered right now.

Folders import it as ``clarifai.runners.models.model_class``, see ``aliases``.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any, TypeVar

from playground.protocol.errors import PlaygroundError
from playground.protocol.signatures import unwrap_params

__all__ = ["Call", "ModelClass", "current_call"]

Function = TypeVar("Function", bound=Callable[..., Any])


class Call:
    """One answer in the making: its token counts, whether it still has a reader, and why it ended, if it failed.
    Of a stream also how many inputs the model has taken, so that each output can say which was the last.

    Belongs to one request, so counts cannot leak into another. ``end`` is called on the event loop; what must wake up
    then is told through ``on_end``.
    """

    __slots__ = ("call_id", "failure", "is_ended", "is_owner", "on_end", "taken", "takes_joined", "tokens", "work")

    def __init__(self, call_id: str = "", *, is_owner: bool = False, takes_joined: bool = False) -> None:
        self.call_id = call_id
        self.is_owner = is_owner
        self.takes_joined = takes_joined
        self.tokens: tuple[int, int, int] | None = None
        self.taken = 0
        self.is_ended = False
        self.failure: PlaygroundError | None = None
        self.on_end: Callable[[], None] | None = None
        self.work: set[object] = set()  # what the model's threads still do for it, also once it has ended

    def end(self, failure: PlaygroundError | None = None) -> None:
        """Nobody reads on from here; the first reason given stands."""
        if self.is_ended:
            return
        self.failure = failure
        self.is_ended = True
        if self.on_end is not None:
            self.on_end()


current_call: contextvars.ContextVar[Call | None] = contextvars.ContextVar("current_call", default=None)


class ModelClass:
    """Base of all models: plain typed methods marked with ``@ModelClass.method``, whose return type decides how they
    are called.

        class Greeter(ModelClass):
            @ModelClass.method
            def predict(self, name: str) -> str:
                return f"Hello, {name}"
    """

    @staticmethod
    def method(function: Function) -> Function:
        """Mark a method as one that callers may use."""
        unwrap_params(function)
        function._is_model_method = True  # type: ignore[attr-defined]
        return function

    def load_model(self) -> Any:
        """Called once, before the first request; an exception here stops the runner."""

    def set_output_context(
        self,
        prompt_tokens: int | None = None,
        completion_tokens: int | None = None,
        cached_tokens: int | None = None,
    ) -> None:
        """Token counts of the one output that is returned or yielded next."""
        call = current_call.get()
        if call is not None:
            call.tokens = (prompt_tokens or 0, completion_tokens or 0, cached_tokens or 0)

    def is_cancelled(self) -> bool:
        """Whether the caller has gone, so that a long computation can stop early. Ask in the method's own thread."""
        call = current_call.get()
        return call is not None and call.is_ended

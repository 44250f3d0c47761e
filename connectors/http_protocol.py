"""Reads responses off the wire, within bounds that aiohttp does not set: what a server sends cannot keep the loop busy.

The bounds are on what is no content: informational responses, framing, bytes that nobody asked for. Content is bounded
by whoever reads it.
"""

from typing import Any, Final

from aiohttp.client_proto import ResponseHandler
from aiohttp.helpers import _EXC_SENTINEL as _NO_CAUSE
from aiohttp.http_exceptions import HttpProcessingError

from connectors.http_errors import BrokenResponseError
from records import CUT_MARGIN_BYTES, KEPT_BODY_BYTES

_MOST_BYTES: Final = 8 * (KEPT_BODY_BYTES + CUT_MARGIN_BYTES)
"""Of a response until as much of its body is read as is kept: chunks of one byte each fit, six bytes on the wire."""
_MOST_INFORMATIONAL: Final = 100
"""1xx responses before the one that counts; a server that says every 100 ms that it is at work has 10 s."""
_SLICE_BYTES: Final = 4096
"""Parsed at once before the head is complete: some 250 of the shortest responses, 3 ms."""
_SWITCHING_PROTOCOLS: Final = 101


# The parent's methods, as they are called for every response.
_set_response_params: Final = ResponseHandler.set_response_params
_data_received: Final = ResponseHandler.data_received
_feed_data: Final = ResponseHandler.feed_data


class BoundedHandler(ResponseHandler):
    """One connection. See the module."""

    _received = 0
    _informational = 0
    _begun = False
    """Whether the head of the response that counts is there."""
    _first = b""

    def set_response_params(self, **params: Any) -> None:
        """Called before each request goes out."""
        self._received = 0
        self._informational = 0
        self._begun = False
        _set_response_params(self, **params)

    def data_received(self, data: bytes) -> None:
        """Whatever came in one piece; the first branches are those of a whole small response."""
        size = len(data)
        if not self._received and size <= _SLICE_BYTES:
            if size:
                self._received = size
                self._first = data
            _data_received(self, data)
            if self._exception is not None:
                self._tell_reader()
        elif not size:
            # Nothing has come: aiohttp goes on with what it had put back.
            _data_received(self, data)
        else:
            if not self._received:
                self._first = data
            self._received += size
            self._take_slices(data, size)

    def feed_data(self, data: Any, size: int = 0) -> None:
        """The head of a response is complete."""
        status: int = data[0].code
        if status >= 200 or status == _SWITCHING_PROTOCOLS:
            self._begun = True
            _feed_data(self, data, size)
            return
        self._informational += 1
        if self._informational <= _MOST_INFORMATIONAL:
            _feed_data(self, data, size)
        elif self._exception is None:
            self._give_up(f"sends informational responses (1xx) without end, more than {_MOST_INFORMATIONAL}")

    def _take_slices(self, data: bytes, size: int) -> None:
        start = 0
        while start < size and self._exception is None:
            end = size if self._begun else start + _SLICE_BYTES
            self._take(data if end - start >= size else data[start:end])
            start = end

    def _take(self, data: bytes) -> None:
        if self._begun and (self._payload is None or self._payload.is_eof()):
            # Behind the end of a response: it must not be taken for the answer to the next request.
            if self.transport is not None and not self.upgraded:
                self.transport.abort()
        elif self._received > _MOST_BYTES:
            self._give_up("sends bytes without end that are no content")
        else:
            _data_received(self, data)
            if self._exception is not None:
                self._tell_reader()

    def set_exception(self, exc: BaseException, exc_cause: BaseException = _NO_CAUSE) -> None:
        """What went wrong, told more exactly where the parser has found it."""
        if isinstance(exc, HttpProcessingError) and (reason := self._broken_rule(exc.message)):
            exc = BrokenResponseError(reason)
        super().set_exception(exc, exc_cause)

    def _broken_rule(self, message: str) -> str | None:
        """What the parser's message means; None for what is no response at all, or has a head that is too long."""
        if "more than" in message or "Too many" in message or not self._first.startswith(b"HTTP/"):
            return None
        if "Bad status line" in message:
            # If it is missed: the response began with one, so this is about what stands behind its end.
            return "sends more bytes than its headers announce" if "Expected HTTP/" in message else None
        # The parser's first words: what stands behind them shows the bytes.
        return f"answers with what breaks HTTP/1.1 ({message.partition(':')[0]})"

    def _tell_reader(self) -> None:
        """Where the parser gives up aiohttp closes the connection; who waits for the rest of a body would wait on."""
        if self._payload is not None and not self._payload.is_eof() and self._exception is not None:
            self._payload.set_exception(self._exception)

    def _give_up(self, reason: str) -> None:
        error = BrokenResponseError(reason)
        self._buffer.clear()
        self.set_exception(error)
        self._tell_reader()
        if self.transport is not None:
            self.transport.abort()

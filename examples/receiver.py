"""Prints every HTTP request that arrives as one line, and answers 200. Standard library only.

python examples/receiver.py --port 8080
"""

import argparse
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """One connection. Takes every method."""

    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        """Print the request, then answer: who sees an answer also sees the line."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        sys.stdout.write(f"{self.command} {self.path} {body.decode('utf-8', 'replace')}\n")
        sys.stdout.flush()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 - the names of the base class

    def log_message(self, format: str, *args: object) -> None:
        """The line printed above is enough."""


class Server(ThreadingHTTPServer):
    """A thread per connection."""

    # Somebody who opens many connections at once must not be kept waiting for a second by a short queue.
    request_queue_size = 128


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Print every HTTP request that arrives as one line.")
    parser.add_argument("--port", type=int, default=8080, help="port on 127.0.0.1 (default: 8080, 0 takes a free one)")
    with Server(("127.0.0.1", parser.parse_args().port), Handler) as server:
        sys.stderr.write(f"listening on http://127.0.0.1:{server.server_port}, Ctrl-C ends\n")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            sys.stderr.write("ended\n")


if __name__ == "__main__":
    main()

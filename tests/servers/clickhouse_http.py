"""The program that `clickhouse.py` starts: HTTP requests to statements for the engine. It imports nothing of ours."""

import gzip
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit


def engine(packages: Path, data: Path) -> Any:
    """A connection to the engine. Its package would import what it needs for data frames; the engine alone does not."""
    spec = spec_from_file_location("_chdb", packages / "chdb" / "_chdb.abi3.so")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.connect(str(data))


class Handler(BaseHTTPRequestHandler):
    """A statement is in `query`, in the body, or begins there and goes on here; other parameters are settings."""

    engine: Any

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        settings = dict(parse_qsl(urlsplit(self.path).query))
        parts = [part for part in (settings.pop("query", ""), body.decode()) if part]
        database = settings.pop("database", "default")
        try:
            self.engine.query(f"USE `{database}`", "JSONEachRow")
            for name, value in settings.items():
                self.engine.query(f"SET {name} = '{value}'", "JSONEachRow")
            found = self.engine.query("\n".join(parts), "JSONEachRow")
        except RuntimeError as refused:
            self._answer(400, str(refused).encode())
            return
        self._answer(200, found.bytes())

    def log_message(self, format: str, *args: object) -> None:
        """Not at all."""

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    Handler.engine = engine(Path(sys.argv[1]), Path(sys.argv[2]))
    HTTPServer(("127.0.0.1", int(sys.argv[3])), Handler).serve_forever()

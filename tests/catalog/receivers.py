"""AWS on loopback: moto, behind a certificate for the names that the services have, and a proxy that leads them there.

Moto checks signatures and policies while a destination sends; what reads back is boto3.
"""

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import boto3  # type: ignore[import-untyped]
from botocore.auth import S3SigV4Auth, SigV4Auth  # type: ignore[import-untyped]
from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.credentials import Credentials  # type: ignore[import-untyped]
from moto.core.authorization import enable_iam_authentication
from moto.core.config import default_user_config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from cli.template_case import destination_of
from connectors.http import HttpTransport
from records import Outcome
from tests.catalog.road import Everywhere, carried
from tests.catalog.sent import TEMPLATES, cases_of
from tests.connectors.certificates import authority, signed
from tests.connectors.sending import LOOPBACK, running
from tests.proxy import TunnelProxy

REGION = "us-east-1"
ACCOUNT = "123456789012"


class Keys(NamedTuple):
    """An access key of a user."""

    id: str
    secret: str


class Sent(NamedTuple):
    """A request as the server got it."""

    method: str
    url: str
    headers: dict[str, str]
    """Their names in small letters."""
    body: bytes

    def is_signed_with(self, secret: str) -> bool:
        """Whether botocore makes the same signature of it."""
        algorithm, _, rest = self.headers["authorization"].partition(" ")
        said = dict(part.split("=", 1) for part in rest.split(", "))
        key, _, region, service, _ = said["Credential"].split("/")
        headers = {name: self.headers[name] for name in said["SignedHeaders"].split(";")}
        request = AWSRequest(self.method, self.url, headers, self.body)
        request.context["timestamp"] = headers["x-amz-date"]
        kind = S3SigV4Auth if service == "s3" else SigV4Auth
        auth = kind(Credentials(key, secret), service, region)
        made = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
        # botocore believes this header, which the signature covers in place of the body.
        hashed = headers.get("x-amz-content-sha256", sha256(self.body).hexdigest())
        wanted = ("AWS4-HMAC-SHA256", made, sha256(self.body).hexdigest())
        return (algorithm, said["Signature"], hashed) == wanted


class Aws:
    """Moto, and a transport that takes it for AWS."""

    def __init__(self, transport: HttpTransport, delivery: dict[str, Any], port: int, sent: list[Sent]) -> None:
        self._transport = transport
        self._delivery = delivery
        self._url = f"https://127.0.0.1:{port}"
        self._sent = sent
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """Of boto3, for somebody who may do everything."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                region_name=REGION,
                endpoint_url=self._url,
                verify=self._delivery["ca"],
                aws_access_key_id="READER",
                aws_secret_access_key="reader",
                config=Config(proxies={}, s3={"addressing_style": "path"}),
            )
        return self._clients[service]

    def user(self, name: str, action: str) -> Keys:
        """The key of a new user who is allowed this and nothing else."""
        iam = self.client("iam")
        statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Keys(key["AccessKeyId"], key["SecretAccessKey"])

    def send(
        self, slug: str, inputs: Mapping[str, Any], events: Sequence[dict[str, Any]], checks: bool = True
    ) -> tuple[list[Outcome], list[Sent]]:
        """What becomes of the events in a new destination from the template, and the requests that it made.

        Each event has a person with an e-mail address. `checks` says whether moto looks at signatures and policies.
        """
        cases = cases_of(inputs, events)
        destination = destination_of(TEMPLATES[slug], cases[0], self._delivery)
        self._sent.clear()
        if not checks:
            return carried(self._transport, destination, cases), list(self._sent)
        with enable_iam_authentication():
            return carried(self._transport, destination, cases), list(self._sent)


@contextmanager
def aws(folder: Path) -> Iterator[Aws]:
    """AWS with nothing in it. Lambda answers with what it gets, whatever the function."""
    ca = authority(folder)
    names = ("127.0.0.1", f"*.{REGION}.amazonaws.com", f"*.s3.{REGION}.amazonaws.com")
    alt = ",".join(f"{'DNS' if '*' in name else 'IP'}:{name}" for name in names)
    tls = signed(folder, "server", ca, alt=alt).server()
    sent: list[Sent] = []
    with (
        patch.dict(default_user_config, {"lambda": {"use_docker": False}}),
        _serving(DomainDispatcherApplication(create_backend_app), tls, sent) as port,
        TunnelProxy(Everywhere(port)) as proxy,
        running(HttpTransport(allow=LOOPBACK, user_agent="offramp/test")) as transport,
    ):
        delivery = {"proxy": f"http://127.0.0.1:{proxy.port}", "ca": str(ca.cert), "retries": 0}
        yield Aws(transport, delivery, port, sent)


class _Quiet(MotoRequestHandler):
    def log_request(self, *_: object) -> None:
        """Not at all."""


@contextmanager
def _serving(app: Callable[..., Any], tls: ssl.SSLContext, sent: list[Sent]) -> Iterator[int]:
    def recorded(environ: dict[str, Any], start_response: Any) -> Any:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        headers = {key[5:].replace("_", "-").lower(): environ[key] for key in environ if key.startswith("HTTP_")}
        if "CONTENT_TYPE" in environ:
            headers["content-type"] = environ["CONTENT_TYPE"]
        url = f"https://{environ['HTTP_HOST']}{environ['RAW_URI']}"
        sent.append(Sent(environ["REQUEST_METHOD"], url, headers, body))
        return app(environ, start_response)

    server = make_server("127.0.0.1", 0, recorded, True, request_handler=_Quiet, ssl_context=tls)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

"""OpenSearch with its security plugin, and Elasticsearch without, of the jars that their makers publish.

They start as their distributions do, each as one node. Elasticsearch's security is in no registry: what key a request
has is not looked at. Licences: Apache 2.0 and, of Elasticsearch, the Elastic License 2.0 or the SSPL.
"""

import json
import ssl
import urllib.request
import zipfile
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError

from tests.connectors.certificates import authority, signed
from tests.servers.components import CACHE, jars, java
from tests.servers.process import free_ports, serving

ADMIN = "admin"
PASSWORD = "Aa1-Łódź:日本"
"""Of every user of OpenSearch."""
_HASH = "$2b$04$jncwhymof5UOzgXLway6eet/VdqRxwezcHbhG1HmlZ4SRcUalh7em"
"""Bcrypt's of that, with few rounds."""
May = tuple[list[str], list[str]]
"""What a user may do: actions of the cluster, and those with every index."""
_NEWEST_JAVA = 23
"""Later ones have no security manager, without which neither starts."""
_LOGGING = """status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""
_NETTY_POLICY = """grant codeBase "${codebase.netty-common}" {
  permission java.lang.RuntimePermission "setContextClassLoader";
  permission java.lang.RuntimePermission "getClassLoader";
  permission java.net.SocketPermission "*", "accept,connect";
};
grant codeBase "${codebase.netty-transport}" {
  permission java.net.SocketPermission "*", "accept,connect";
  permission java.io.FilePermission "/proc/sys/net/core/somaxconn", "read";
};
"""
_SECURITY = """plugins.security.ssl.transport.pemcert_filepath: node.pem
plugins.security.ssl.transport.pemkey_filepath: node.key
plugins.security.ssl.transport.pemtrustedcas_filepath: authority.pem
plugins.security.ssl.http.enabled: true
plugins.security.ssl.http.pemcert_filepath: node.pem
plugins.security.ssl.http.pemkey_filepath: node.key
plugins.security.ssl.http.pemtrustedcas_filepath: authority.pem
plugins.security.allow_default_init_securityindex: true
"""


class Kind(NamedTuple):
    """Which of the two."""

    name: str
    version: str
    home: str
    """The property of Java that says where it is."""
    main: str
    artifacts: tuple[str, ...]

    def fetch(self) -> Path:
        """The folder with its jars, laid out as in its distribution."""
        java(self.name, _NEWEST_JAVA)
        folder = CACHE / self.name.lower() / self.version
        return jars(self.name, folder, [each.replace("VERSION", self.version) for each in self.artifacts], self._laid)

    def _laid(self, folder: Path) -> None:
        low = self.name.lower()
        netty, lib = folder / "modules" / "transport-netty4", folder / "lib"
        for each in (netty, lib, folder / "plugins"):
            each.mkdir(parents=True)
        for plugin in folder.glob("*.zip"):
            with zipfile.ZipFile(plugin) as packed:
                packed.extractall(folder / "plugins" / "security")
            plugin.unlink()
        for jar in folder.glob("*.jar"):
            jar.rename((netty if "netty" in jar.name else lib) / jar.name)
        (netty / "plugin-security.policy").write_text(_NETTY_POLICY)
        (netty / "plugin-descriptor.properties").write_text(
            f"name=transport-netty4\ndescription=HTTP\nversion={self.version}\n{low}.version={self.version}\n"
            f"java.version=11\nclassname=org.{low}.transport.Netty4Plugin\nhas.native.controller=false\n"
        )


OPENSEARCH = Kind(
    "OpenSearch",
    "2.19.1",
    "opensearch.path",
    "org.opensearch.bootstrap.OpenSearch",
    (
        "org.opensearch:opensearch:VERSION",
        "org.opensearch:opensearch-plugin-classloader:VERSION",
        "org.opensearch.plugin:transport-netty4-client:VERSION",
        "org.opensearch.plugin:opensearch-security:VERSION.0:zip",
        "org.apache.logging.log4j:log4j-core:2.21.0",
    ),
)
ELASTICSEARCH = Kind(
    "Elasticsearch",
    "7.17.29",
    "es.path",
    "org.elasticsearch.bootstrap.Elasticsearch",
    (
        "org.elasticsearch:elasticsearch:VERSION",
        "org.elasticsearch:elasticsearch-plugin-classloader:VERSION",
        "org.elasticsearch.plugin:transport-netty4-client:VERSION",
        "org.apache.logging.log4j:log4j-core:2.17.1",
    ),
)


class Node:
    """One that runs, and somebody who may do everything there."""

    def __init__(self, url: str, ca: Path | None) -> None:
        self.url = url
        self.ca = ca
        self._tls = ssl.create_default_context(cafile=ca) if ca else None

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The value that it answers; raises HTTPError where it refuses."""
        request = urllib.request.Request(self.url + path, method=method)
        if self.ca:
            request.add_header("Authorization", f"Basic {b64encode(f'{ADMIN}:{PASSWORD}'.encode()).decode()}")
        if body is not None:
            request.add_header("Content-Type", "application/json")
            request.data = json.dumps(body).encode()
        with urllib.request.urlopen(request, timeout=30, context=self._tls) as answer:
            return json.load(answer)

    def found(self, index: str, id: str) -> Any:
        """The document with this id; None where there is none."""
        try:
            return self.ask("GET", f"/{index}/_doc/{id}")["_source"]
        except HTTPError as error:
            if error.code != 404:
                raise
            return None

    def answers(self) -> bool:
        """Whether it has begun; the security plugin begins after the rest."""
        try:
            return bool(self.ask("GET", "/_cluster/health")["number_of_nodes"])
        except (HTTPError, HTTPException):
            return False


@contextmanager
def node(kind: Kind, folder: Path, users: Mapping[str, May]) -> Iterator[Node]:
    """A node with nothing in it; OpenSearch with TLS, by the authority that the node tells.

    `users` of OpenSearch are told apart by what they may do.
    """
    home = kind.fetch()
    low, port, transport = kind.name.lower(), *free_ports(2)
    config = folder / "config"
    config.mkdir()
    settings = (
        f"discovery.type: single-node\nnetwork.host: 127.0.0.1\nhttp.port: {port}\ntransport.port: {transport}\n"
        f"path.data: {folder / 'data'}\npath.logs: {folder / 'logs'}\n"
    )
    (config / "log4j2.properties").write_text(_LOGGING)
    samples = home / "plugins" / "security" / "config"
    ca = _secured(config, samples, users) if samples.is_dir() else None
    (config / f"{low}.yml").write_text(settings + (_SECURITY if ca else ""))
    command = [java(kind.name, _NEWEST_JAVA), "-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    # Its own classes are taken as they are: a fifth less to do until it answers.
    command += ["-XX:+UnlockDiagnosticVMOptions", "-XX:-BytecodeVerificationRemote"]
    command += ["-Djava.security.manager=allow", "-Dlog4j2.disable.jmx=true", "-Dio.netty.noUnsafe=true"]
    # Without native calls: with them it asks who runs it, and does not start for root, as which CI runs.
    command += ["-Djna.nosys=true", "-Djna.nounpack=true"]
    command += [f"-D{kind.home}.home={home}", f"-D{kind.home}.conf={config}", "-cp", f"{home / 'lib'}/*", kind.main]
    made = Node(f"{'https' if ca else 'http'}://127.0.0.1:{port}", ca)
    with serving(kind.name, command, folder, made.answers, {"LIBFFI_TMPDIR": str(folder)}):
        yield made


def _secured(config: Path, samples: Path, users: Mapping[str, May]) -> Path:
    ca = authority(config)
    signed(config, "node", ca)
    (config / "opensearch-security").mkdir()
    written: dict[str, dict[str, Any]] = {
        "internal_users": {name: {"hash": _HASH} for name in (ADMIN, *users)},
        "roles": {name: _role(*may) for name, may in users.items()},
        "roles_mapping": {"all_access": {"users": [ADMIN]}, **{name: {"users": [name]} for name in users}},
    }
    for sample in samples.glob("*.yml"):
        text = sample.read_text()
        if what := written.get(sample.stem):
            about = {"type": sample.stem.replace("_", ""), "config_version": 2}
            text = json.dumps({"_meta": about, **what})  # JSON is a part of YAML
        (config / "opensearch-security" / sample.name).write_text(text)
    return ca.cert


def _role(cluster: list[str], index: list[str]) -> dict[str, Any]:
    permissions = [{"index_patterns": ["*"], "allowed_actions": index}]
    return {"cluster_permissions": cluster, "index_permissions": permissions}

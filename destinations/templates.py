"""Compiles the texts of one destination file, and notes which secrets they use. It renders nothing."""

from collections.abc import Mapping
from typing import NamedTuple

import hog
from catalog.problem import suggestion
from catalog.yaml_file import Steps
from destinations.connections import ConnectionProblemError, ConnectionSpec, compile_connection
from destinations.errors import part_at
from destinations.liquid import LiquidError, compile_liquid
from destinations.names import IN_SETTING, IN_TEMPLATE
from destinations.report import Report
from destinations.secrets import Secrets
from destinations.url import UrlTemplate
from destinations.values import Chain, Constant, LiquidText, Template, Url, Value
from records.hidden import Connection


class Piece(NamedTuple):
    """A part of a setting's text."""

    text: str
    written: bool
    """As it stands in the file; else it is the value of an expression."""


class TextCompiler:
    """Turns texts into values. What is wrong goes to the report, and the value is then null."""

    def __init__(
        self,
        report: Report,
        secrets: Secrets,
        inputs: list[str],
        connections: Mapping[str, ConnectionSpec] | None = None,
    ) -> None:
        """`inputs` are the names that `inputs.x` may use, `connections` those that `connections.x` may."""
        self._report = report
        self._secrets = secrets
        self._inputs = inputs
        self._specs = connections or {}
        self.used_secrets: dict[str, str] = {}
        self.used_connections: dict[str, Connection] = {}
        self.masked: set[str] = set()
        """What else must not show: what settings made of secrets."""

    def knowing(self, inputs: list[str]) -> "TextCompiler":
        """One that knows other inputs, and notes what it finds here."""
        other = TextCompiler(self._report, self._secrets, inputs, self._specs)
        other.used_secrets, other.masked = self.used_secrets, self.masked
        other.used_connections = self.used_connections
        return other

    def text(self, text: str, path: Steps) -> Value:
        """A template."""
        where = part_at(path)
        try:
            program = hog.template(text, names=IN_TEMPLATE)
        except hog.HogError as error:
            self._report.of_hog(path, error)
            return Constant(None)
        self._check_chains(program, text, path)
        if not program.constant:
            return Template(program, where)
        try:
            return Constant(program({}))
        except hog.HogRuntimeError as error:
            self._report.of_hog(path, error)
            return Constant(None)

    def liquid(self, text: str, path: Steps) -> Value:
        """A template in Liquid."""
        try:
            program = compile_liquid(text)
        except LiquidError as error:
            self._report.inside(path, text, error.offset, error.message)
            return Constant(None)
        for read in program.reads:
            problem = IN_TEMPLATE.problem(read.chain) or self._problem(read.chain)
            if problem:
                self._report.inside(path, text, read.offset, problem)
        return Constant(text) if program.is_constant else LiquidText(program, part_at(path))

    def url(self, text: str, path: Steps) -> Value:
        """A template of a URL, without the blanks around it: a YAML block ends with a newline."""
        bare = text.strip()
        try:
            parts = hog.template_parts(bare, names=IN_TEMPLATE)
        except hog.HogError:
            return self.text(text, path)
        if len(parts) == 1 and isinstance(parts[0], hog.Program):
            return self.text(bare, path)
        template = UrlTemplate(parts, part_at(path))
        for program in template.programs:
            self._check_chains(program, text, path)
        return Url(template) if template.programs else Constant(template.render({}))

    def setting(self, text: str, path: Steps) -> str | None:
        """The text of a setting, read now: it sees nothing but secrets. None where something is wrong with it."""
        pieces = self.setting_pieces(text, path)
        return None if pieces is None else "".join(piece.text for piece in pieces)

    def setting_pieces(self, text: str, path: Steps) -> "list[Piece] | None":
        """The same in pieces, for a caller that has to know what was written and what was put in."""
        try:
            parts = hog.template_parts(text, names=IN_SETTING)
        except hog.HogError as error:
            self._report.of_hog(path, error)
            return None
        for part in parts:
            if isinstance(part, hog.Program):
                self._check_chains(part, text, path)
        if self._report.has_problem_at(path):
            return None
        try:
            return [
                Piece(part, True)
                if isinstance(part, str)
                else Piece(hog.to_text(part({"secrets": self.used_secrets})), False)
                for part in parts
            ]
        except hog.HogRuntimeError:
            # Its message may hold a part of a secret.
            self._report.at(path, "an expression in it fails for the secrets as they are now")
            return None

    def _check_chains(self, program: hog.Program, text: str, path: Steps) -> None:
        for chain in sorted(program.chains):
            problem = self._problem(chain)
            if problem:
                self._report.inside(path, text, max(text.find(".".join(chain[:2])), 0), problem)

    def _problem(self, chain: Chain) -> str | None:
        match chain:
            case ("secrets", name, *_):
                return self._use_secret(name)
            case ("secrets",):
                return "a secret needs its name: write `secrets.NAME`"
            case ("inputs", name, *_) if name not in self._inputs:
                return f"unknown input '{name}'{suggestion(name, self._inputs)}"
            case ("inputs",):
                return "an input needs its name: write `inputs.NAME`"
            case ("connections", name, "access_token"):
                return self._use_connection(name)
            case ("connections", *_):
                return "a connection gives an access token: write `connections.NAME.access_token`"
            case _:
                return None

    def _use_connection(self, name: str) -> str | None:
        if name not in self._specs:
            return f"unknown connection '{name}'{suggestion(name, sorted(self._specs))}; project.yaml has them"
        try:
            found = compile_connection(name, self._specs[name], self._resolved)
        except ConnectionProblemError as error:
            return f"connection '{name}': {error}"
        self.used_connections[name] = found
        self.masked.add(found.marker)
        return None

    def _resolved(self, text: str) -> str:
        """The text of a connection; raises ConnectionProblemError."""
        try:
            parts = hog.template_parts(text, names=IN_SETTING)
        except hog.HogError as error:
            raise ConnectionProblemError(error.message) from None
        for part in parts:
            for chain in sorted(part.chains) if isinstance(part, hog.Program) else ():
                if problem := self._problem(chain):
                    raise ConnectionProblemError(problem)
        try:
            secrets = {"secrets": self.used_secrets}
            return "".join(part if isinstance(part, str) else hog.to_text(part(secrets)) for part in parts)
        except hog.HogRuntimeError:
            # Its message may hold a part of a secret.
            raise ConnectionProblemError("an expression in it fails for the secrets as they are now") from None

    def _use_secret(self, name: str) -> str | None:
        value = self._secrets.get(name)
        if value is None:
            return self._secrets.missing(name)
        self.used_secrets[name] = value
        return None

"""Collects the problems of one destination file while it is compiled. It decides nothing about them."""

import hog
from catalog.problem import Problem, excerpt, path_text
from catalog.scalar import Place
from catalog.yaml_file import Steps, YamlFile


class Report:
    """The problems of one file, each with its place."""

    def __init__(self, file: str, destination: str, yaml: YamlFile) -> None:
        """`file` is the name as people see it."""
        self.file = file
        self.destination = destination
        self.yaml = yaml
        self.problems: list[Problem] = []
        self._hidden: set[str] = set()

    def hide(self, path: Steps) -> None:
        """Show no line of the file for what is wrong at `path` or inside it: a secret may stand there."""
        self._hidden.add(path_text(path))

    def at(self, path: Steps, message: str, *, hide: bool = False) -> None:
        """A problem of the value at `path`; with `hide` its line of the file is not shown: it holds a password."""
        self._add(path, self.yaml.place(path), message, "" if hide else None)

    def at_key(self, path: Steps, message: str) -> None:
        """A problem of the key at `path`."""
        self._add(path, self.yaml.key_place(path), message)

    def inside(self, path: Steps, text: str, offset: int, message: str) -> None:
        """A problem of the character at `offset` (from 0) of the text at `path`."""
        before = text[:offset]
        self._inside(path, before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1, message, "")

    def of_hog(self, path: Steps, error: hog.HogError) -> None:
        """A problem of the Hog text at `path`."""
        self._inside(path, error.line, error.column, error.message, error.caret())

    def _inside(self, path: Steps, line: int, column: int, message: str, own_excerpt: str) -> None:
        place = self.yaml.place_inside(path, line, column)
        if place is None:
            # The file's lines were folded into other ones: the place is the text's begin, the excerpt the text itself.
            self._add(path, self.yaml.place(path), message, own_excerpt or None)
        else:
            self._add(path, place, message)

    def _add(self, path: Steps, place: Place, message: str, own_excerpt: str | None = None) -> None:
        if any(path_text(path[: end + 1]) in self._hidden for end in range(len(path))):
            own_excerpt = ""
        shown = excerpt(self.yaml.lines, place.line, place.column) if own_excerpt is None else own_excerpt
        problem = Problem(self.file, path_text(path), place.line, place.column, message, shown, self.destination)
        if problem not in self.problems:
            self.problems.append(problem)

    def has_problem_at(self, path: Steps) -> bool:
        """Whether something is wrong with the value at `path` or with one inside it."""
        text = path_text(path)
        return any(
            problem.path == text or problem.path.startswith((f"{text}.", f"{text}[")) for problem in self.problems
        )

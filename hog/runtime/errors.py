"""What ends an evaluation. None of it knows a position: the program adds that."""

from hog.runtime.values import ErrorValue


class Failure(Exception):  # noqa: N818  # not an error of this code: one of the program that runs in it
    """A helper or library function cannot go on. The message is for the author of the program, who cannot catch it."""


class LimitFailure(Failure):
    """A fence was hit: time, steps, memory or depth."""


class Thrown(Exception):  # noqa: N818  # as above
    """`throw`: the only thing that `catch` of a program catches."""

    def __init__(self, error: ErrorValue) -> None:
        super().__init__(error.type, error.message)
        self.error = error


def thrown(value: object) -> Thrown:
    """What to raise for `throw value`."""
    if isinstance(value, ErrorValue):
        return Thrown(value)
    raise Failure("Can not throw: value is not of type Error")

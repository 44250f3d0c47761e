"""How a runtime helper or a library function says that it cannot go on. It knows no position: the program adds that."""


class Failure(Exception):  # noqa: N818  # not an error of this code: one of the program that runs in it
    """Ends the evaluation. The message is for the author of the program."""

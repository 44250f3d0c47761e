"""What is wrong with a part of the filters object, where the part itself does not know where it stands."""


class OperandError(ValueError):
    """The value of a property filter is not what its operator takes; the message says what to write."""

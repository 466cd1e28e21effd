"""The two exceptions that cross room borders."""

from __future__ import annotations


class RequestError(ValueError):
    """Bad input, told to a person in one sentence.

    Args:
        argument: the name of what was wrong, as the person typed it (``tempo``, ``--out``, a file name).
        reason: the rest of the sentence: what is wrong and what would be right.
    """

    def __init__(self, argument: str, reason: str) -> None:
        super().__init__(f"{argument}: {reason}")
        self.argument = argument
        self.reason = reason


class Cancelled(Exception):  # noqa: N818 - not an error: the person pressed Stop
    """Raised by a progress hook to stop the work in progress."""

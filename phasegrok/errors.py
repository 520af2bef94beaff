"""What phasegrok tells a user instead of a traceback."""

from __future__ import annotations


class Refusal(Exception):
    """Input that cannot be used. One line says where, what was found, and what is allowed.

    The command prints it and exits with code 2; nothing has been written by then.
    """


class Locked(Exception):
    """The result folder belongs to another running process. The command exits with code 3."""

"""Errors of openclaw-stream; a message says what happened, to what, and what to do.

OpenClawError
├── SettingsError        a setting is wrong; nothing was connected yet (exit 2)
├── PoisonError          one record can never be understood; it goes to the dead letters
├── RetryableError       the same step may succeed later; it is tried again
│   └── DeniedError      an authorizer refuses an operation; it goes on once the right is granted
└── FatalError           going on would break a promise; the worker stops (exit 1)
    ├── TopicError       a topic is missing or made otherwise than it must be
    └── EmbeddedError    an embedded server cannot be had or did not start
"""


class OpenClawError(Exception):
    """Root of every error this package raises on purpose."""


class SettingsError(OpenClawError):
    """A setting is missing or wrong."""


class PoisonError(OpenClawError):
    """A record that can never be understood."""


class RetryableError(OpenClawError):
    """A step that failed and may succeed later."""


class DeniedError(RetryableError):
    """An authorizer refuses `operation` on `resource`; a right that is granted later needs no restart."""

    def __init__(self, operation: str, resource: str) -> None:
        super().__init__(
            f"not allowed: {operation} on {resource}; grant the user this right (see the ACLs in deploy/README.md)"
        )
        self.operation = operation
        self.resource = resource


class FatalError(OpenClawError):
    """The worker cannot go on without breaking a promise."""


class TopicError(FatalError):
    """A topic is missing or made otherwise than it must be."""


class EmbeddedError(FatalError):
    """An embedded server cannot be had or did not start."""

"""Errors of openclaw-stream; a message says what happened, to what, and what to do.

OpenClawError
├── SettingsError        a setting is wrong; nothing is connected yet (exit 2)
├── PoisonError          a record can never be processed; it goes to the dead-letter topic
├── RetryableError       the operation may succeed later; it is retried
│   └── DeniedError      an authorizer denies an operation; it is retried until the right is granted
└── FatalError           to continue would break a guarantee; the worker stops (exit 1)
    ├── TopicError       a topic is missing or its configuration is wrong
    └── EmbeddedError    an embedded server cannot be installed or does not start
"""


class OpenClawError(Exception):
    """Base class of the errors of this package."""


class SettingsError(OpenClawError):
    """A setting is missing or wrong."""


class PoisonError(OpenClawError):
    """A record can never be processed."""


class RetryableError(OpenClawError):
    """An operation failed and may succeed later."""


class DeniedError(RetryableError):
    """An authorizer denies `operation` on `resource`; granting the right needs no restart."""

    def __init__(self, operation: str, resource: str) -> None:
        super().__init__(
            f"not allowed: {operation} on {resource}; grant the user this right (see the ACLs in deploy/README.md)"
        )
        self.operation = operation
        self.resource = resource


class FatalError(OpenClawError):
    """The worker cannot continue without breaking a guarantee."""


class TopicError(FatalError):
    """A topic is missing or its configuration is wrong."""


class EmbeddedError(FatalError):
    """An embedded server cannot be installed or does not start."""

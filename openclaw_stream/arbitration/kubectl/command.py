"""A checked kubectl command and its one written form."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from openclaw_stream.vocabulary import Action


class RefusedCommand(ValueError):  # noqa: N818 - a refusal is an answer, not a fault
    """The command is outside the grammar; the message tells a person why."""


class Verb(StrEnum):
    """What a command does."""

    SCALE = "scale"
    AUTOSCALE = "autoscale"
    SET_RESOURCES = "set resources"
    ROLLOUT_RESTART = "rollout restart"
    ROLLOUT_UNDO = "rollout undo"
    PATCH = "patch"
    DELETE = "delete"


class Kind(StrEnum):
    """What a command is done to."""

    DEPLOYMENT = "deployment"
    STATEFULSET = "statefulset"
    DAEMONSET = "daemonset"
    POD = "pod"
    HPA = "horizontalpodautoscaler"


_ACTIONS = {
    Verb.SCALE: Action.SCALE_DEPLOYMENT,
    Verb.AUTOSCALE: Action.APPLY_HPA,
    Verb.SET_RESOURCES: Action.TUNE_RESOURCES,
    Verb.ROLLOUT_RESTART: Action.RESTART_DEPLOYMENT,
    Verb.ROLLOUT_UNDO: Action.RESTART_DEPLOYMENT,
    Verb.DELETE: Action.DELETE_POD,
}


@dataclass(frozen=True, slots=True)
class Command:
    """One kubectl command on one resource; made by `parse` only, which has checked every part.

    `flags` are (long name without dashes, value) in the grammar's order; `namespace` is empty where none was given.
    """

    verb: Verb
    kind: Kind
    name: str
    flags: tuple[tuple[str, str], ...] = ()
    namespace: str = ""

    @property
    def target(self) -> str:
        """KIND/NAME."""
        return f"{self.kind}/{self.name}"

    @property
    def action(self) -> Action:
        """The remedy this command is; a patch is told by what it changes."""
        if self.verb is not Verb.PATCH:
            return _ACTIONS[self.verb]
        if self.kind is Kind.HPA:
            return Action.APPLY_HPA
        return Action.TUNE_RESOURCES if "resources" in dict(self.flags)["patch"] else Action.SCALE_DEPLOYMENT

    def within(self, namespace: str) -> Self:
        """Return the same command in `namespace`."""
        return replace(self, namespace=namespace)

    def render(self) -> str:
        """Return `kubectl VERB KIND/NAME --flag=value … -n NS`; a shell reads it as the words it shows.

        Only a patch needs quotes, and its checked JSON holds no single quote.
        """
        flags = (f"--{flag}='{value}'" if flag == "patch" else f"--{flag}={value}" for flag, value in self.flags)
        namespace = ("-n", self.namespace) if self.namespace else ()
        return " ".join(("kubectl", self.verb, self.target, *flags, *namespace))

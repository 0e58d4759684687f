"""A checked kubectl command and its canonical form."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from openclaw_stream.vocabulary import Action


class RefusedCommand(ValueError):  # noqa: N818 - a refusal is a result, not an error
    """The command is outside the grammar, or about a resource that no alert names; the message states the reason."""


class Verb(StrEnum):
    """The allowed kubectl verbs."""

    SCALE = "scale"
    AUTOSCALE = "autoscale"
    SET_RESOURCES = "set resources"
    ROLLOUT_RESTART = "rollout restart"
    ROLLOUT_UNDO = "rollout undo"
    PATCH = "patch"
    DELETE = "delete"


class Kind(StrEnum):
    """The resource kinds that commands may change."""

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
    """One kubectl command on one resource; only `parse` creates it, after it has checked every part.

    `flags` are (long name without dashes, value) in the order of the grammar; `namespace` may be empty.
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
        """The action of this command; that of a patch depends on what it changes."""
        if self.verb is not Verb.PATCH:
            return _ACTIONS[self.verb]
        if self.kind is Kind.HPA:
            return Action.APPLY_HPA
        return Action.TUNE_RESOURCES if "resources" in dict(self.flags)["patch"] else Action.SCALE_DEPLOYMENT

    def in_namespace(self, namespace: str) -> Self:
        """Return the same command in `namespace`."""
        return replace(self, namespace=namespace)

    def render(self) -> str:
        """Return `kubectl VERB KIND/NAME --flag=value … -n NS`; a shell splits it into exactly these words.

        Only a patch needs quotes, and its checked JSON contains no single quote.
        """
        flags = (f"--{flag}='{value}'" if flag == "patch" else f"--{flag}={value}" for flag, value in self.flags)
        namespace = ("-n", self.namespace) if self.namespace else ()
        return " ".join(("kubectl", self.verb, self.target, *flags, *namespace))

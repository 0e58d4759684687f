"""A parsed command: its action, its target and its canonical form."""

import shlex

import pytest
from hypothesis import given, settings

from openclaw_stream.arbitration.kubectl import parse
from openclaw_stream.arbitration.kubectl.command import Command, Kind, Verb
from openclaw_stream.vocabulary import Action
from tests.arbitration.kubectl.commands import valid_commands

_LIMIT = '{"op":"replace","path":"/spec/template/spec/containers/0/resources/limits/cpu","value":"1"}'
_PATCHED_LIMIT = f"kubectl patch deploy/a --type=json -p '[{_LIMIT}]'"
SCALE = Command(Verb.SCALE, Kind.STATEFULSET, "orders", (("replicas", "3"), ("current-replicas", "2")))


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("kubectl scale deploy/a --replicas=2", Action.SCALE_DEPLOYMENT),
        ('kubectl patch deploy/a -p \'{"spec":{"replicas":2}}\'', Action.SCALE_DEPLOYMENT),
        ("kubectl autoscale deploy/a --max=2", Action.APPLY_HPA),
        ('kubectl patch hpa/a -p \'{"spec":{"maxReplicas":2}}\'', Action.APPLY_HPA),
        ("kubectl set resources deploy/a --limits=cpu=1", Action.TUNE_RESOURCES),
        (_PATCHED_LIMIT, Action.TUNE_RESOURCES),
        ("kubectl rollout restart deploy/a", Action.RESTART_DEPLOYMENT),
        ("kubectl rollout undo deploy/a", Action.RESTART_DEPLOYMENT),
        ("kubectl delete pod/a", Action.DELETE_POD),
    ],
)
def test_a_command_has_its_action(text: str, action: Action) -> None:
    assert parse(text).action is action


@settings(deadline=None)
@given(valid_commands())
def test_a_shell_splits_a_rendered_command_into_its_parts(text: str) -> None:
    command = parse(text)
    flags = [f"--{flag}={value}" for flag, value in command.flags]
    namespace = ["-n", command.namespace] if command.namespace else []
    expected = ["kubectl", *command.verb.split(), command.target, *flags, *namespace]
    assert shlex.split(command.render()) == expected


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.HPA])
@pytest.mark.parametrize("verb", [verb for verb in Verb if verb is not Verb.PATCH])
def test_the_action_of_any_verb_but_patch_is_the_same_for_every_kind(verb: Verb, kind: Kind) -> None:
    assert Command(verb, kind, "a").action is Command(verb, Kind.DEPLOYMENT, "b").action
    assert Command(verb, kind, "a").action is not Action.NO_ACTION


@pytest.mark.parametrize(
    ("command", "rendered"),
    [
        (SCALE, "kubectl scale statefulset/orders --replicas=3 --current-replicas=2"),
        (SCALE.in_namespace("shop"), "kubectl scale statefulset/orders --replicas=3 --current-replicas=2 -n shop"),
        (Command(Verb.ROLLOUT_UNDO, Kind.DAEMONSET, "agent"), "kubectl rollout undo daemonset/agent"),
        (
            Command(Verb.PATCH, Kind.HPA, "a", (("type", "merge"), ("patch", '{"spec":{"maxReplicas":4}}')), "shop"),
            'kubectl patch horizontalpodautoscaler/a --type=merge --patch=\'{"spec":{"maxReplicas":4}}\' -n shop',
        ),
    ],
)
def test_flags_keep_their_order_and_only_a_patch_is_quoted(command: Command, rendered: str) -> None:
    assert command.render() == rendered
    assert parse(rendered) == command


def test_another_namespace_replaces_the_first_and_nothing_else() -> None:
    moved = SCALE.in_namespace("shop").in_namespace("data")
    assert (moved.namespace, SCALE.namespace) == ("data", "")
    assert moved.in_namespace("") == SCALE
    assert moved.target == SCALE.target == "statefulset/orders"


def test_equal_commands_have_equal_hashes() -> None:
    """Spellings of one command are one command."""
    assert len({parse(f"kubectl {text}") for text in ("delete po a -n b", "delete pods/a --namespace=b")}) == 1

"""The command grammar, checked with a corpus, an independent oracle and mutations."""

import pytest
from hypothesis import given, settings

from openclaw_stream.arbitration.kubectl import RefusedCommand, kind_of, parse
from tests.arbitration.kubectl.commands import HOSTILE, VALID, mutations, valid_commands
from tests.arbitration.oracle import is_inert, is_safe, meaning

FAMILIES = sorted({entry["family"] for entry in HOSTILE})


def _refusal(text: str) -> str | None:
    try:
        parse(text)
    except RefusedCommand as refused:
        return str(refused)
    return None


def test_the_corpus_is_large_enough() -> None:
    assert len(HOSTILE) >= 600
    assert len(VALID) >= 60
    assert len({entry["text"] for entry in HOSTILE}) == len(HOSTILE)


@pytest.mark.parametrize("family", FAMILIES)
def test_hostile_commands_are_refused(family: str) -> None:
    refusals = {entry["text"]: _refusal(entry["text"]) for entry in HOSTILE if entry["family"] == family}
    assert [text for text, reason in refusals.items() if reason is None] == []
    assert [
        reason for reason in refusals.values() if reason and not (reason.isprintable() and len(reason) <= 300)
    ] == []


@pytest.mark.parametrize("entry", VALID, ids=range(len(VALID)))
def test_valid_commands_are_rendered_in_canonical_form(entry: dict[str, str]) -> None:
    command = parse(entry["text"])
    assert command.render() == entry["rendered"]
    assert parse(command.render()) == command
    assert is_safe(command.render())
    assert meaning(entry["text"]) == meaning(entry["rendered"])


@settings(deadline=None)
@given(valid_commands())
def test_every_command_of_the_grammar_is_accepted(text: str) -> None:
    command = parse(text)
    rendered = command.render()
    assert parse(rendered) == command
    assert is_safe(rendered)
    assert meaning(rendered) == meaning(text)
    assert len(command.in_namespace("n" * 63).render()) <= 1000


@settings(deadline=None, max_examples=1000)
@given(mutations())
def test_no_mutation_becomes_unsafe_or_changes_its_meaning(text: str) -> None:
    reason = _refusal(text)
    if reason is not None:
        assert reason.isprintable()
        return
    rendered = parse(text).render()
    assert is_safe(rendered)
    assert is_inert(text)
    assert meaning(rendered) == meaning(text)


def test_the_longest_command_fits_an_event() -> None:
    container = '{"name":"%s","resources":{"limits":{"cpu":"1"}}}'
    body = '{"spec":{"template":{"spec":{"containers":[%s]}}}}'
    padded = body % ",".join(container % ("c" * 63) for _ in range(5))
    text = f"kubectl patch ds {'d' * 63} -p '{padded}'"
    assert len(parse(text).in_namespace("n" * 63).render()) <= 1000


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("kubectl scale deploy/a --replicas=+2", "'+2'"),
        ("kubectl scale deploy/a --replicas=2; reboot", "the shell character ; chains commands"),
        ("kubectl scale deploy/a --replicas=2\u202e", "RIGHT-TO-LEFT OVERRIDE"),
        ("kubectl delete pod/a --force", "--force is not allowed"),
        ("sudo kubectl delete pod/a", "does not begin with kubectl"),
        ("kubectl get pods", "kubectl get pods is not an allowed command"),
        ("kubectl delete pod a b", "exactly one resource"),
        ("kubectl autoscale deploy/a --max=2 --cpu=70", "--cpu must be a percentage such as 70%, not '70'"),
        ("kubectl autoscale deploy/a --max=2 --cpu=70% --cpu-percent=70", "--cpu is repeated"),
        ("kubectl delete 'pod/a --now'", "quotes more than a plain value"),
        ("kubectl set resources ds/a --limits=memory=512MB", "not a Kubernetes quantity"),
        ('kubectl patch deploy/a --type=merge -p \'{"spec":{"template":{}}}\'', "replace the whole list"),
    ],
)
def test_a_refusal_states_the_reason(text: str, reason: str) -> None:
    with pytest.raises(RefusedCommand) as refused:
        parse(text)
    assert reason in str(refused.value)


def test_kinds_have_their_usual_names() -> None:
    assert [str(kind_of(word)) for word in ("Deploy", "sts", "Pods", "hpa")] == [
        "deployment",
        "statefulset",
        "pod",
        "horizontalpodautoscaler",
    ]
    assert kind_of("node") is None

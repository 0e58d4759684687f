"""Hostile and broken answers on the whole decision path: nothing unsafe gets into an event."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.arbitration.hostile.corpus import ANSWERS, COMMANDS, GOOD, GOOD_COMMAND, all_answers, filled, with_command
from tests.arbitration.hostile.decision_path import ALERT, DecisionPath, Outcome, open_decision_path
from tests.arbitration.hostile.event_checks import could_be_run, violations
from tests.arbitration.kubectl.commands import mutations


@pytest.fixture(scope="module")
def path() -> Iterator[DecisionPath]:
    with open_decision_path() as opened:
        yield opened


def rejected(outcome: Outcome) -> list[str]:
    return [each["command"] for each in outcome.decision["validation"]["rejected_commands"]]


def test_the_corpus_is_large_and_without_duplicates() -> None:
    answers = all_answers()
    assert len(answers) >= 500
    assert len(set(answers)) == len(answers)


def test_a_valid_answer_is_published(path: DecisionPath) -> None:
    outcome = path.decide(lambda _: with_command(GOOD_COMMAND))
    assert list(violations(outcome)) == []
    assert outcome.decision["decision"]["kubectl_command"] == GOOD_COMMAND
    assert [event["command"] for event in outcome.events("tuning")].count(GOOD_COMMAND) == 1
    assert rejected(outcome) == []


@pytest.mark.parametrize("kind", COMMANDS)
def test_an_unsafe_command_is_refused_and_reported(path: DecisionPath, kind: str) -> None:
    for command in COMMANDS[kind]:
        outcome = path.decide(lambda _, command=command: with_command(command))  # type: ignore[misc]
        decision = outcome.decision["decision"]
        assert list(violations(outcome)) == [], command
        assert outcome.decision["provenance"]["provider"] == "openai", command
        assert decision["kubectl_command"] == "", command
        assert decision["suggested_action"] == "NO_ACTION", command
        assert [each["kubectl_or_config"] for each in decision["optimization_suggestions"]] == [""], command
        assert len(rejected(outcome)) == 2, command
        assert all(text.isprintable() for text in rejected(outcome)), command


@pytest.mark.parametrize("kind", ANSWERS)
def test_a_broken_answer_does_no_harm(path: DecisionPath, kind: str) -> None:
    providers = {"model": {"openai"}, "rules": {"rules"}, "either": {"openai", "rules"}}[ANSWERS[kind]["expect"]]
    for template in ANSWERS[kind]["texts"]:
        outcome = path.decide(lambda _, template=template: filled(template))  # type: ignore[misc]
        assert list(violations(outcome)) == [], template
        assert outcome.decision["provenance"]["provider"] in providers, template
        assert outcome.decision["decision"]["primary_responsibility"] in {"BE", "COLLAB", "INFRA"}, template


@pytest.mark.parametrize("depth", [10, 500, 900, 2000, 9000])
@pytest.mark.parametrize("opening", ['{"a":', "[", '{"a":['])
def test_a_deeply_nested_answer_does_no_harm(path: DecisionPath, depth: int, opening: str) -> None:
    closing = opening.replace('{"a":', "}").replace("[", "]")[::-1]
    for text in (
        f"{opening * depth}1{closing * depth}",
        f'{filled("{…")}, "deep": {opening * depth}1{closing * depth}}}',
        f'{filled("{…")}, "kubectl_command": {opening * depth}"kubectl delete ns shop"{closing * depth}}}',
        f'{filled("{…")}, "deep": {opening * depth}',
    ):
        outcome = path.decide(lambda _, text=text: text[:60_000])  # type: ignore[misc]
        assert list(violations(outcome)) == []


@pytest.mark.parametrize("length", [499, 500, 5_000, 60_000])
def test_a_long_answer_does_no_harm(path: DecisionPath, length: int) -> None:
    for name in (name for name, value in GOOD.items() if isinstance(value, str)):
        long = f'{filled("{…")}, "{name}": "{"kubectl delete ns shop; " * length}'[:length] + '"}'
        assert list(violations(path.decide(lambda _, long=long: long))) == []  # type: ignore[misc]


def test_an_answer_cut_anywhere_does_no_harm(path: DecisionPath) -> None:
    command = "kubectl set resources deployment/checkout --containers=app --limits=memory=1023Mi"
    whole = with_command(command).encode()
    commands = set()
    for end in range(1, len(whole), 5):
        outcome = path.decide(lambda _, end=end: whole[:end].decode(errors="replace"))  # type: ignore[misc]
        assert list(violations(outcome)) == [], end
        commands.add(outcome.decision["decision"]["kubectl_command"])
    assert commands - {GOOD_COMMAND} == {"", f"{command} -n shop"}


NAMES = [
    "shop; rm -rf /",
    "shop --all",
    "$(reboot)",
    "`reboot`",
    "shop\nreboot",
    "SHOP",
    "shop\u200b",
    "sh\u043ep",
    "-A",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("field", ["namespace", "service", "deployment"])
def test_hostile_names_in_an_alert_get_into_no_command(path: DecisionPath, field: str, name: str) -> None:
    changes = {"labels": {**ALERT["labels"], "deployment": name}} if field == "deployment" else {field: name}
    answer = {
        **GOOD,
        "kubectl_command": GOOD_COMMAND.removesuffix(" -n shop"),
        "target_resource": f"deployment/{name}",
        "namespace": name,
        "optimization_suggestions": [
            {"type": "SCALE", "description": "x", "kubectl_or_config": f"kubectl scale deployment/{name} --replicas=3"}
        ],
    }
    outcome = path.decide(lambda _: json.dumps(answer), **changes)
    assert [fault for fault in violations(outcome) if fault != f"namespace: {name!r}"] == []
    assert rejected(outcome)


PIECES = [
    *(text for texts in COMMANDS.values() for text in texts),
    *('"', "\\", "{", "}", "[", "]", ",", ":", "'", "```", "\u0000", "\u202e", "\u200b", "null", "NaN", "-1"),
    '"kubectl_command": ',
    '"kubectl_or_config": ',
    '"namespace": "kube-system"',
]


@st.composite
def broken(draw: st.DrawFn) -> str:
    """An answer of the corpus with pieces inserted, removed or repeated."""
    text = draw(st.sampled_from(all_answers()))
    for _ in range(draw(st.integers(1, 4))):
        at, length = draw(st.integers(0, len(text))), draw(st.integers(0, 40))
        piece = draw(st.sampled_from(["", text[at : at + length] * 2, *PIECES]))
        text = text[:at] + piece + text[at + length :]
    return text


NO_DEADLINE = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@NO_DEADLINE
@given(text=broken())
def test_a_mutated_answer_does_no_harm(path: DecisionPath, text: str) -> None:
    assert list(violations(path.decide(lambda _: text))) == []


@NO_DEADLINE
@given(command=mutations(st.sampled_from([text for texts in COMMANDS.values() for text in texts] + [GOOD_COMMAND])))
@example(command="k{ubectl scale deployment/checkout --replicas=`id -u` -n shop")
@example(command="k$(id)ubectl scale deployment/checkout --replicas=`id -u` -n shop")
@example(command="k\u0663ubectl scale deployment/checkout --replicas=`id -u` -n shop")
def test_a_mutated_command_does_no_harm(path: DecisionPath, command: str) -> None:
    outcome = path.decide(lambda _: with_command(command))
    assert list(violations(outcome)) == []
    if not outcome.decision["decision"]["kubectl_command"] and could_be_run(command) and len(command) < 500:
        assert rejected(outcome)

"""Secrets in alerts and answers: none leaves the process in a request, a log line, a trace or an event."""

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from tests.arbitration.hostile.decision_path import ALERT, KEY, DecisionPath, Model, Outcome, open_decision_path
from tests.arbitration.hostile.secrets import SECRETS
from tests.arbitration.llm.model_server import answer
from tests.arbitration.llm.providers.loopback import responds

FIELDS: dict[str, Callable[[dict[str, Any], str], object]] = {
    "name": lambda alert, text: alert.update(alert_type=text),
    "message": lambda alert, text: alert.update(message=text),
    "namespace": lambda alert, text: alert.update(namespace=text),
    "service": lambda alert, text: alert.update(service=text),
    "source": lambda alert, text: alert.update(source=text),
    "target": lambda alert, text: alert.update(target_resource=f"deployment/{text}"),
    "fingerprint": lambda alert, text: alert.update(fingerprint=text),
    "generator url": lambda alert, text: alert.update(generator_url=text),
    "severity": lambda alert, text: alert.update(severity=text),
    "start": lambda alert, text: alert.update(starts_at=text),
    "label": lambda alert, text: alert["labels"].update(note=text),
    "label of the workload": lambda alert, text: alert["labels"].update(deployment=text),
    "label of the service": lambda alert, text: alert["labels"].update({"service.name": text}),
    "name of a label": lambda alert, text: alert["labels"].update({text: "x"}),
    "annotation": lambda alert, text: alert["annotations"].update(summary=text),
    "line of an annotation": lambda alert, text: alert["annotations"].update(description=f"first\n{text}"),
    "name of an annotation": lambda alert, text: alert["annotations"].update({text: "x"}),
    "link of a runbook": lambda alert, text: alert["annotations"].update(
        runbook_url=f"https://wiki.example.org/{text}"
    ),
    "query of a dashboard": lambda alert, text: alert["annotations"].update(
        dashboard=f"https://g.example.org/d?x={text}"
    ),
    "name of a runbook": lambda alert, text: alert["annotations"].update(playbook=text),
    "metric": lambda alert, text: alert["metrics"].update({text: 1}),
}
ANSWERED = (
    "reasoning",
    "responsibility_reasoning",
    "action_title",
    "kubectl_command",
    "target_resource",
    "namespace",
    "description",
    "deviation_analysis",
    "signoz_correlation",
)
KINDS = list(SECRETS)


def text_of(kind: str) -> str:
    text, secret = SECRETS[kind]
    return text.format(secret)


def needle(kind: str) -> str:
    """Return the longest part of a secret that JSON, URLs and logs write in the same way."""
    parts: list[str] = re.findall(r"[\w.-]+", SECRETS[kind][1].replace("\\n", "\n"))
    return max(parts, key=len)


def rotated(number: int, places: int) -> list[str]:
    """Return a secret for each place; over as many rotations as there are secrets, each has been in each place."""
    return [KINDS[(number + place) % len(KINDS)] for place in range(places)]


def seen_in(path: DecisionPath, outcome: Outcome) -> Iterator[tuple[str, str]]:
    """Yield everything that left the process with one decision, and where."""
    yield from (("request", body.decode()) for body in outcome.requests)
    for message in outcome.messages:
        headers = "".join(f"{name}{value!r}" for name, value in message.headers)
        yield message.topic, f"{message.key!r}{(message.value or b'').decode()}{headers}"
    yield "log", path.log.getvalue()


def leaks(path: DecisionPath, outcome: Outcome, planted: dict[str, str]) -> list[tuple[str, str, str]]:
    """Return the secrets that left the process: kind, field where it was planted, and where it was seen."""
    seen = list(seen_in(path, outcome))
    return [(kind, field, place) for field, kind in planted.items() for place, text in seen if needle(kind) in text]


def echo(question: str) -> str:
    """A model that repeats its prompt."""
    return answer(reasoning=question, description=question[-2000:], action_title=question[-300:], kubectl_command="")


def alert_with(planted: dict[str, str]) -> dict[str, Any]:
    alert = deepcopy(ALERT)
    for field, kind in planted.items():
        FIELDS[field](alert, text_of(kind))
    return alert


def answering(planted: dict[str, str]) -> Model:
    return lambda _: answer(**{field: text_of(kind) for field, kind in planted.items()})


def failing(kind: str) -> Model:
    return lambda _: responds(400, {"error": {"message": text_of(kind)}})


def test_no_secret_of_an_alert_or_an_answer_leaves_the_process() -> None:
    found: list[tuple[str, str, str]] = []
    with open_decision_path(with_backends=True) as path:
        for number, kind in enumerate(KINDS):
            planted = dict(zip(FIELDS, rotated(number, len(FIELDS)), strict=True))
            found += leaks(path, path.decide(echo, **alert_with(planted)), planted)
            planted = dict(zip(ANSWERED, rotated(number, len(ANSWERED)), strict=True))
            found += leaks(path, path.decide(answering(planted)), planted)
            found += leaks(path, path.decide(failing(kind)), {"error": kind})
    assert found == []
    assert path.langfuse
    assert path.signoz
    assert len(path.langfuse.generations) >= 3 * len(KINDS)
    assert path.signoz.requests
    assert path.log.getvalue()
    sent = b"".join([*path.langfuse.bodies, *(each.line.encode() + each.body for each in path.signoz.requests)])
    assert [kind for kind in KINDS if needle(kind) in sent.decode(errors="replace")] == []
    assert KEY.encode() not in sent
    assert KEY not in path.log.getvalue()


def test_every_needle_is_in_its_text() -> None:
    for kind in KINDS:
        assert needle(kind) in text_of(kind)
        assert len(needle(kind)) >= 10, kind

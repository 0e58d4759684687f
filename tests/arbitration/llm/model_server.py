"""Cases to judge, and the responses of a model server on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from prometheus_client import CollectorRegistry, Counter

from openclaw_stream.arbitration.llm.prompt.template import EXAMPLE_CASE, example_answer
from openclaw_stream.incidents.case import Case
from openclaw_stream.vocabulary import Language
from tests.arbitration.llm.providers.loopback import Answer, Loopback, Request, loopback, responds

MODEL = "gpt-x"
ANSWER = json.dumps(
    {
        **json.loads(example_answer(Language.EN)),
        "reasoning": "Every replica is busy, and requests wait in line for a free one.",
        "responsibility_reasoning": "Nothing but the code of this service is slow.",
        "action_title": "Add replicas until requests no longer wait",
        "description": "Requests take too long because all replicas are busy.",
        "deviation_analysis": "The latency is above its threshold.",
        "signoz_correlation": "More requests arrive than before.",
        "optimization_suggestions": [],
    }
)
"""The answer to the example's case in words of its own: one that repeats the example is none."""

ANSWER_ZH = json.dumps(
    {
        **json.loads(ANSWER),
        "reasoning": "所有副本都在忙碌，新的請求只能排隊等候。",
        "responsibility_reasoning": "只有這個服務本身的程式變慢。",
        "action_title": "增加副本，直到請求不再排隊",
        "description": "副本全部忙碌，因此回應時間過長。",
        "deviation_analysis": "延遲超過門檻。",
        "signoz_correlation": "請求比先前多。",
    },
    ensure_ascii=False,
)
CASE = EXAMPLE_CASE


def case_with(**changes: Any) -> Case:
    """The case of the prompt's example with its one alert changed."""
    return replace(CASE, exemplars=(replace(CASE.exemplars[0], **changes),))


def storm(names: int = 12) -> Case:
    """An incident of many alert names."""
    exemplars = tuple(replace(CASE.exemplars[0], name=f"Alert{n}", message=f"signal {n}") for n in range(names))
    counts = {exemplar.name: 3 + n for n, exemplar in enumerate(exemplars)}
    return replace(CASE, exemplars=exemplars, alert_names=counts, alert_count=sum(counts.values()), distinct_alerts=40)


def answer(**changes: Any) -> str:
    """The example's answer with some members changed."""
    return json.dumps({**json.loads(ANSWER), **changes})


def completes(text: str, tokens_in: int = 1000, tokens_out: int = 500) -> Answer:
    """Respond with a completed chat."""
    return responds(
        200,
        {
            "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
            "usage": {"prompt_tokens": tokens_in, "completion_tokens": tokens_out},
        },
    )


def in_turn(*answers: Answer) -> Answer:
    """Respond to the requests one after another; the last response is repeated."""
    remaining = list(answers)

    async def answer_next(writer: asyncio.StreamWriter) -> None:
        await (remaining.pop(0) if len(remaining) > 1 else remaining[0])(writer)

    return answer_next


@dataclass
class Held:
    """A response that is held back until it is released."""

    answer: Answer
    requested: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, writer: asyncio.StreamWriter) -> None:
        self.requested.set()
        await self.release.wait()
        await self.answer(writer)


@asynccontextmanager
async def servers(*answers: Answer) -> AsyncIterator[Sequence[Loopback]]:
    """A server for each answer."""
    async with AsyncExitStack() as serving:
        yield [await serving.enter_async_context(loopback(each)) for each in answers]


async def until(condition: Callable[[], bool]) -> None:
    """Run other tasks until a condition is true; the test's timeout is the limit."""
    while not condition():  # noqa: ASYNC110 - the condition has no event
        await asyncio.sleep(0.001)


def question(request: Request) -> str:
    """The user message of a request."""
    return str(request.json["messages"][1]["content"])


def counter(*labels: str) -> Counter:
    return Counter("test", "A counter of a test.", labels, registry=CollectorRegistry())


def total(counted: Counter) -> float:
    """The sum of a counter over its labels."""
    return sum(sample.value for metric in counted.collect() for sample in metric.samples if "_total" in sample.name)


def evidence_of(user: str) -> list[dict[str, Any]]:
    """The objects between the two boundaries of a prompt."""
    boundary = user.split("read ", 1)[1].split(" ", 1)[0]
    lines = user.split("\n")
    first, last = (n for n, line in enumerate(lines) if line == boundary)
    return [json.loads(line) for line in lines[first + 1 : last]]

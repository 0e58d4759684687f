"""The chain: providers in their order, each asked when those before it gave no answer."""

from collections.abc import Sequence

import structlog

from openclaw_stream.arbitration.llm.answer_cache import ProviderAnswer
from openclaw_stream.arbitration.llm.prompt.response import RESPONSE_SCHEMA, Answer, extract
from openclaw_stream.arbitration.llm.prompt.template import arbiter_prompt
from openclaw_stream.arbitration.llm.provider_client import AnswerFormat, DecisionContext, ProviderClient
from openclaw_stream.arbitration.llm.storm_summary import condense, is_storm
from openclaw_stream.events.decision import GoldenSignals
from openclaw_stream.incidents.case import Case
from openclaw_stream.vocabulary import Language

log = structlog.get_logger(__name__)

UNLIMITED = 1 << 30
_INSTANT = 1e-3
_WEIGHT = 0.2

_FORM: AnswerFormat[Answer] = AnswerFormat(RESPONSE_SCHEMA, extract)


class Chain:
    """Providers of language models in their order.

    Args:
        links: The providers, first asked first; at least one.
        summarizer: The fast model that condenses storms, if there is one.
        language: The language of the answers.
        timeout: Seconds for one call.
        deadline: Seconds a decision may take from when it enters the queue.
    """

    def __init__(
        self,
        links: Sequence[ProviderClient],
        summarizer: ProviderClient | None,
        language: Language,
        timeout: float,
        deadline: float,
    ) -> None:
        self._links = links
        self._summarizer = summarizer
        self._language = language
        self._timeout = timeout
        self._deadline = deadline
        self._storms = 0.0
        """The share of storms among the decisions, lately."""

    @property
    def models(self) -> tuple[tuple[str, str], ...]:
        """The providers with their models in order, and the summarizer."""
        links = [*self._links, *([self._summarizer] if self._summarizer else [])]
        return tuple((link.name, link.model) for link in links)

    @property
    def order(self) -> list[str]:
        """The names of the providers, first asked first."""
        return [link.name for link in self._links]

    @property
    def concurrency(self) -> int:
        """How many calls may run at the same time."""
        return sum(link.slots.number for link in self._links)

    def capacity(self) -> int:
        """Return how many decisions may wait and still be answered within the deadline; 1 at least.

        That is what the first provider answers in the time it is waited for, judged by its calls of late and by those
        for storms that take its slots to be condensed, less those that wait for it already. The others are no part of
        it: they are the reserve for when it fails. Where nobody may be asked, because all are dead or nothing is left
        to spend, the rules answer at once, and there is no limit.
        """
        available = [link for link in self._links if link.available]
        if not available:
            return UNLIMITED
        first, number = available[0], available[0].slots.number
        seconds = self._deadline - self._timeout * len(available)
        held = first.average
        if self._summarizer and self._summarizer.slots is first.slots:
            held += self._storms * self._summarizer.average
        answers = max(number, int(number * seconds / max(held, _INSTANT)))
        return max(answers - first.slots.waiting, 1)

    async def judge(self, case: Case, metrics: GoldenSignals | None, errand: DecisionContext) -> ProviderAnswer | None:
        """Return the first answer; None where nobody gave one, with the reasons in the errand."""
        stormy = is_storm(case)
        self._storms += _WEIGHT * (stormy - self._storms)
        digest = await condense(case, self._summarizer, errand) if stormy and self._summarizer else ""
        prompt = arbiter_prompt(case, metrics, self._language, digest)
        for place, link in enumerate(self._links, start=1):
            behind = sum(other.available for other in self._links[place:])
            try:
                answer = await link.ask(prompt, _FORM, errand, reserve=self._timeout * behind)
            except Exception as error:
                # A fault of ours in one provider must not keep the others from answering.
                log.exception("a provider failed", provider=link.name)
                errand.reasons.append(f"{link.name}: failed with {type(error).__name__}")
                continue
            if answer is not None:
                return ProviderAnswer(answer, link.name, link.model)
        return None

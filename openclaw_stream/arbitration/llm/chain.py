"""The chain: providers in their order, each asked when those before it gave no answer."""

from collections.abc import Sequence
from typing import Final

import structlog

from openclaw_stream.arbitration.llm.answer_cache import ProviderAnswer
from openclaw_stream.arbitration.llm.prompt.answer_review import AnswerReader
from openclaw_stream.arbitration.llm.prompt.response import RESPONSE_SCHEMA
from openclaw_stream.arbitration.llm.prompt.template import arbiter_prompt
from openclaw_stream.arbitration.llm.provider_client import AnswerFormat, DecisionContext, ProviderClient
from openclaw_stream.arbitration.llm.storm_summary import is_storm, summarize_storm
from openclaw_stream.events.decision import GoldenSignals
from openclaw_stream.incidents.case import Case
from openclaw_stream.vocabulary import Language

log = structlog.get_logger(__name__)

UNLIMITED: Final = 1 << 30
_SECONDS_MIN = 1e-3
_WEIGHT = 0.2
"""The weight of the latest decision in the moving share of storms."""


class Chain:
    """Providers of language models in their order.

    Args:
        clients: The providers, first asked first; at least one.
        summarizer: The fast model that summarizes storms, if there is one.
        language: The language of the answers.
        timeout: Seconds for one call.
        deadline: Seconds a decision may take from when it enters the queue.
    """

    def __init__(
        self,
        clients: Sequence[ProviderClient],
        summarizer: ProviderClient | None,
        language: Language,
        timeout: float,
        deadline: float,
    ) -> None:
        self._clients = clients
        self._summarizer = summarizer
        self._language = language
        self._timeout = timeout
        self._deadline = deadline
        self._storm_share = 0.0
        """Moving share of storms among the decisions, 0 to 1."""

    @property
    def models(self) -> tuple[tuple[str, str], ...]:
        """The providers with their models in order, and the summarizer."""
        clients = [*self._clients, *([self._summarizer] if self._summarizer else [])]
        return tuple((client.name, client.model) for client in clients)

    @property
    def order(self) -> list[str]:
        """The names of the providers, first asked first."""
        return [client.name for client in self._clients]

    @property
    def concurrency(self) -> int:
        """How many calls may run at the same time."""
        return sum(client.semaphore.limit for client in self._clients)

    def capacity(self) -> int:
        """Return how many decisions may queue and still be answered within the deadline; 1 at least.

        Only the first available provider counts: the answers it can give before the deadline less a timeout for each
        provider that is tried, at its recent average (plus the storm summaries, where they use its slots), less the
        calls that wait for it already. The others are the reserve for when it fails. Where no provider may be asked,
        because every circuit is open or the budget is spent, the rules answer at once, and there is no limit.
        """
        available = [client for client in self._clients if client.available]
        if not available:
            return UNLIMITED
        first, slots = available[0], available[0].semaphore.limit
        seconds = self._deadline - self._timeout * len(available)
        seconds_per_answer = first.average_seconds
        if self._summarizer and self._summarizer.semaphore is first.semaphore:
            seconds_per_answer += self._storm_share * self._summarizer.average_seconds
        answers = max(slots, int(slots * seconds / max(seconds_per_answer, _SECONDS_MIN)))
        return max(answers - first.semaphore.waiting, 1)

    async def judge(self, case: Case, metrics: GoldenSignals | None, context: DecisionContext) -> ProviderAnswer | None:
        """Return the first answer; None where no provider gave one, with the reasons in the context."""
        storm = is_storm(case)
        self._storm_share += _WEIGHT * (storm - self._storm_share)
        summary = await summarize_storm(case, self._summarizer, context) if storm and self._summarizer else ""
        prompt = arbiter_prompt(case, metrics, self._language, summary)
        answer_format = AnswerFormat(RESPONSE_SCHEMA, AnswerReader(case, metrics, self._language).read)
        for position, client in enumerate(self._clients, start=1):
            after = sum(other.available for other in self._clients[position:])
            try:
                answer = await client.ask(prompt, answer_format, context, reserve=self._timeout * after)
            except Exception as error:
                # An error of our own in one provider must not keep the others from answering.
                log.exception("provider failed", provider=client.name)
                context.reasons.append(f"{client.name}: failed with {type(error).__name__}")
                continue
            if answer is not None:
                return ProviderAnswer(answer, client.name, client.model)
        return None

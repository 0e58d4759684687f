"""The chain behind the answer cache; concurrent decisions with the same cache key share one call.

A decision that is cancelled or past its deadline leaves the call running: its answer is still stored in the cache.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from openclaw_stream.arbitration.llm.answer_cache import AnswerCache, ProviderAnswer
from openclaw_stream.arbitration.llm.budget import Budget
from openclaw_stream.arbitration.llm.cache_key import cache_key
from openclaw_stream.arbitration.llm.chain import Chain
from openclaw_stream.arbitration.llm.prompt.template import PROMPT_VERSION
from openclaw_stream.arbitration.llm.provider_client import DecisionContext
from openclaw_stream.arbitration.validation.validator import validate
from openclaw_stream.events.decision import Attempt, GoldenSignals
from openclaw_stream.incidents.case import Case
from openclaw_stream.resilience.single_flight import SingleFlight
from openclaw_stream.vocabulary import Language

_GRACE_SECONDS = 1.0
"""How long a decision waits past its deadline for the call it started, which ends at the same deadline."""


@dataclass(frozen=True, slots=True)
class ChainOutcome:
    """The answer of the chain, or the reasons why there is none.

    `expired`: there is no answer because the deadline of the decision that started the call has passed.
    """

    answer: ProviderAnswer | None = None
    from_cache: bool = False
    expired: bool = False
    attempts: Sequence[Attempt] = ()
    reasons: Sequence[str] = ()


class CachedChain:
    """The chain with its cache, its single flight and its budget."""

    def __init__(self, chain: Chain, cache: AnswerCache, budget: Budget, language: Language) -> None:
        self._chain = chain
        self._cache = cache
        self._budget = budget
        self._language = language
        self._calls: SingleFlight[str, ChainOutcome] = SingleFlight(lambda outcome: outcome.answer is not None)

    @property
    def order(self) -> list[str]:
        """The names of the providers, first asked first."""
        return self._chain.order

    @property
    def concurrency(self) -> int:
        """How many calls may run at the same time."""
        return self._chain.concurrency

    def capacity(self) -> int:
        """Return how many decisions may queue; see `Chain.capacity`."""
        return self._chain.capacity()

    async def ask(self, case: Case, metrics: GoldenSignals | None, context: DecisionContext) -> ChainOutcome:
        """Return the answer of the cache or of the chain, by the deadline of the context."""
        key = cache_key(case, metrics, self._language, self._chain.models, PROMPT_VERSION)
        answer = partial(self._answer, key, case, metrics, context)
        try:
            while True:
                result, started = self._calls.join(key, answer)
                async with asyncio.timeout(max(context.remaining, 0) + (_GRACE_SECONDS if started else 0)):
                    outcome = await asyncio.shield(result)
                if started:
                    return outcome
                if not outcome.expired:
                    shared = outcome.answer
                    return ChainOutcome(shared, from_cache=shared is not None, reasons=outcome.reasons)
        except TimeoutError:
            reasons = (*context.reasons, "the deadline has passed")
            return ChainOutcome(attempts=tuple(context.attempts), reasons=reasons)

    async def close(self) -> None:
        """Cancel the calls in flight."""
        await self._calls.close()

    async def _answer(
        self,
        key: str,
        case: Case,
        metrics: GoldenSignals | None,
        context: DecisionContext,
        result: "asyncio.Future[ChainOutcome]",
    ) -> None:
        """Set the result from the cache or from the chain, then store the answer and report its cost."""
        cached, _ = await asyncio.gather(self._cache.get(key), self._budget.refresh())
        if cached:
            result.set_result(ChainOutcome(cached, from_cache=True))
            return
        answer = await self._chain.judge(case, metrics, context)
        if answer:
            # An answer that makes it raise must not be stored.
            validate(answer.parsed.judgement, case, metrics, self._language)
        result.set_result(
            ChainOutcome(
                answer,
                expired=answer is None and context.remaining <= 0,
                attempts=tuple(context.attempts),
                reasons=tuple(context.reasons),
            )
        )
        if answer:
            await self._cache.put(key, answer, case)
        await self._budget.report()

"""The models as one: what the cache knows is not asked, and equal questions at the same time are one call.

Who no longer waits for a call leaves it to finish into the cache.
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
from openclaw_stream.arbitration.validation.judgement import validate
from openclaw_stream.events.decision import Attempt, GoldenSignals
from openclaw_stream.incidents.case import Case
from openclaw_stream.resilience.single_flight import SingleFlight
from openclaw_stream.vocabulary import Language

_GRACE = 1.0
"""Seconds a decision waits past its deadline for its own call, which keeps to the same one."""


@dataclass(frozen=True, slots=True)
class ChainOutcome:
    """What became of a question: an answer, or why there is none; `late` if the time of who asked was up."""

    found: ProviderAnswer | None = None
    from_cache: bool = False
    late: bool = False
    attempts: Sequence[Attempt] = ()
    reasons: Sequence[str] = ()


class CachedChain:
    """The chain of models, what is kept of their answers, and what they may cost."""

    def __init__(self, chain: Chain, cache: AnswerCache, budget: Budget, language: Language) -> None:
        self.chain = chain
        self._cache = cache
        self._budget = budget
        self._language = language
        self._flights: SingleFlight[ChainOutcome] = SingleFlight(lambda outcome: outcome.found is not None)

    async def ask(self, case: Case, metrics: GoldenSignals | None, errand: DecisionContext) -> ChainOutcome:
        """Return what the cache or the chain says, by the errand's deadline."""
        key = cache_key(case, metrics, self._language, self.chain.models, PROMPT_VERSION)
        fly = partial(self._fly, key, case, metrics, errand)
        try:
            while True:
                landing, own = self._flights.board(key, fly)
                async with asyncio.timeout(max(errand.left, 0) + (_GRACE if own else 0)):
                    outcome = await asyncio.shield(landing)
                if own:
                    return outcome
                if not outcome.late:
                    return ChainOutcome(outcome.found, from_cache=outcome.found is not None, reasons=outcome.reasons)
        except TimeoutError:
            return ChainOutcome(attempts=tuple(errand.attempts), reasons=(*errand.reasons, "the deadline has passed"))

    async def close(self) -> None:
        """Give up the calls under way."""
        await self._flights.close()

    async def _fly(
        self,
        key: str,
        case: Case,
        metrics: GoldenSignals | None,
        errand: DecisionContext,
        landing: "asyncio.Future[ChainOutcome]",
    ) -> None:
        """Look it up or ask; the answer lands before it is stored and its cost reported."""
        cached, _ = await asyncio.gather(self._cache.get(key), self._budget.refresh())
        if cached:
            landing.set_result(ChainOutcome(cached, from_cache=True))
            return
        found = await self.chain.judge(case, metrics, errand)
        if found:
            validate(found.answer.judgement, case)  # what it cannot take must not be kept
        late = found is None and errand.left <= 0
        landing.set_result(
            ChainOutcome(found, late=late, attempts=tuple(errand.attempts), reasons=tuple(errand.reasons))
        )
        if found:
            await self._cache.put(key, found, case)
        await self._budget.report()

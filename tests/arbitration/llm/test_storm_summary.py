import json
from dataclasses import replace

import pytest

from openclaw_stream.arbitration.llm.storm_summary import SIGNALS_MAX, is_storm
from tests.arbitration.llm.chains import GOOD, chained, judged_storm, ollama_responds
from tests.arbitration.llm.model_server import MODEL, storm
from tests.arbitration.llm.providers.loopback import Answer, hangs, responds

LATE = ollama_responds(" " * 100_000 + '{"summary": "Too far into the text."}')


async def test_a_storm_is_summarized_before_it_is_judged() -> None:
    async with chained(
        GOOD, summary=ollama_responds('{"summary": "It all\\u202e hangs on the password=hunter2."}')
    ) as running:
        context, evidence = await judged_storm(running)
        assert [(each.provider, each.model, each.outcome) for each in context.attempts] == [
            ("ollama", "small", "answered"),
            ("a", MODEL, "answered"),
        ]
        assert {"summary_of_all_alerts": "It all hangs on the password=[redacted:password]"} in evidence
        assert evidence[2]["alert_counts"] == dict(storm().alert_names)
        assert await running.judge() == "a"
        assert len(running.servers[1].requests) == 1


async def test_a_long_summary_is_cut() -> None:
    async with chained(GOOD, summary=ollama_responds(json.dumps({"summary": "It rains. " * 100_000}))) as running:
        _, evidence = await judged_storm(running)
        [digest] = [each["summary_of_all_alerts"] for each in evidence if "summary_of_all_alerts" in each]
        assert str(digest).startswith("It rains. It rains.")
        assert len(str(digest)) <= 600


@pytest.mark.parametrize("summary", [responds(500), ollama_responds("{}"), ollama_responds("A storm."), LATE, hangs])
async def test_without_a_summary_a_storm_is_judged_by_its_counts(summary: Answer) -> None:
    async with chained(GOOD, summary=summary, timeout=2) as running:
        context, evidence = await judged_storm(running)
        assert context.reasons == []
        assert context.attempts[-1].outcome == "answered"
        assert len([each for each in evidence if "alert" in each]) == 12
        assert evidence[2]["alert_counts"] == dict(storm().alert_names)


def test_a_storm_has_more_alert_names_than_are_judged_without_a_summary() -> None:
    assert not is_storm(storm(SIGNALS_MAX))
    assert is_storm(storm(SIGNALS_MAX + 1))
    assert is_storm(replace(storm(SIGNALS_MAX), other_alerts=1))

"""The owner in decisions of the whole arbiter, with a model server on loopback."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from openclaw_stream.arbitration.ownership import OwnerLookup
from openclaw_stream.incidents.case import Case
from openclaw_stream.settings import OwnerSettings
from openclaw_stream.vocabulary import Responsibility
from tests.arbitration.arbiters import GOOD, arbiter
from tests.arbitration.llm.model_server import CASE, Held, answer, case_with, completes
from tests.arbitration.ownership.owners import SHOP

OWN = SHOP.replace('namespace="shop", subject=~"cart|checkout.*"', 'service="parcel-quotes"')


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "owners.toml"
    path.write_text(OWN)
    return path


@pytest.fixture
def lookup(file: Path) -> OwnerLookup:
    return OwnerLookup(OwnerSettings(owners=file, team_label="team"))


async def test_a_decision_has_the_owner_and_the_prompt_names_it(lookup: OwnerLookup) -> None:
    async with arbiter(owners=lookup) as running:
        verdict = await running.arbiter.decide(CASE)
        question = running.server.requests[0].json["messages"][1]["content"]
    assert verdict.owner
    assert verdict.owner.model_dump() == {
        "team": "Shop backend",
        "contact": "https://chat.example.org/shop-backend",
        "matched_by": 'owners file, entry 1: service="parcel-quotes"',
    }
    assert '"owner":{"team":"Shop backend","responsibility":"BE"}' in question


@pytest.mark.parametrize("case", [replace(CASE, service="other"), replace(case_with(labels={"team": ""}), service="x")])
async def test_without_a_match_there_is_no_owner(lookup: OwnerLookup, case: Case) -> None:
    async with arbiter(owners=lookup) as running:
        assert (await running.arbiter.decide(case)).owner is None


async def test_a_wrong_model_does_not_take_the_incident_from_the_owner(lookup: OwnerLookup) -> None:
    case = replace(case_with(labels={"team": "FE"}), service="other")
    async with arbiter(completes(answer(primary_responsibility="DB")), owners=lookup) as running:
        verdict = await running.arbiter.decide(case)
    assert verdict.judgement.primary_responsibility is Responsibility.FE
    assert verdict.confidence.gate == "rerouted"


async def test_a_reload_changes_no_decision_in_flight(lookup: OwnerLookup, file: Path) -> None:
    held = Held(GOOD)
    async with arbiter(held, owners=lookup) as running:
        first = asyncio.create_task(running.arbiter.decide(CASE))
        await held.requested.wait()
        await asyncio.to_thread(file.write_text, OWN.replace("Shop backend", "Parcels"))
        lookup.reload()
        held.release.set()
        owners = [(await first).owner, (await running.arbiter.decide(CASE)).owner]
    assert [owner.team for owner in owners if owner] == ["Shop backend", "Parcels"]

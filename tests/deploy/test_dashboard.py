"""The dashboard: every panel is complete, asks for metrics that exist, and has a place of its own."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest
import yaml

from tests.conftest import PROJECT
from tests.deploy.crds import installed
from tests.deploy.dashboard import DASHBOARD, PANELS, Query, filled_in, queries
from tests.deploy.prometheus import exported_names

OTHERS = {"process_cpu_seconds_total", "process_resident_memory_bytes", "ALERTS"}


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_has_a_description_a_unit_and_the_chosen_data_source(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    for target in panel["targets"]:
        assert target["datasource"] == panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


@pytest.mark.parametrize("query", [*queries()], ids=lambda query: query.panel)
def test_a_query_asks_for_metrics_that_exist(query: Query) -> None:
    names = set(re.findall(r"\b(?:openclaw|process)_\w+|\bALERTS\b", query.expression))
    assert names
    assert names <= exported_names() | OTHERS
    assert "$" not in filled_in(query.expression, 1, 1)


def test_panels_do_not_overlap_and_fit_the_page() -> None:
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above, (one, other)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(places)


def test_the_only_variable_is_the_data_source() -> None:
    assert [variable["name"] for variable in DASHBOARD["templating"]["list"]] == ["datasource"]


@pytest.mark.parametrize("path", ["datasources/prometheus.yaml", "dashboards/openclaw-stream.yaml"])
def test_provisioning_is_of_the_version_that_grafana_reads(path: str) -> None:
    text = (PROJECT / "deploy" / "grafana" / "provisioning" / path).read_text(encoding="utf-8")
    assert yaml.safe_load(text)["apiVersion"] == 1


@pytest.mark.deploy
def test_grafana_knows_every_field_of_the_dashboard() -> None:
    """Its published model keeps no unknown field, so what comes back has all that was given."""
    installed("grafana_foundation_sdk.cog.plugins").register_default_plugins()
    model = installed("grafana_foundation_sdk.models.dashboard").Dashboard.from_json(DASHBOARD)
    encoder = installed("grafana_foundation_sdk.cog.encoder").JSONEncoder
    assert not list(lost(DASHBOARD, json.loads(json.dumps(model, cls=encoder))))


def lost(given: Any, back: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of what was given and did not come back."""
    if isinstance(given, dict) and isinstance(back, dict):
        for key, value in given.items():
            yield from lost(value, back[key], f"{path}/{key}") if key in back else [f"{path}/{key}"]
    elif isinstance(given, list) and isinstance(back, list) and len(given) == len(back):
        for place, (one, other) in enumerate(zip(given, back, strict=True)):
            yield from lost(one, other, f"{path}/{place}")
    elif given != back:
        yield path

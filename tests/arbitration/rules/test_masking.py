"""Names of services and hashes of pods are masked in texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.arbitration.rules.masking import mask, masked_names
from tests.builders import alert, case_from

HASH = st.text("bcdfghjklmnpqrstvwxz2456789", min_size=5, max_size=5)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("cart-api is slow", "~ is slow"),
        ("CartApiErrorsHigh", "~ErrorsHigh"),
        ("The Cart API and cart_api", "The ~ and ~"),
        ("carts-api, cart-apis, mycart-api", "carts-api, cart-apis, mycart-api"),
        ("cartapi", "~"),
        ("nothing of it", "nothing of it"),
    ],
)
def test_a_name_is_masked_in_every_spelling(text: str, masked: str) -> None:
    assert mask(text, ("cart-api",)) == masked


def test_names_in_chinese_are_masked() -> None:
    assert mask("訂單服務錯誤率過高", ("訂單服務",)) == "~錯誤率過高"


@given(st.text("bcdfghjklmnpqrstvwxz2456789", min_size=8, max_size=10), HASH)
def test_the_hashes_of_a_pod_are_masked_in_any_text(replica_set: str, pod: str) -> None:
    assert mask(f"Pod shop/cart-{replica_set}-{pod} restarts", ()) == "Pod shop/cart restarts"


def test_names_come_from_services_targets_and_labels() -> None:
    labels = {"namespace": "shop", "pod": "images-7d9f8b6c5-x2x4z", "deployment": "images", "node": "worker-1"}
    found = alert("Slow", labels=labels, target_resource="deployment/review")
    names = masked_names(case_from(found, services=("order",)), "cart", lambda name: name != "order")
    assert set(names) == {"cart", "images", "images-7d9f8b6c5-x2x4z", "review"}
    assert names[0] == "images-7d9f8b6c5-x2x4z", "the longest first, so that no part of it stays"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Slowest calls: `pricing` 91%, `redis` 2%", "Slowest calls: `pricing` 91%, ~"),
        ("pricing (88 %), redis (7.5 %).", "pricing (88 %), ~."),
        ("pricing 50%, redis 30%, kafka 20%", "pricing 50%, redis 30%, kafka 20%"),
        ("redis 2%", "redis 2%"),
        ("Disk of redis is 91% full", "Disk of redis is 91% full"),
    ],
)
def test_what_has_a_small_share_beside_a_large_one_is_no_evidence(text: str, masked: str) -> None:
    assert mask(text, ()) == masked

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.alerts.hosts import host_of, in_cluster_service, is_identifier


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("10.0.0.1:9100", "10.0.0.1"),
        ("[2001:db8::1]:9100", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("https://[2001:db8::5]:8443/x", "2001:db8::5"),
        ("https://pay.example.org/health?x=1", "pay.example.org"),
        ("pay.example.org:8443/health", "pay.example.org"),
        ("postgres://reader@db-1:5432/shop", "db-1"),
        ("WEB-1.Example.org.", "web-1.example.org"),
        ("Zabbix server", "Zabbix server"),
        ("http://[", "http://["),
        ("/", "/"),
    ],
)
def test_the_host_of_an_address_is_without_port_and_path(address: str, host: str) -> None:
    assert host_of(address) == host


@pytest.mark.parametrize(
    ("host", "service"),
    [
        ("cart.shop.svc.cluster.local", ("", "cart", "shop")),
        ("cart.shop.svc", ("", "cart", "shop")),
        ("cache-0.cache.shop.svc.cluster.local", ("cache-0", "cache", "shop")),
        ("cart.shop", None),
        ("svc.example.org", None),
    ],
)
def test_a_service_is_known_by_its_name_within_the_cluster(host: str, service: tuple[str, str, str] | None) -> None:
    assert in_cluster_service(host) == service


def test_a_uuid_is_an_identifier() -> None:
    assert is_identifier("627cc493-f310-47de-96bd-71410b7dec09")
    assert not is_identifier("web-1")


@given(st.text(min_size=1))
def test_every_address_has_a_host(address: str) -> None:
    assert host_of(address) or address.startswith("[")

import pytest

from openclaw_stream.errors import SettingsError
from openclaw_stream.settings import load_settings


@pytest.mark.parametrize(
    "url",
    [
        "redis://redis",
        "redis://:secret@redis:6379/3",
        "rediss://user:secret@redis:6380/0?ssl_cert_reqs=none",
        "unix:///run/redis.sock?db=2",
        " redis://[::1]:6379 \n",
    ],
)
def test_addresses_of_redis(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    given = load_settings().chain.redis_url
    assert given is not None
    assert given.get_secret_value() == url.strip()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://user:hunter2@redis", "must begin with redis://"),
        ("redis://", "must begin with redis://"),
        ("redis://:hunter2@redis:99999", "no URL"),
        ("redis://:hunter2@redis/prod", "no number of a database"),
        ("redis://:hunter2@redis/0?bogus=1", "does not know one of its options"),
        ("redis://:hunter2@redis/0?socket_timeout=long", "does not know one of its options"),
    ],
)
def test_what_cannot_be_an_address_is_refused_and_not_shown(
    url: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    with pytest.raises(SettingsError, match=reason) as caught:
        load_settings()
    assert "REDIS_URL=(secret)" in str(caught.value)
    assert "hunter2" not in str(caught.value)

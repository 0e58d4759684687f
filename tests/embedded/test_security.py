import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclBindingFilter, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType

from openclaw_stream.embedded import EmbeddedKafkaCluster, Security
from openclaw_stream.errors import EmbeddedError
from tests.embedded.clients import PASSWORD, WITHIN, as_user, create_topic, plain, produce, wait_until

PUNCTUATED = "!#$%&'()*+,-./:;<=>?@[]^_`{|}~${env:HOME}"


@pytest.fixture(scope="module")
def secured() -> Iterator[EmbeddedKafkaCluster]:
    """One node with two users, the password of one with all punctuation that is allowed."""
    with EmbeddedKafkaCluster(1, security=Security({"ann": PASSWORD, "bob": PUNCTUATED})) as cluster:
        yield cluster


def test_a_user_may_do_what_an_acl_allows_until_it_is_deleted(secured: EmbeddedKafkaCluster) -> None:
    topic, admin = create_topic(secured), AdminClient(plain(secured))
    refused = KafkaError.TOPIC_AUTHORIZATION_FAILED
    right = (ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, "User:ann", "*")
    acl = AclBinding(*right, AclOperation.WRITE, AclPermissionType.ALLOW)

    def code(user: str, password: str = PASSWORD) -> int | None:
        error = produce(as_user(secured, user, password), topic, b"1")
        return None if error is None else error.code()

    assert code("ann") == refused
    admin.create_acls([acl])[acl].result(WITHIN)
    wait_until(lambda: code("ann") is None)
    assert code("bob", PUNCTUATED) == refused
    given = AclBindingFilter(*right, AclOperation.WRITE, AclPermissionType.ALLOW)
    assert admin.delete_acls([given])[given].result(WITHIN) == [acl]
    wait_until(lambda: code("ann") == refused)


def test_a_wrong_password_is_refused(secured: EmbeddedKafkaCluster) -> None:
    codes: list[int] = []
    report: dict[str, Any] = {"error_cb": lambda error: codes.append(error.code())}
    admin = AdminClient(report | as_user(secured, "ann", "wr0ng"))
    while KafkaError._AUTHENTICATION not in codes:  # noqa: SLF001 - librdkafka's own codes begin like this
        admin.poll(0.1)


@pytest.mark.parametrize(
    ("user", "password"), [('a"', "p"), ("", "p"), ("a", ""), ("a", "p\\"), ("a", "p q"), ("a", "ä")]
)
def test_invalid_names_and_passwords_are_refused(user: str, password: str) -> None:
    with pytest.raises(ValueError, match="not allowed"):
        Security({user: password})


def test_clients_verify_the_certificate_of_the_listener(secured: EmbeddedKafkaCluster) -> None:
    host, _, port = secured.secured_servers.partition(":")
    trusting = ssl.create_default_context(cafile=str(secured.certificate))
    with socket.create_connection((host, int(port))) as plain_socket:
        trusting.wrap_socket(plain_socket, server_hostname=host).close()
    with (
        socket.create_connection((host, int(port))) as plain_socket,
        pytest.raises(ssl.SSLCertVerificationError, match=r"self.signed"),
    ):
        ssl.create_default_context().wrap_socket(plain_socket, server_hostname=host)


def test_the_certificate_is_for_loopback_and_lasts_two_days(tmp_path: Path) -> None:
    security = Security({"ann": PASSWORD})
    security.create_certificate(tmp_path)
    context = ssl.create_default_context(cafile=str(security.certificate(tmp_path)))
    (certificate,) = context.get_ca_certs()
    begin, end = (ssl.cert_time_to_seconds(str(certificate[name])) for name in ("notBefore", "notAfter"))
    assert certificate["subject"] == ((("commonName", "localhost"),),)
    assert certificate["subjectAltName"] == (("IP Address", "127.0.0.1"),)
    assert end - begin == 2 * 24 * 60 * 60


def test_a_certificate_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match=r"keytool failed with exit code 1[\s\S]*missing"):
        Security({"ann": PASSWORD}).create_certificate(tmp_path / "missing")


def test_no_certificate_is_created_without_tls(tmp_path: Path) -> None:
    Security({"ann": PASSWORD}, tls=False).create_certificate(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_properties_have_all_users(tmp_path: Path) -> None:
    properties = Security({"ann": "one", "b.o-b_2": "two;"}).properties(tmp_path)
    login = properties["listener.name.secured.plain.sasl.jaas.config"]
    assert login.endswith('PlainLoginModule required user_ann="one" user_b.o-b_2="two;";')
    assert properties["ssl.keystore.location"] == str(tmp_path / "keys.p12")


@pytest.mark.parametrize(("tls", "protocol"), [(True, "SASL_SSL"), (False, "SASL_PLAINTEXT")])
@pytest.mark.parametrize("authorizer", [True, False])
def test_tls_and_the_authorizer_are_independent(tmp_path: Path, *, tls: bool, authorizer: bool, protocol: str) -> None:
    security = Security({"ann": PASSWORD}, tls=tls, authorizer=authorizer)
    properties = security.properties(tmp_path)
    assert security.protocol == protocol
    assert any(name.startswith("ssl.") for name in properties) == tls
    assert ("authorizer.class.name" in properties) == authorizer

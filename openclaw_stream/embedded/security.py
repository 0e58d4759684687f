"""Users, TLS and the authorizer of an embedded Kafka cluster."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from openclaw_stream.embedded.runtime import java, run
from openclaw_stream.embedded.server import HOST

_KEYSTORE = "keys.p12"
_KEYSTORE_PASSWORD = "changeit"  # noqa: S105 - of a keystore that is deleted with its cluster
_CERTIFICATE = "certificate.pem"
_LOGIN_MODULE = "org.apache.kafka.common.security.plain.PlainLoginModule"
_USER = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_PASSWORD = re.compile(r"[!#-\[\]-~]+")  # Java reads a properties file as ISO 8859-1


@dataclass(frozen=True, slots=True)
class Security:
    r"""Security of the SECURED listener of a cluster; the other listeners have none.

    With the authorizer, the users may do only what ACLs allow. A client of the PLAINTEXT listener is
    ``User:ANONYMOUS``, which is a superuser: tests create topics and ACLs there, and the program under test uses the
    SECURED listener.

    Attributes:
        users: SASL PLAIN users and their passwords; names of letters, digits, ``_``, ``.`` and ``-``, passwords of
            ASCII characters without spaces, ``"`` and ``\``.
        tls: Whether the listener is SASL_SSL, with a certificate for 127.0.0.1, or SASL_PLAINTEXT.
        authorizer: Whether ACLs are enforced.

    Raises:
        ValueError: a name or a password cannot be written in Kafka's configuration.
    """

    users: Mapping[str, str]
    tls: bool = True
    authorizer: bool = True

    def __post_init__(self) -> None:
        for user, password in self.users.items():
            if not _USER.fullmatch(user) or not _PASSWORD.fullmatch(password):
                raise ValueError(f"the name or the password of user {user!r} has characters that are not allowed")

    @property
    def protocol(self) -> str:
        """The ``security.protocol`` of clients of the SECURED listener."""
        return "SASL_SSL" if self.tls else "SASL_PLAINTEXT"

    def certificate(self, folder: Path) -> Path:
        """Return the path in ``folder`` of the certificate to trust, in PEM."""
        return folder / _CERTIFICATE

    def create_certificate(self, folder: Path) -> None:
        """Create a key and a self-signed certificate in ``folder`` if TLS is enabled.

        Raises:
            EmbeddedError: Java's keytool failed.
        """
        if self.tls:
            names = ("-dname", "CN=localhost", "-ext", f"san=ip:{HOST}", "-ext", "bc=ca:true", "-validity", "2")
            _keytool(folder, "-genkeypair", "-keyalg", "EC", "-storetype", "PKCS12", *names)
            _keytool(folder, "-exportcert", "-rfc", "-file", str(self.certificate(folder)))

    def properties(self, folder: Path) -> dict[str, str]:
        """Return the broker's properties; ``folder`` has the files of `create_certificate`."""
        users = " ".join(f'user_{user}="{password}"' for user, password in self.users.items())
        login = {
            "sasl.enabled.mechanisms": "PLAIN",
            "listener.name.secured.plain.sasl.jaas.config": f"{_LOGIN_MODULE} required {users};",
        }
        return login | (_tls_properties(folder) if self.tls else {}) | (_AUTHORIZER if self.authorizer else {})


_AUTHORIZER = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",
    "allow.everyone.if.no.acl.found": "false",
}


def _tls_properties(folder: Path) -> dict[str, str]:
    return {
        "ssl.keystore.type": "PKCS12",
        "ssl.keystore.location": str(folder / _KEYSTORE),
        "ssl.keystore.password": _KEYSTORE_PASSWORD,
    }


def _keytool(folder: Path, *arguments: str) -> None:
    keystore = ("-keystore", str(folder / _KEYSTORE), "-storepass", _KEYSTORE_PASSWORD, "-alias", "kafka")
    run([str(java()[0].with_name("keytool")), *arguments, *keystore])

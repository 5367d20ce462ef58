"""TLS of the gRPC door: one certificate and its key, as PEM files; only HTTP/2 is agreed on (ALPN `h2`, RFC 9113 section 3.2 and 9.2)."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from nearimage.domain.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Tls:
    """Where the server's identity is.

    Attributes:
        certificate: the chain, the server's own first.
        key: without a passphrase.
    """

    certificate: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """For a server: TLS 1.2 at least, as HTTP/2 asks for.

        Raises:
            InvalidInput: a file cannot be read, or they do not belong together.
        """
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["h2"])
        try:
            context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as wrong:
            message = f"the certificate {self.certificate} and the key {self.key} cannot be used: {wrong}; both are PEM files, the key without a passphrase"
            raise InvalidInput(message, certificate=str(self.certificate), key=str(self.key)) from wrong
        return context

    def read(self) -> tuple[bytes, bytes]:
        """The certificate and the key as they are.

        Raises:
            InvalidInput: as `context`.
        """
        self.context()
        return self.certificate.read_bytes(), self.key.read_bytes()

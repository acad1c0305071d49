"""The words every schedule shares: protocol versions, the two sides of a connection, record content types."""

from enum import IntEnum, StrEnum


class Version(IntEnum):
    """A protocol version, by its number on the wire; `str()` gives the usual name ("TLS 1.2")."""

    SSL3 = 0x0300
    TLS10 = 0x0301
    TLS11 = 0x0302
    TLS12 = 0x0303
    TLS13 = 0x0304

    @property
    def wire(self) -> bytes:
        """The two bytes of ProtocolVersion (RFC 5246 §6.2.1)."""
        return self.to_bytes(2, "big")

    def __str__(self) -> str:
        return "SSL 3.0" if self is Version.SSL3 else f"TLS 1.{self - Version.TLS10}"


class Side(StrEnum):
    """Who writes: a "client" key protects what the client sends."""

    CLIENT = "client"
    SERVER = "server"

    @property
    def other(self) -> "Side":
        """The peer."""
        return Side.SERVER if self is Side.CLIENT else Side.CLIENT


class ContentType(IntEnum):
    """What a record carries (RFC 8446 §5.1)."""

    CHANGE_CIPHER_SPEC = 20
    ALERT = 21
    HANDSHAKE = 22
    APPLICATION_DATA = 23
    HEARTBEAT = 24

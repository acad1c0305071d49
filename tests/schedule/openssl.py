"""OpenSSL's own KDFs, through `openssl kdf`: a second implementation to check against. Without it these tests fail."""

import subprocess

from keyfence.schedule import PrfHash

DIGESTS = {
    PrfHash.MD5: "MD5",
    PrfHash.SHA1: "SHA1",
    PrfHash.SHA256: "SHA256",
    PrfHash.SHA384: "SHA384",
    PrfHash.SHA512: "SHA512",
}


def kdf(name: str, length: int, *options: str) -> bytes:
    """`length` bytes of `openssl kdf NAME`, options as "key:value"."""
    arguments = [word for option in options for word in ("-kdfopt", option)]
    command = ["openssl", "kdf", "-keylen", str(length), *arguments, name]
    printed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    return bytes.fromhex(printed.strip().replace(":", ""))


def tls1_prf(digest: str, secret: bytes, seed: bytes, length: int) -> bytes:
    """TLS1-PRF; digest MD5-SHA1 is that of TLS 1.0 and 1.1. `seed` includes the label."""
    return kdf("TLS1-PRF", length, f"digest:{digest}", f"hexsecret:{secret.hex()}", f"hexseed:{seed.hex()}")


def tls13_kdf(digest: str, secret: bytes, label: bytes, context: bytes, length: int) -> bytes:
    """HKDF-Expand-Label."""
    options = [f"digest:{digest}", "mode:EXPAND_ONLY", f"hexkey:{secret.hex()}", "hexprefix:746c73313320"]
    return kdf("TLS13-KDF", length, *options, f"hexlabel:{label.hex()}", f"hexdata:{context.hex()}")


def hkdf(digest: str, key: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """Extract and expand."""
    options = [f"digest:{digest}", f"hexkey:{key.hex()}", f"hexsalt:{salt.hex()}", f"hexinfo:{info.hex()}"]
    return kdf("HKDF", length, *options)

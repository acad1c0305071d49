"""Parameters of `params.tls` in C, and what the module writes back through them: handles, IVs, versions, PRF output."""

from collections.abc import Callable

from ...params import (
    ExtendedMasterKeyDerive,
    KeyMat,
    MasterKeyDerive,
    Tls12KeyMat,
    Tls12MasterKeyDerive,
    TlsKdf,
    TlsMac,
    TlsPrf,
    WtlsKeyMat,
    WtlsMasterKeyDerive,
    WtlsPrf,
)
from ...values import Derived, KeyMaterial
from ..memory import CData, Memory, Output
from ..structures import ffi
from .encoded import Encoded, of_structure


def master_key_derive(memory: Memory, p: MasterKeyDerive) -> Encoded:
    version = _Version(memory, p.wants_version)
    pointer = memory.structure("CK_SSL3_MASTER_KEY_DERIVE_PARAMS", RandomInfo=_randoms(memory, p), pVersion=version.pointer)
    return of_structure(pointer, version.collect)


def tls12_master_key_derive(memory: Memory, p: Tls12MasterKeyDerive) -> Encoded:
    version = _Version(memory, p.wants_version)
    pointer = memory.structure(
        "CK_TLS12_MASTER_KEY_DERIVE_PARAMS",
        RandomInfo=_randoms(memory, p),
        pVersion=version.pointer,
        prfHashMechanism=p.prf_hash,
    )
    return of_structure(pointer, version.collect)


def extended_master_key_derive(memory: Memory, p: ExtendedMasterKeyDerive) -> Encoded:
    version = _Version(memory, p.wants_version)
    pointer = memory.structure(
        "CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS",
        prfHashMechanism=p.prf_hash,
        pSessionHash=memory.octets(p.session_hash, "pSessionHash"),
        ulSessionHashLen=len(p.session_hash),
        pVersion=version.pointer,
    )
    return of_structure(pointer, version.collect)


def wtls_master_key_derive(memory: Memory, p: WtlsMasterKeyDerive) -> Encoded:
    """WTLS has one version byte; `Derived.version` carries it as the major."""
    version = memory.output(1 if p.wants_version else 0)
    pointer = memory.structure(
        "CK_WTLS_MASTER_KEY_DERIVE_PARAMS", DigestMechanism=p.digest, RandomInfo=_randoms(memory, p), pVersion=version.pointer
    )

    def collect(handle: int) -> Derived:
        written = version.written()
        return Derived(handle=handle, version=(written[0], 0) if written else None)

    return of_structure(pointer, collect)


def key_mat(memory: Memory, p: KeyMat) -> Encoded:
    out = _KeyMatOut(memory, p.iv_bits)
    pointer = memory.structure("CK_SSL3_KEY_MAT_PARAMS", **_key_mat_fields(memory, p), pReturnedKeyMaterial=out.pointer)
    return of_structure(pointer, out.collect, returns_handle=False)


def tls12_key_mat(memory: Memory, p: Tls12KeyMat) -> Encoded:
    out = _KeyMatOut(memory, p.iv_bits)
    fields = _key_mat_fields(memory, p)
    pointer = memory.structure(
        "CK_TLS12_KEY_MAT_PARAMS", **fields, pReturnedKeyMaterial=out.pointer, prfHashMechanism=p.prf_hash
    )
    return of_structure(pointer, out.collect, returns_handle=False)


def wtls_key_mat(memory: Memory, p: WtlsKeyMat) -> Encoded:
    """One direction per call: its MAC key, write key and IV come back on `KeyMaterial`'s client side, whichever it is."""
    iv = memory.output(_octets_of(p.iv_bits))
    out = memory.structure("CK_WTLS_KEY_MAT_OUT", pIV=iv.pointer)
    pointer = memory.structure(
        "CK_WTLS_KEY_MAT_PARAMS",
        **_key_mat_fields(memory, p),
        DigestMechanism=p.digest,
        ulSequenceNumber=p.sequence_number,
        pReturnedKeyMaterial=out,
    )

    def collect(handle: int) -> Derived:
        return Derived(handle, KeyMaterial(client_mac=out.hMacSecret, client_key=out.hKey, client_iv=iv.written()))

    return of_structure(pointer, collect, returns_handle=False)


def tls_prf(memory: Memory, p: TlsPrf) -> Encoded:
    return _prf(memory, p, "CK_TLS_PRF_PARAMS")


def wtls_prf(memory: Memory, p: WtlsPrf) -> Encoded:
    return _prf(memory, p, "CK_WTLS_PRF_PARAMS", DigestMechanism=p.digest)


def tls_kdf(memory: Memory, p: TlsKdf) -> Encoded:
    """A context of no bytes is not "no context" (RFC 5705 section 4): only the latter is NULL."""
    return of_structure(
        memory.structure(
            "CK_TLS_KDF_PARAMS",
            prfMechanism=p.prf,
            pLabel=memory.octets(p.label, "pLabel"),
            ulLabelLength=len(p.label),
            RandomInfo=_randoms(memory, p),
            pContextData=ffi.NULL if p.context is None else memory.octets(p.context, "pContextData"),
            ulContextDataLength=len(p.context or b""),
        )
    )


def tls_mac(memory: Memory, p: TlsMac) -> Encoded:
    return of_structure(
        memory.structure(
            "CK_TLS_MAC_PARAMS", prfHashMechanism=p.prf_hash, ulMacLength=p.mac_length, ulServerOrClient=p.server_or_client
        )
    )


_WithRandoms = MasterKeyDerive | Tls12MasterKeyDerive | WtlsMasterKeyDerive | KeyMat | Tls12KeyMat | WtlsKeyMat | TlsKdf


def _randoms(memory: Memory, p: _WithRandoms) -> dict[str, object]:
    return {
        "pClientRandom": memory.octets(p.client_random, "pClientRandom"),
        "ulClientRandomLen": len(p.client_random),
        "pServerRandom": memory.octets(p.server_random, "pServerRandom"),
        "ulServerRandomLen": len(p.server_random),
    }


def _key_mat_fields(memory: Memory, p: KeyMat | Tls12KeyMat | WtlsKeyMat) -> dict[str, object]:
    return {
        "ulMacSizeInBits": p.mac_bits,
        "ulKeySizeInBits": p.key_bits,
        "ulIVSizeInBits": p.iv_bits,
        "bIsExport": p.is_export,
        "RandomInfo": _randoms(memory, p),
    }


def _prf(memory: Memory, p: TlsPrf | WtlsPrf, structure: str, **more: object) -> Encoded:
    """The output goes to the caller: no key is made, so phKey is NULL. Fewer bytes than asked come back as that many."""
    output: Output = memory.output(p.output_length)
    length = memory.ulong(p.output_length, "pulOutputLen")
    pointer = memory.structure(
        structure,
        pSeed=memory.octets(p.seed, "pSeed"),
        ulSeedLen=len(p.seed),
        pLabel=memory.octets(p.label, "pLabel"),
        ulLabelLen=len(p.label),
        pOutput=output.pointer,
        pulOutputLen=length,
        **more,
    )

    def collect(handle: int) -> Derived:
        written = output.written()
        return Derived(handle, output=written[: length[0]] if written else None)

    return of_structure(pointer, collect, returns_handle=False)


class _Version:
    """pVersion: two bytes for the module to write, or NULL."""

    def __init__(self, memory: Memory, wanted: bool) -> None:
        self._output = memory.output(2 if wanted else 0)
        self.pointer = ffi.cast("CK_VERSION *", self._output.pointer)

    def collect(self, handle: int) -> Derived:
        written = self._output.written()
        return Derived(handle, version=(written[0], written[1]) if written else None)


class _KeyMatOut:
    """CK_SSL3_KEY_MAT_OUT: four handles, and two IVs that are NULL where none was asked for."""

    def __init__(self, memory: Memory, iv_bits: int) -> None:
        self._client_iv = memory.output(_octets_of(iv_bits))
        self._server_iv = memory.output(_octets_of(iv_bits))
        ivs = {"pIVClient": self._client_iv.pointer, "pIVServer": self._server_iv.pointer}
        self.pointer: CData = memory.structure("CK_SSL3_KEY_MAT_OUT", **ivs)

    def collect(self, handle: int) -> Derived:
        out = self.pointer
        material = KeyMaterial(
            client_mac=out.hClientMacSecret,
            server_mac=out.hServerMacSecret,
            client_key=out.hClientKey,
            server_key=out.hServerKey,
            client_iv=self._client_iv.written(),
            server_iv=self._server_iv.written(),
        )
        return Derived(handle, material)


def _octets_of(bits: int) -> int:
    """Bytes that hold so many bits, a part of one counting whole: modules round either way, and both must fit."""
    if bits < 0:
        raise ValueError(f"ulIVSizeInBits: {bits} does not fit")
    return (bits + 7) // 8


ENCODERS: dict[type, Callable[..., Encoded]] = {
    MasterKeyDerive: master_key_derive,
    Tls12MasterKeyDerive: tls12_master_key_derive,
    ExtendedMasterKeyDerive: extended_master_key_derive,
    WtlsMasterKeyDerive: wtls_master_key_derive,
    KeyMat: key_mat,
    Tls12KeyMat: tls12_key_mat,
    WtlsKeyMat: wtls_key_mat,
    TlsPrf: tls_prf,
    WtlsPrf: wtls_prf,
    TlsKdf: tls_kdf,
    TlsMac: tls_mac,
}

"""Parameters of `params.ciphers` in C."""

from collections.abc import Callable

from ...constants import CKZ
from ...params import Ccm, ChaCha20Poly1305, Ctr, Gcm, GcmLayout, Iv, Rc2, Rc2Cbc, RsaOaep, RsaPss
from ..memory import Memory, exactly
from .encoded import Encoded, of_structure


def iv(memory: Memory, p: Iv) -> Encoded:
    return Encoded(memory.octets(p.iv, "iv"), len(p.iv))


def gcm(memory: Memory, p: Gcm) -> Encoded:
    common = {
        "pIv": memory.octets(p.iv, "pIv"),
        "ulIvLen": len(p.iv),
        "pAAD": memory.optional(p.aad, "pAAD"),
        "ulAADLen": len(p.aad),
        "ulTagBits": p.tag_bits,
    }
    if p.layout is GcmLayout.NO_IV_BITS:
        return of_structure(memory.structure("CK_GCM_PARAMS_2_40", **common))
    return of_structure(memory.structure("CK_GCM_PARAMS", ulIvBits=8 * len(p.iv), **common))


def ccm(memory: Memory, p: Ccm) -> Encoded:
    return of_structure(
        memory.structure(
            "CK_CCM_PARAMS",
            ulDataLen=p.data_length,
            pNonce=memory.octets(p.nonce, "pNonce"),
            ulNonceLen=len(p.nonce),
            pAAD=memory.optional(p.aad, "pAAD"),
            ulAADLen=len(p.aad),
            ulMACLen=p.mac_length,
        )
    )


def ctr(memory: Memory, p: Ctr) -> Encoded:
    block = exactly(16, p.counter_block, "CK_AES_CTR_PARAMS.cb")
    return of_structure(memory.structure("CK_AES_CTR_PARAMS", ulCounterBits=p.counter_bits, cb=block))


def chacha20_poly1305(memory: Memory, p: ChaCha20Poly1305) -> Encoded:
    return of_structure(
        memory.structure(
            "CK_SALSA20_CHACHA20_POLY1305_PARAMS",
            pNonce=memory.octets(p.nonce, "pNonce"),
            ulNonceLen=len(p.nonce),
            pAAD=memory.optional(p.aad, "pAAD"),
            ulAADLen=len(p.aad),
        )
    )


def rc2(memory: Memory, p: Rc2) -> Encoded:
    return of_structure(memory.ulong(p.effective_bits, "CK_RC2_PARAMS"))


def rc2_cbc(memory: Memory, p: Rc2Cbc) -> Encoded:
    iv8 = exactly(8, p.iv, "CK_RC2_CBC_PARAMS.iv")
    return of_structure(memory.structure("CK_RC2_CBC_PARAMS", ulEffectiveBits=p.effective_bits, iv=iv8))


def rsa_pss(memory: Memory, p: RsaPss) -> Encoded:
    return of_structure(memory.structure("CK_RSA_PKCS_PSS_PARAMS", hashAlg=p.hash, mgf=p.mgf, sLen=p.salt_length))


def rsa_oaep(memory: Memory, p: RsaOaep) -> Encoded:
    return of_structure(
        memory.structure(
            "CK_RSA_PKCS_OAEP_PARAMS",
            hashAlg=p.hash,
            mgf=p.mgf,
            source=CKZ.DATA_SPECIFIED,
            pSourceData=memory.optional(p.source, "pSourceData"),
            ulSourceDataLen=len(p.source),
        )
    )


ENCODERS: dict[type, Callable[..., Encoded]] = {
    Iv: iv,
    Gcm: gcm,
    Ccm: ccm,
    Ctr: ctr,
    ChaCha20Poly1305: chacha20_poly1305,
    Rc2: rc2,
    Rc2Cbc: rc2_cbc,
    RsaPss: rsa_pss,
    RsaOaep: rsa_oaep,
}

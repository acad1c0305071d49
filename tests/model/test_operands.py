"""Every handle a derivation names is an operand: what it exposes, and what its child inherits."""

from keyfence.model import Chain, Derivation, Oracle, Slice, Stream, is_exposed, solve
from keyfence.model.capabilities import Window
from keyfence.model.lengths import Lengths

from .samples import AES, STREAM


def test_a_salt_key_is_the_key_of_an_hmac() -> None:
    extract = Derivation("HKDF-EXTRACT-SHA256", base="data of mine", operands=("master",))
    assert extract.exposes(own={"data of mine"}) == (Oracle(extract.child, "master", "HMAC-SHA256"),)


def test_which_rebuilds_the_key_block_of_tls_1_2() -> None:
    (oracle,) = Derivation("HKDF-EXTRACT-SHA256", "data of mine", ("master",)).exposes(own={"data of mine"})
    found = solve([Slice(STREAM, 0, 40, AES)], [oracle])
    assert isinstance(found, Chain)
    assert found.price.calls == 4
    victim = Window("key", STREAM, AES, start=Lengths.exactly(0), length=Lengths.exactly(16))
    assert is_exposed([victim], [oracle])


def test_as_base_the_same_secret_is_only_the_message() -> None:
    extract = Derivation("HKDF-EXTRACT-SHA256", base="master", operands=("salt of mine",))
    (oracle,) = extract.exposes(own={"salt of mine"})
    assert (oracle.secret, oracle.function) == ("master", "HKDF-EXTRACT-SHA256/message")
    assert not oracle.rebuilds(STREAM)


def test_where_the_table_says_nothing_every_handle_is_what_the_function_takes() -> None:
    concatenate = Derivation("CONCATENATE", "master", ("other",))
    assert [(oracle.secret, oracle.function) for oracle in concatenate.exposes()] == [
        ("master", "CONCATENATE"),
        ("other", "CONCATENATE"),
    ]


def test_a_child_inherits_from_any_operand() -> None:
    child = Derivation("XOR", "data of mine", ("master",))
    assert child.inherits({"master"})
    assert not child.inherits({"other"})


def test_children_of_swapped_operands_are_different_secrets() -> None:
    assert Derivation("CONCATENATE", "a", ("b",)).child != Derivation("CONCATENATE", "b", ("a",)).child
    assert Stream("master", "XOR", b"") != Stream(Derivation("XOR", "master").child, "XOR", b"")

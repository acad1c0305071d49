"""The text of kernels: gates as expressions, the schedule of flips, NVIDIA's assembly where there is no such device."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from keyfence.search.des import DesProblem, Hit, complemented, odd_parity
from keyfence.search.des.layout import KEY_BITS, LANE_BITS
from keyfence.search.opencl import Engine, frame_worker, grid_worker, platforms, unrolled
from keyfence.search.opencl.emit import _expressions
from keyfence.search.opencl.engine import VECTORS
from keyfence.search.opencl.proving import believed
from keyfence.search.problem import NoSuchPath

from ..des.blocks import des, inverted, planted


def test_an_expression_has_its_table() -> None:
    assert sorted(_expressions()) == list(range(256))
    for table, expression in _expressions().items():
        assert eval(expression, {"a": 0xF0, "b": 0xCC, "c": 0xAA}) & 0xFF == table


def test_a_flip_begins_with_its_bit_and_reaches_less_than_everything() -> None:
    everything = unrolled.schedule(None)
    for bit in range(KEY_BITS):
        flipped, *steps = unrolled.schedule(bit)
        assert flipped == unrolled.FLIP + bit
        assert set(steps) < set(everything)


@pytest.mark.parametrize("pair", [False, True])
def test_clang_makes_one_lop3_of_a_gate(tmp_path: Path, pair: bool) -> None:
    """pocl brings clang, which also writes NVIDIA's assembly: the kernel that no device here can run is at least one."""
    clang = shutil.which("clang-15")
    assert clang, "pocl's clang is missing"
    source = tmp_path / "kernel.cl"
    source.write_text(unrolled.source(VECTORS["uint-lop3"], pair))
    options = [
        "-x",
        "cl",
        "-cl-std=CL1.2",
        "-Xclang",
        "-finclude-default-header",
        "-DGROUP=64",
        "-target",
        "nvptx64",
        "-O1",
        "-S",
    ]
    subprocess.run([clang, *options, str(source), "-o", str(tmp_path / "ptx")], check=True)
    written = source.read_text()
    gates = written.count("LUT_") - written.count("uint LUT_")
    assert (tmp_path / "ptx").read_text().count("lop3.b32") == pytest.approx(gates, rel=0.02)


def test_what_computes_wrongly_is_not_believed() -> None:
    """pocl takes NVIDIA's assembly for a processor without an error, and the kernel computes rubbish."""
    device, handle = platforms.chosen(None)
    assert device.kind == "cpu"
    for pair in (False, True):
        with pytest.raises(NoSuchPath, match=r"what .* makes of the kernel uint-lop3 computes wrongly"):
            believed(device, handle, VECTORS["uint-lop3"], pair)


def test_a_device_without_the_assembly_gets_expressions() -> None:
    random = Random(31)
    key = random.randbytes(8)
    problem = planted(random, key, 12)
    assert Engine(vector="uint-lop3").search(problem) == Hit(problem.candidate(key), odd_parity(key))


@pytest.mark.parametrize("vector", ["ulong2", "ulong8", "uint"])
def test_two_keys_of_one_launch(vector: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One by its pair, another by the complemented pair: no key fits both, so here each is asked for its own alone."""

    def confirmed(problem: DesProblem, count: int, lane: int, fitting: int, complement: bool) -> Iterator[Hit]:
        plaintext, ciphertext = problem.all_pairs[complement]
        for candidate in (count << LANE_BITS | lane + bit for bit in range(fitting.bit_length()) if fitting >> bit & 1):
            key = complemented(problem.key(candidate)) if complement else problem.key(candidate)
            if des(key, plaintext) == ciphertext:
                yield Hit(candidate, key)

    plaintext, random = bytes(8), Random(vector)
    numbering = DesProblem(((plaintext, plaintext),), complement=(inverted(plaintext), plaintext))
    Engine(vector=vector).workers(numbering)  # the kernel is proven before anything is put in its way
    monkeypatch.setattr(grid_worker, "confirmed", confirmed)
    monkeypatch.setattr(frame_worker, "confirmed", confirmed)
    monkeypatch.setattr(grid_worker, "ITEMS_PER_UNIT", 16)
    for apart in (0, 1, 32, 511, 512, 4096):
        at = random.randrange(1 << 20, numbering.candidates - (1 << 20))
        one, other = numbering.key(at), complemented(numbering.key(at + apart))
        pairs = ((plaintext, des(one, plaintext)),)
        problem = DesProblem(pairs, complement=(inverted(plaintext), des(other, inverted(plaintext))))
        worker = Engine(vector=vector).workers(problem)()
        first, last = at >> LANE_BITS, (at + apart) >> LANE_BITS
        for start, stop in ((first, last + 1), (first - 7, last + 20)):
            found = sorted((hit.candidate, hit.key) for hit in worker.hits(start, stop))
            assert found == sorted([(at, one), (at + apart, other)])
        assert list(worker.hits(last + 1, last + 9)) == list(worker.hits(first - 9, first)) == []


def test_a_launch_that_reports_too_much_is_made_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(30)
    key = random.randbytes(8)
    problem = planted(random, key, 15)
    taken, real = [], grid_worker.GridWorker._records

    def overflowing(worker: grid_worker.GridWorker, first: int, stop: int) -> list[tuple[int, ...]] | None:
        taken.append(stop - first)
        return None if stop - first > 5 else real(worker, first, stop)

    monkeypatch.setattr(grid_worker.GridWorker, "_records", overflowing)
    assert Engine(vector="uint").search(problem) == Hit(problem.candidate(key), odd_parity(key))
    assert max(taken) == 64
    assert min(taken) in range(3, 6)

"""The bench: turns, other programs (scripts that print what they print, and the real ones), the bound."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keyfence.search.bench import PROGRAMS, Contender, Measured, NoProgram, Options, bound, ours, processor, programs, run
from keyfence.search.bench.measured import engine_rate, in_turns
from keyfence.search.bench.report import Limit, limit_lines, rate_lines, ratio_lines, ratios
from keyfence.search.des.circuits import load
from keyfence.search.des.frame import PATHS
from keyfence.search.des.layout import touched
from keyfence.search.problem import BadProblem, MissingExtra, NoSuchPath

STATUS = "STATUS\t3\tSPEED\t5\t1000\tEXEC_RUNTIME\t14.1\tCURKU\t0\tPROGRESS\t{done}\t72057594037927936\tRECHASH\t0\t1\t"
HASHCAT = f"""
import sys, time
if "--version" in sys.argv: print("v6.2.6"); sys.exit()
if "-I" in sys.argv: print("  Version.: OpenCL 3.0 PoCL 3.1+debian  Linux\\n    Name...........: pthread-EPYC"); sys.exit()
for turn in range(1, 9):
    until = time.process_time() + 0.02
    while time.process_time() < until: pass
    print({STATUS!r}.format(done=1000 * turn), flush=True)
"""
JOHN = """
import sys, os
if len(sys.argv) == 1: print("John the Ripper password cracker, version 1.9.0"); sys.exit()
print("Benchmarking: LM [DES 128/128 SSE2]... DONE")
print("Raw:\\t%sK c/s real, 71031K c/s virtual" % (1000 * int(os.environ.get("OMP_NUM_THREADS", "9"))))
"""
JUMBO = """
print("Benchmarking: LM [DES 512/512 AVX512F]... (2xOMP) DONE")
print("Raw:\\t1.5G c/s real, 700M c/s virtual")
"""


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str], None]:
    """Puts a program of that name on PATH; nothing else is on it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "ELSEWHERE", str(tmp_path))

    def install(name: str, code: str) -> None:
        script = tmp_path / name
        script.write_text(f"#!{sys.executable}\n{code}")
        script.chmod(0o755)

    return install


def test_contenders_take_turns_and_medians_are_told() -> None:
    order: list[str] = []
    rates = {"a": iter((3.0, 1.0, 2.0)), "b": iter((9.0, 9.0, 6.0))}

    def contender(name: str) -> Contender:
        def measure() -> Measured:
            order.append(name)
            wall = next(rates[name])
            return Measured(wall, None if name == "b" else 10 * wall)

        return Contender(name, measure)

    told: list[str] = []
    assert in_turns([contender("a"), contender("b")], 3, told.append) == {"a": Measured(2.0, 20.0), "b": Measured(9.0, None)}
    assert order == ["a", "b"] * 3
    assert told == ["round 1 of 3 done", "round 2 of 3 done", "round 3 of 3 done"]


def test_an_engine_is_measured_by_the_clock_and_by_its_processor_time() -> None:
    class Waits:
        """Computes for nothing, at 100 keys per second of the clock."""

        def rate(self, problem: object, *, seconds: float, threads: int) -> float:
            end = processor.time.process_time() + seconds
            while processor.time.process_time() < end:
                processor.time.sleep(seconds / 10)
            return 100.0

    measured = engine_rate(Waits(), ours.des_problem(), 0.002)  # type: ignore[arg-type]
    assert measured.wall == 100.0
    assert measured.processor is not None
    assert measured.processor > 100.0


def test_hashcats_rate_is_what_it_got_done_after_its_warm_up(installed: Callable[[str, str], None]) -> None:
    installed("hashcat", HASHCAT)
    measured = programs.hashcat(1.0, 1)
    assert measured.wall > 0
    assert measured.processor is not None
    assert 1000 / 0.02 / 4 < measured.processor < 1000 / 0.02 * 2  # 1000 keys in every 20 ms of processor time
    assert programs.hashcat(1.0, 2).processor is None  # what a GPU does takes none of the processor's


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("print('No devices found/left.')", "it says: No devices found/left"),
        ("", "it says: nothing"),
        (f"print({STATUS!r}.format(done=5)); print({STATUS!r}.format(done=5))", "measured nothing"),
    ],
)
def test_a_hashcat_that_does_not_work_is_told(installed: Callable[[str, str], None], said: str, expected: str) -> None:
    installed("hashcat", said)
    with pytest.raises(NoProgram, match=expected):
        programs.hashcat(1.0, 1)


def test_johns_rates_are_read_with_their_units(installed: Callable[[str, str], None]) -> None:
    installed("john", JOHN)
    assert programs.john(1.0, 1) == Measured(1_000_000, 71_031_000)
    assert programs.john(1.0, 2) == Measured(2_000_000, 71_031_000)
    installed("john", JUMBO)
    assert programs.john(1.0, 2) == Measured(1.5e9, 7e8)
    installed("john", "print('Unknown ciphertext format name requested')")
    with pytest.raises(NoProgram, match="it says: Unknown ciphertext format"):
        programs.john(1.0, 1)


def test_programs_are_named_with_version_and_build(installed: Callable[[str, str], None]) -> None:
    installed("hashcat", HASHCAT)
    installed("john", JOHN)
    assert PROGRAMS["hashcat"].described() == "hashcat v6.2.6 on PoCL 3.1+debian, pthread-EPYC"
    assert PROGRAMS["john"].described() == "john 1.9.0, LM by DES 128/128 SSE2"


@pytest.mark.usefixtures("installed")
def test_what_is_not_installed_or_not_known_is_one_clear_line() -> None:
    with pytest.raises(NoProgram, match=r"^john is not installed \(Debian: apt install john\)$"):
        run(Options(("john",)), print)
    with pytest.raises(NoProgram, match="no benchmark against 'nmap'; there is one against hashcat, john"):
        run(Options(("nmap",)), print)


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_real_ones_are_measured(name: str) -> None:
    assert any(digit in programs.program(name).described() for digit in "123456789")
    measured = {"hashcat": lambda: programs.hashcat(2, 1), "john": lambda: programs.john(1, 1)}[name]()
    assert measured.wall > 0
    assert (measured.processor or 0) > 0


@pytest.mark.parametrize("options", [{"rounds": 0}, {"seconds": 0.0}, {"seconds": float("nan")}])
def test_a_bench_needs_rounds_and_time(options: dict[str, float]) -> None:
    with pytest.raises(BadProblem, match="at least one round"):
        Options(**options)  # type: ignore[arg-type]


def test_a_run_tells_rates_ratios_and_the_bound(installed: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    installed("hashcat", HASHCAT)
    installed("john", JOHN)
    one, every, pair_one, pair_every = ours.des_names()
    rates = {one: 6e6, every: 12e6, pair_one: 12e6, pair_every: 24e6}
    faked = [Contender(name, lambda rate=rate: Measured(rate, rate)) for name, rate in rates.items()]
    monkeypatch.setattr(ours, "contenders", lambda _seconds: iter(faked))
    monkeypatch.setattr(ours, "opencl_devices", lambda: [("Radeon", True)])
    lines: list[str] = []
    run(Options(("hashcat", "john", "john"), rounds=1, seconds=0.1), lines.append)
    text = "\n".join(lines)
    assert text.count("against john 1.9.0") == 1
    assert "against hashcat v6.2.6 on PoCL 3.1+debian" in text
    assert next(line for line in lines if line.endswith(f"  {one}")).split()[:2] == ["6", "6"]
    assert f"× john LM, 1 thread ({one}; aim 6)" in text
    assert "hashcat -m 14000, GPU" in text
    assert f"2^32 DES keys in 357.91 s ({every}; aim: under 10)" in text
    assert f"{one}: " in lines[-2]
    assert "vector operations a key" in lines[-2]


def test_all_of_ours_can_be_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "opencl_devices", list)
    contenders = list(ours.contenders(0.01))
    assert len({it.name for it in contenders}) == len(contenders)
    assert {"DES, 1 thread", "DES chosen pair, 1 thread", "hmac-sha256, 1 thread", "rc4, 1 thread"} <= {
        it.name for it in contenders
    }
    assert all(rate.wall > 0 for rate in in_turns(contenders, 1, print).values())


def test_problems_of_the_bench_are_large_enough_never_to_end() -> None:
    assert ours.des_problem().candidates == 2**40
    assert ours.chosen_pair().keys == 2**56 == 2 * ours.chosen_pair().candidates
    assert all(ours.short_problem(algorithm).candidates == 2**40 for algorithm in ours.SHORT)


@pytest.mark.parametrize("error", [MissingExtra("no pyopencl"), NoSuchPath("no device")])
def test_without_opencl_there_is_nothing_of_it(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def missing() -> Iterator[object]:
        raise error

    monkeypatch.setattr(ours, "devices", missing)
    assert list(ours.opencl(0.01)) == []


def test_only_what_was_measured_is_compared() -> None:
    one, every, *_ = ours.des_names()
    found = {one: Measured(2e6, 2e6), every: Measured(3e6, None), "DES, OpenCL on pocl": Measured(1e6, 1e6)}
    assert [(it.ours, it.theirs) for it in ratios(found)] == [(every, one), ("DES, OpenCL on pocl", every)]
    assert [line.split("×")[0].split() for line in ratio_lines(found)][1:3] == [["1.5"], ["0.333"]]
    assert [line.split()[:2] for line in rate_lines(found)][1:] == [["2", "2"], ["3", "DES,"], ["1", "1"]]


LOGIC = """
  %v0 = load <8 x i64>, ptr %frame, align 64
  %v1 = xor <8 x i64> %v0, <i64 -1, i64 -1, i64 -1, i64 -1, i64 -1, i64 -1, i64 -1, i64 -1>
  %v2 = and <8 x i64> %v1, %v0
  %v3 = call <8 x i64> @llvm.x86.avx512.pternlog.q.512(<8 x i64> %v0, <8 x i64> %v1, <8 x i64> %v2, i32 150)
  %v4 = xor <8 x i64> %v3, <i64 -1, i64 -1, i64 -1, i64 -1, i64 -1, i64 -1, i64 -1, i64 -1>
  %v5 = or <8 x i64> %v4, %v0
  %v6 = add i64 %i, 1
  store <8 x i64> %v5, ptr %frame, align 64
"""


def test_logic_is_counted_and_an_inverter_before_an_and_is_free() -> None:
    assert bound.logic(LOGIC) == 4


@pytest.mark.parametrize("path", PATHS, ids=lambda it: it.name)
def test_the_loop_has_what_the_circuits_have(path: object) -> None:
    gates = sum(len(circuit.gates) for circuit in load(path.circuits))
    found = bound.operations(path, ours.des_problem())
    if path.circuits == "lut3":
        assert found.loop == 8 * (gates + 48 + 32)  # per round: gates, key bits added, outputs added to the half block
    else:
        assert found.loop >= 8 * (gates + 48 + 32)  # some outputs are inverted besides
    assert found.keys == path.lanes


def test_a_chosen_pair_counts_two_keys_a_lane() -> None:
    plain, chosen = (bound.operations(PATHS[0], problem) for problem in (ours.des_problem(), ours.chosen_pair()))
    assert chosen.keys == 2 * plain.keys
    assert plain.loop == chosen.loop
    assert plain.per_key / 2 < chosen.per_key < plain.per_key


def test_what_is_counted_outside_is_the_average_over_the_gray_code() -> None:
    problem, path = ours.des_problem(), PATHS[0]
    counts = 2 ** len(problem.layout.counted[:12])
    writer = bound.Writer(path)
    steps = [bound.logic(writer.step(box)) for box in range(8)]
    flips = [(count & -count).bit_length() - 1 for count in range(1, counts)]
    total = sum(steps[it.box] for flip in flips for it in touched(problem.layout.counted[flip], problem.layout.early))
    closer = bound._closer(writer, steps, problem.layout.early, False)
    assert bound.operations(path, problem).outside - closer == pytest.approx(total / counts, abs=1)


def test_the_bound_is_ports_times_clock_over_operations() -> None:
    limit = Limit("DES, 1 thread", bound.Operations(1000, 500, 500, 500), ports=2, clock=3e9)
    found = {"DES, 1 thread": Measured(5e8, 7.5e8)}
    assert list(limit_lines(iter([limit]), found)) == [
        "DES, 1 thread: 4.00 vector operations a key, 2 a cycle, 3.00 GHz measured: 1,500 M keys/s at most, 50 % of it reached"
    ]


@pytest.mark.parametrize(
    ("ports", "clock", "expected"), [(None, 3e9, "instructions a cycle not known"), (2, None, "clock not known")]
)
def test_without_ports_or_clock_there_is_no_bound(ports: int | None, clock: float | None, expected: str) -> None:
    limit = Limit("DES, 1 thread", bound.Operations(1000, 500, 500, 500), ports, clock)
    (line,) = limit_lines(iter([limit]), {"DES, 1 thread": Measured(5e8, None)})
    assert expected in line


def test_the_processor_is_read_where_the_kernel_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"vendor_id": "AuthenticAMD", "cpu family": "25", "model name": "EPYC"}
    monkeypatch.setattr(processor, "_cpuinfo", told.get)
    assert (processor.name(), processor.ports()) == ("EPYC", 2)
    told["cpu family"] = "26"
    assert processor.ports() is None
    monkeypatch.setattr(processor, "_cpuinfo", {}.get)
    assert (processor.name(), processor.ports()) == ("an unknown processor", None)


def test_the_clock_is_a_clocks() -> None:
    assert 1e8 < (processor.clock() or 0) < 1e11

"""Which devices there are, how one is named, and what is said where there is none."""

import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from keyfence.search import threads
from keyfence.search.des import DesProblem
from keyfence.search.opencl import Device, Engine, devices, frame_worker, platforms
from keyfence.search.opencl.engine import suited
from keyfence.search.problem import MissingExtra, NoSuchPath


def test_the_devices_are_described() -> None:
    found = devices()
    assert found
    assert {device.kind for device in found} <= {"cpu", "gpu", "accelerator"}
    assert all(device.name and device.platform and device.units > 0 for device in found)


@pytest.mark.parametrize("spelled", [str.upper, str.lower, lambda name: f" {name} ", lambda name: name[1:-1]])
def test_a_device_by_its_name_or_part_of_it(spelled: object) -> None:
    assert callable(spelled)
    name = devices()[0].name
    assert Engine(spelled(name)).path == Engine(0).path == Engine("0").path == f"opencl:{name}"


@pytest.mark.parametrize("wanted", ["", "no such device", 99, "99", -1, "00", "\u0660", "9" * 5000])
def test_a_device_that_is_none(wanted: str | int) -> None:
    with pytest.raises(NoSuchPath, match="no OpenCL device") as raised:
        Engine(wanted)
    assert devices()[0].name in str(raised.value)
    assert "\n" not in str(raised.value)


def test_without_a_name_a_gpu_is_taken_before_a_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    found = tuple((Device("p", f"a {kind}", kind, 1), kind) for kind in ("cpu", "gpu", "accelerator", "gpu"))
    monkeypatch.setattr(platforms, "_found", lambda: found)
    assert platforms.chosen(None) == found[1]
    assert platforms.chosen("gpu") == found[1]
    assert platforms.chosen(3) == found[3]


def test_a_platform_that_fails_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    platforms._found.cache_clear()
    cl = platforms.binding()
    broken = SimpleNamespace(name="broken", get_devices=lambda: fail(cl.LogicError))
    monkeypatch.setattr(cl, "get_platforms", lambda real=cl.get_platforms: [broken, *real()])
    assert devices()
    platforms._found.cache_clear()
    monkeypatch.setattr(cl, "get_platforms", lambda: [broken])
    with pytest.raises(NoSuchPath, match="broken"):
        devices()


def test_a_device_that_gives_up_says_so_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object) -> int:
        raise platforms.binding().MemoryError("clEnqueueNDRangeKernel", -4, "out of memory")

    Engine(vector="ulong2").search(DesProblem(((bytes(8), bytes(8)),)), 0, 1)  # the kernel is proven by now
    monkeypatch.setattr(frame_worker.FrameWorker, "_run", run)
    with pytest.raises(NoSuchPath, match="gave up") as raised:
        Engine(vector="ulong2").search(DesProblem(((bytes(8), bytes(8)),)), threads=2)
    assert "\n" not in str(raised.value)


def fail(error: type[Exception]) -> None:
    raise error("clGetDeviceIDs", -1, "")


def run(code: str, **environment: str) -> str:
    """What a fresh process says of an engine."""
    script = (
        f"{code}\nfrom keyfence.search.opencl import Engine\ntry: Engine()\nexcept Exception as e: print(type(e).__name__, e)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout


def test_without_a_platform_one_line_says_so() -> None:
    said = run("", OCL_ICD_VENDORS="/nowhere", OPENCL_VENDOR_PATH="/nowhere")
    assert said.startswith("NoSuchPath this machine has no OpenCL platform")
    assert said.count("\n") == 1


def test_without_pyopencl_one_line_names_the_extra() -> None:
    said = run("import sys; sys.modules['pyopencl'] = None")
    assert (
        said
        == f"MissingExtra {MissingExtra('a search on OpenCL devices needs pyopencl: pip install ' + repr('keyfence[gpu]'))}\n"
    )


def test_nothing_is_imported_before_it_is_needed() -> None:
    code = "import sys, keyfence.search.opencl, keyfence.search.registry; assert 'pyopencl' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(("width", "vector"), [(1, "ulong2"), (2, "ulong2"), (4, "ulong4"), (8, "ulong8"), (16, "ulong8")])
def test_a_processor_gets_the_vector_it_has_registers_for(width: int, vector: str) -> None:
    assert suited(Device("p", "d", "cpu", 1), SimpleNamespace(native_vector_width_long=width)).name == vector


@pytest.mark.parametrize(
    ("extensions", "generation", "vector"),
    [
        ("cl_khr_fp64 cl_nv_device_attribute_query", 8, "uint-lop3"),
        ("cl_nv_device_attribute_query", 3, "uint"),
        ("", 9, "uint"),
    ],
)
def test_a_gpu_gets_32_lanes_and_nvidias_their_instruction(extensions: str, generation: int, vector: str) -> None:
    handle = SimpleNamespace(extensions=extensions, compute_capability_major_nv=generation)
    assert suited(Device("p", "d", "gpu", 1), handle).name == vector


def test_a_gpu_has_two_launches_under_way_however_few_threads_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(threads.Search, "run", lambda search, count, *_: asked.append(count))
    for kind in ("cpu", "gpu"):
        engine = Engine(0, vector="ulong2")
        monkeypatch.setattr(engine, "_device", replace(engine._device, kind=kind))
        for count in (1, 3):
            engine.search(DesProblem(((bytes(8), bytes(8)),)), threads=count)
    assert asked == [1, 3, 2, 3]

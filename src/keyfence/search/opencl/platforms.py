"""The OpenCL devices of this machine. pyopencl is an extra, keyfence[gpu], and imported when it is first needed."""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from keyfence.search.problem import MissingExtra, NoSuchPath

KINDS: Final = ("gpu", "accelerator", "cpu")
"""Also the order in which a device is chosen where none is named."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device as its platform calls it; `units` is the platform's count of compute units (processors of a CPU)."""

    platform: str
    name: str
    kind: str
    units: int


@cache
def binding() -> Any:
    """pyopencl. Raises MissingExtra."""
    try:
        import pyopencl
    except ImportError as error:
        raise MissingExtra("a search on OpenCL devices needs pyopencl: pip install 'keyfence[gpu]'") from error
    return pyopencl


def devices() -> tuple[Device, ...]:
    """Every device of every platform, in the platforms' order. Raises MissingExtra, NoSuchPath where there is none."""
    return tuple(device for device, _ in _found())


def chosen(wanted: str | int | None) -> tuple[Device, Any]:
    """The device of that index in `devices()`, or whose name is or contains `wanted`; without it a GPU if there is one.

    With it pyopencl's handle. Raises MissingExtra, NoSuchPath.
    """
    found = _found()
    if wanted is None:
        return min(found, key=lambda it: KINDS.index(it[0].kind))
    position = _position(str(wanted).strip().casefold(), [device.name.casefold() for device, _ in found])
    if position is None:
        known = ", ".join(f"{index}: {device.name}" for index, (device, _) in enumerate(found))
        raise NoSuchPath(f"no OpenCL device {wanted!r} on this machine; it has {known}")
    return found[position]


def _position(wanted: str, names: list[str]) -> int | None:
    """Of several that fit the first."""
    if wanted.isdecimal():
        return next((index for index in range(len(names)) if str(index) == wanted), None)
    whole = [index for index, name in enumerate(names) if name == wanted]
    part = [index for index, name in enumerate(names) if wanted and wanted in name]
    return next(iter(whole + part), None)


@cache
def _found() -> tuple[tuple[Device, Any], ...]:
    """Asked once: what a platform answers does not change while the process lives."""
    cl = binding()
    try:
        platforms = cl.get_platforms()
    except cl.Error:  # how the loader says that there is none
        raise NoSuchPath(
            "this machine has no OpenCL platform: install one (Debian: pocl-opencl-icd for the processor)"
        ) from None
    found = tuple((_described(cl, platform, handle), handle) for platform in platforms for handle in _handles(cl, platform))
    if not found:
        names = ", ".join(platform.name.strip() for platform in platforms)
        raise NoSuchPath(
            f"no OpenCL platform of this machine offers a device: {names} (pocl needs a POCL_CACHE_DIR it can write)"
        )
    return found


def _handles(cl: Any, platform: Any) -> list[Any]:
    try:
        return list(platform.get_devices())
    except cl.Error:
        return []


def _described(cl: Any, platform: Any, handle: Any) -> Device:
    kinds = {cl.device_type.GPU: "gpu", cl.device_type.CPU: "cpu"}
    kind = next((name for bit, name in kinds.items() if handle.type & bit), "accelerator")
    return Device(platform.name.strip(), handle.name.strip(), kind, handle.max_compute_units)


def nvidia_generation(handle: Any) -> int:
    """The major number of the compute capability that NVIDIA's devices tell; 0 for all others."""
    if "cl_nv_device_attribute_query" not in handle.extensions.split():
        return 0
    return int(handle.compute_capability_major_nv)


def first_line(error: Exception) -> str:
    """What pyopencl says went wrong, without the compiler's log behind it."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)

"""Every kind of search by its name: what a problem of that kind is, and who searches it.

A new kind is a class that is a `Problem`, an `Engine` for it, and a line here.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

import msgspec

from .des.problem import DesProblem
from .problem import BadProblem, Engine, NoSuchPath, Problem
from .short.problem import ShortKeyProblem

Plain = Mapping[str, Any]
"""What JSON can hold; bytes are in base64."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`engines` make an Engine of a path's name (None: the fastest); they import what they need when they are called."""

    name: str
    problem: type[Any]
    engine: Callable[[str | None], Engine[Any]]


def _des(path: str | None) -> Engine[Any]:
    from .des.engine import Engine as Native

    return Native(path)


def _short(path: str | None) -> Engine[Any]:
    from .short.engine import Engine as Native

    return Native(path)


KINDS: Final = {kind.name: kind for kind in (Kind("des", DesProblem, _des), Kind("short-key", ShortKeyProblem, _short))}


def kind_of(problem: Problem) -> Kind:
    """Raises BadProblem where there is none."""
    for kind in KINDS.values():
        if type(problem) is kind.problem:
            return kind
    raise BadProblem(f"no search is known for a {type(problem).__name__}")


def engine_for(problem: Problem, path: str | None = None) -> Engine[Any]:
    """The fastest engine for this problem on this machine, or the one of that path. Raises NoSuchPath, MissingExtra."""
    if path is not None and path.partition(":")[0] == "opencl":
        return _opencl(problem, path)
    return kind_of(problem).engine(path)


def _opencl(problem: Problem, path: str) -> Engine[Any]:
    if not isinstance(problem, DesProblem):
        raise NoSuchPath("OpenCL devices search DES keys only; leave the device out")
    from .opencl import Engine as OpenCl

    _, named, device = path.partition(":")
    return OpenCl(device if named else None)


def to_plain(problem: Problem) -> dict[str, Any]:
    """The problem as plain data. Holds the known bits of the key: whoever writes it to a file makes that file private."""
    kind = kind_of(problem)
    content = {field.name: getattr(problem, field.name) for field in fields(kind.problem)}
    return {"kind": kind.name, "numbering": numbering(problem), **msgspec.to_builtins(content)}


def from_plain(plain: Plain) -> Problem:
    """Raises BadProblem, also where this version numbers the candidates otherwise than the one that wrote this."""
    content = dict(plain)
    kind, numbered = KINDS.get(str(content.pop("kind", ""))), content.pop("numbering", None)
    if kind is None:
        raise BadProblem(f"a kind of search that is not known; known are {', '.join(KINDS)}")
    try:
        problem: Problem = msgspec.convert(content, kind.problem)
    except msgspec.ValidationError as error:
        raise BadProblem(f"not a problem of the kind {kind.name}: {error}") from None
    if numbered != numbering(problem):
        raise BadProblem("its candidates are numbered otherwise than by this version of keyfence")
    return problem


def numbering(problem: Problem) -> str:
    """What tells one numbering of candidates from another: a hash over where each bit of a number goes."""
    last = problem.candidates - 1
    probes = {0, last} | {1 << bit for bit in range(last.bit_length())}
    zero = int.from_bytes(problem.key(0))
    moved = [f"{number:x}:{int.from_bytes(problem.key(number)) ^ zero:x}" for number in sorted(probes)]
    return hashlib.sha256(" ".join(moved).encode()).hexdigest()[:16]

"""Instructions of LLVM's intermediate representation, one after the other."""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Code:
    """Instructions of one basic block; values are named in order."""

    prefix: str = "v"
    lines: list[str] = field(default_factory=list)

    def let(self, instruction: str) -> str:
        name = f"%{self.prefix}{len(self.lines)}"
        self.lines.append(f"  {name} = {instruction}")
        return name

    def do(self, instruction: str) -> None:
        self.lines.append(f"  {instruction}")

    def at(self, base: str, offset: int | str) -> str:
        """An address so many bytes on."""
        return self.let(f"getelementptr i8, ptr {base}, i64 {offset}") if offset else base

    def load(self, kind: str, base: str, offset: int | str = 0, align: int = 1) -> str:
        return self.let(f"load {kind}, ptr {self.at(base, offset)}, align {align}")


def function(head: str, lines: Iterable[str], result: str = "void") -> str:
    """A function of one basic block that ends by returning `result`."""
    return "\n".join([f"define {head} #0 {{", *lines, f"  ret {result}", "}", ""])

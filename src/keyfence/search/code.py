"""LLVM's intermediate representation as text: what the kernels of all rooms are written with."""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Instructions:
    """One basic block's, one after the other; values are named in order."""

    prefix: str = "v"
    lines: list[str] = field(default_factory=list)

    def let(self, instruction: str) -> str:
        """The name of what it gives."""
        name = f"%{self.prefix}{len(self.lines)}"
        self.lines.append(f"  {name} = {instruction}")
        return name


@dataclass
class Code(Instructions):
    """Instructions on words and bytes at addresses."""

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


def counting(name: str, parameters: str, body: str, *, found: str = "") -> str:
    """A function that counts in Gray code: (parameters, first, stop, bit) -> the count at which a lane fits, or `stop`.

    `body` is for count %i, before which %bit flips (`bit` before the first one); it ends by going to %advance, or to
    %found, where `found` is done before the count is returned.
    """
    return f"""
define i64 @{name}({parameters}, i64 %first, i64 %stop, i64 %firstbit) #0 {{
entry:
  br label %count
count:
  %i = phi i64 [%first, %entry], [%following, %advance]
  %bit = phi i64 [%firstbit, %entry], [%flipping, %advance]
{body}
advance:
  %following = add i64 %i, 1
  %flipping = call i64 @llvm.cttz.i64(i64 %following, i1 false)
  %finished = icmp eq i64 %following, %stop
  br i1 %finished, label %over, label %count
found:
{found}
  ret i64 %i
over:
  ret i64 %stop
}}
declare i64 @llvm.cttz.i64(i64, i1 immarg)
"""


def attributes(vector_bits: int) -> str:
    """Without these LLVM would split the widest vectors."""
    return f'attributes #0 = {{ nounwind "min-legal-vector-width"="{vector_bits}" "prefer-vector-width"="512" }}\n'

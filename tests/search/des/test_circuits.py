"""The circuits of the boxes, over all 64 inputs."""

import pytest

from keyfence.search.des.circuits import INPUTS, load
from keyfence.search.des.tables import BOXES, truth_table


@pytest.mark.parametrize("box", range(BOXES))
@pytest.mark.parametrize("name", ["lut3", "gate2"])
def test_a_circuit_computes_its_box(name: str, box: int) -> None:
    assert load(name)[box].truth_tables() == [truth_table(box, output) for output in range(4)]


@pytest.mark.parametrize(("name", "gate_inputs", "output_inputs"), [("lut3", 3, 2), ("gate2", 2, 1)])
def test_shape(name: str, gate_inputs: int, output_inputs: int) -> None:
    for circuit in load(name):
        for index, gate in enumerate(circuit.gates):
            assert len(gate.inputs) == gate_inputs
            assert all(0 <= node < INPUTS + index for node in gate.inputs), "gates are in topological order"
        assert [len(output.inputs) for output in circuit.outputs] == [output_inputs] * 4


@pytest.mark.parametrize(("name", "most"), [("lut3", 213), ("gate2", 417)])
def test_gate_counts(name: str, most: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Prints them, and holds the line: what the generator finds again has to be at least as small."""
    counts = [len(circuit.gates) for circuit in load(name)]
    with capsys.disabled():
        print(f"\n{name}: gates of S1 to S8 {counts}")
    assert sum(counts) <= most

"""From the module to a victim's AES key, 2^34 DES keys on the way: the issue's own example, on two modules.

The lab's secret is imported, and all but 34 bits of each DES half of the client's write key are given to the search.
Which bits, and where among the candidates the key is, is left to chance: half a minute at most on two cores of one's own.
"""

from collections.abc import Iterator

import pytest

from keyfence.audit import Verdict
from keyfence.audit.findings import Proof
from keyfence.cryptoki import Cryptoki
from keyfence.token import SoftToken

from ..modules import RealModule, real_module
from ..techniques.demonstrating import GCM, demonstrated, searched


@pytest.fixture(params=["software token, classic", pytest.param("NSS softoken", marks=pytest.mark.native)])
def module(request: pytest.FixtureRequest) -> Iterator[Cryptoki | RealModule]:
    if request.param == "NSS softoken":
        with real_module("nss") as nss:
            yield nss
        return
    yield SoftToken()


def test_the_write_key_of_a_tls_1_2_session(module: Cryptoki | RealModule) -> None:
    found = [f for f in demonstrated(module, 34) if f.verdict is Verdict.EXPOSED]
    assert found
    for finding in found:
        assert (finding.victim.protocol, finding.victim.suite) == ("TLS 1.2", GCM)
        assert finding.evidence is not None
        assert finding.evidence.proof is Proof.RECORD
        assert "client" in finding.evidence.statement
        assert "given 44 bits" in finding.evidence.statement
        assert {*range(16)} <= set(finding.evidence.recovered)
        assert searched(finding)[0] == ("DES", 34)

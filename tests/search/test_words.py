"""Numbers as people read them."""

from keyfence.search.words import duration, few_digits, many, power, rate


def test_numbers_are_short() -> None:
    assert [duration(it) for it in (0.5, 119, 120, 7200, 172_800, 1e9)] == [
        "0.5 s",
        "119 s",
        "2 min",
        "2 h",
        "2 days",
        "31.7 years",
    ]
    assert [few_digits(it) for it in (0.0123456, 12.345, 123.45, 12345.6)] == ["0.0123", "12.3", "123", "12,346"]
    assert [power(it) for it in (0, 1, 65_536, 2**55, 3 * 2**40)] == ["0", "1", "65,536", "2^55", "2^41.6"]
    assert [rate(it) for it in (0.5, 12, 4.2e3, 7.24e8, 1.4e9)] == [
        "0.5 keys/s",
        "12 keys/s",
        "4.2 k keys/s",
        "724 M keys/s",
        "1.4 G keys/s",
    ]
    assert [many(1, "machine"), many(2000, "machine")] == ["1 machine", "2,000 machines"]

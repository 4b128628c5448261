"""Every Arrow type that an engine may answer with, two batches, with nulls: a fixture for readers.

    python all_types.py all-types.arrow

writes an IPC stream; flight_server.py serves the same table.
"""

import datetime
import decimal
import sys

import pyarrow as pa


def columns():
    """Names, types and four values each; the third is null where the type has nulls of its own."""
    utc = datetime.timezone.utc
    dec = decimal.Decimal
    yield "null", pa.null(), [None, None, None, None]
    yield "bool", pa.bool_(), [True, False, None, True]
    for bits in (8, 16, 32, 64):
        low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
        yield f"int{bits}", getattr(pa, f"int{bits}")(), [low, high, None, 0]
        yield f"uint{bits}", getattr(pa, f"uint{bits}")(), [0, 2**bits - 1, None, 1]
    yield "float16", pa.float16(), [1.5, -0.00006103515625, None, 65504.0]
    yield "float32", pa.float32(), [1.5, float("-inf"), None, 0.25]
    yield "float64", pa.float64(), [0.1, float("nan"), None, -1e300]
    yield "utf8", pa.utf8(), ["", "é€😀", None, "plain and longer than twelve bytes"]
    yield "large_utf8", pa.large_utf8(), ["", "é€😀", None, "plain and longer than twelve bytes"]
    yield "utf8_view", pa.string_view(), ["", "é€😀", None, "plain and longer than twelve bytes"]
    yield "binary", pa.binary(), [b"", b"\x00\xff", None, b"longer than twelve bytes"]
    yield "large_binary", pa.large_binary(), [b"", b"\x00\xff", None, b"longer than twelve bytes"]
    yield "binary_view", pa.binary_view(), [b"", b"\x00\xff", None, b"longer than twelve bytes"]
    yield "fixed_binary", pa.binary(3), [b"abc", b"\x00\x01\x02", None, b"xyz"]
    yield "decimal32", pa.decimal32(9, 2), [dec("1.25"), dec("-9999999.99"), None, dec("0.00")]
    yield "decimal64", pa.decimal64(18, 3), [dec("1.250"), dec("-0.001"), None, dec("0.000")]
    yield "decimal128", pa.decimal128(38, 10), [dec("1.25"), dec("-12345678901234567890.0000000001"), None, dec(0)]
    yield "decimal256", pa.decimal256(76, 0), [dec(10**70), dec(-(10**70)), None, dec(0)]
    yield "date32", pa.date32(), [datetime.date(2026, 11, 25), datetime.date(1969, 12, 31), None, datetime.date(1, 1, 1)]
    yield "date64", pa.date64(), [datetime.date(2026, 11, 25), datetime.date(1969, 12, 31), None, datetime.date(1970, 1, 1)]
    yield "time32s", pa.time32("s"), [0, 86399, None, 1]
    yield "time32ms", pa.time32("ms"), [0, 86399999, None, 1]
    yield "time64us", pa.time64("us"), [0, 86399999999, None, 1]
    yield "time64ns", pa.time64("ns"), [0, 86399999999999, None, 1]
    for unit, factor in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)):
        seconds = int(datetime.datetime(2026, 11, 25, 23, 38, 28, tzinfo=utc).timestamp())
        values = [seconds * factor, -1, None, 0]
        yield f"timestamp_{unit}", pa.timestamp(unit), values
        yield f"timestamp_{unit}_utc", pa.timestamp(unit, tz="+00:00"), values
        yield f"duration_{unit}", pa.duration(unit), values
    interval = pa.MonthDayNano([14, -3, 2**60])
    yield "interval", pa.month_day_nano_interval(), [interval, pa.MonthDayNano([0, 0, -1]), None, pa.MonthDayNano([0, 0, 0])]
    yield "list", pa.list_(pa.int64()), [[1, None, 3], [], None, [4]]
    yield "large_list", pa.large_list(pa.utf8()), [["a", None], [], None, ["b"]]
    yield "list_view", pa.list_view(pa.int32()), [[1, None], [], None, [4]]
    yield "large_list_view", pa.large_list_view(pa.int32()), [[1, None], [], None, [4]]
    yield "fixed_list", pa.list_(pa.int16(), 2), [[1, 2], [None, 4], None, [5, 6]]
    yield "struct", pa.struct([("a", pa.int32()), ("b", pa.utf8())]), [{"a": 1, "b": "x"}, {"a": None, "b": None}, None, {"a": 2, "b": "y"}]
    yield "map", pa.map_(pa.utf8(), pa.int64()), [[("k", 1), ("l", None)], [], None, [("m", 2)]]
    yield "deep", pa.list_(pa.struct([("at", pa.timestamp("ns")), ("tags", pa.list_(pa.utf8()))])), [
        [{"at": 1, "tags": ["x", "y"]}, {"at": None, "tags": None}], [], None, [{"at": -1, "tags": []}],
    ]


def special():
    """Columns that are not made from plain values."""
    yield "dictionary", pa.array(["b", "a", None, "b"]).dictionary_encode()
    yield "dictionary_of_int64", pa.array([2**60, -1, None, 2**60]).dictionary_encode()
    # A null in the dictionary itself.
    yield "dictionary_null", pa.DictionaryArray.from_arrays(pa.array([0, 1, None, 0], pa.int8()), pa.array([None, "x"]))
    yield "run_end", pa.RunEndEncodedArray.from_arrays(pa.array([2, 3, 4], pa.int32()), pa.array(["r", None, "s"]))
    kinds = pa.array([0, 1, 0, 1], pa.int8())
    yield "dense_union", pa.UnionArray.from_dense(kinds, pa.array([0, 0, 1, 1], pa.int32()), [pa.array([1, None]), pa.array(["u", "v"])], ["i", "s"])
    yield "sparse_union", pa.UnionArray.from_sparse(kinds, [pa.array([1, 0, None, 0]), pa.array(["", "u", "", "v"])], ["i", "s"])


def batches():
    names, arrays = [], []
    for name, type_, values in columns():
        names.append(name)
        arrays.append(pa.array(values, type_))
    for name, array in special():
        names.append(name)
        arrays.append(array)
    whole = pa.record_batch(arrays, names)
    # The second batch is a slice: its offsets and bitmaps do not begin at zero before they are sent.
    return whole.schema, [whole, whole.slice(1, 2)]


if __name__ == "__main__":
    schema, parts = batches()
    with pa.OSFile(sys.argv[1], "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
        for part in parts:
            writer.write_batch(part)
    for field in schema:
        print(f"{field.name}: {field.type}")

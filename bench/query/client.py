"""Reads the million rows with pyarrow: `python client.py PORT QUERIES`, prints cpu seconds as JSON."""

import json
import resource
import sys

import pyarrow.compute as pc
import pyarrow.flight as flight


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


client = flight.connect(f"grpc://127.0.0.1:{sys.argv[1]}")
seconds = []
for _ in range(int(sys.argv[2])):
    before = cpu()
    rows, total = 0, 0.0
    for chunk in client.do_get(flight.Ticket(b"rows 1")):
        rows += chunk.data.num_rows
        total += pc.sum(chunk.data.column("value")).as_py()
    seconds.append(cpu() - before)
    assert rows == 1_000_000 and total == 249_999_750_000.0
print(json.dumps({"seconds": seconds, "process": cpu()}))

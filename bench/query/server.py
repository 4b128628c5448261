"""Serves a million rows of five columns as often as the ticket says: `python server.py`, prints its port."""

import pyarrow as pa
import pyarrow.flight as flight

ROWS = 1_000_000
BEGIN = 1_795_000_000_000_000_000


def table():
    numbers = range(ROWS)
    return pa.table(
        {
            "time": pa.array([BEGIN + i * 1_000 for i in numbers], pa.timestamp("ns", tz="+00:00")),
            "target": pa.array(["shop.checkout" if i % 3 else "shop.db" for i in numbers]),
            "level": pa.array([i % 6 + 1 for i in numbers], pa.int32()),
            "msg": pa.array([f"order {i} placed by user-{i % 1000}" for i in numbers]),
            "value": pa.array([i * 0.5 for i in numbers], pa.float64()),
        }
    )


class Server(flight.FlightServerBase):
    def __init__(self, location):
        super().__init__(location)
        rows = table()
        self.schema = rows.schema
        # About 2 MiB each, as servers of Micromegas send them.
        self.batches = rows.to_batches(max_chunksize=32_768)

    def do_get(self, context, ticket):
        times = int(ticket.ticket.decode(errors="ignore").rpartition(" ")[2])
        return flight.GeneratorStream(self.schema, (batch for _ in range(times) for batch in self.batches))


if __name__ == "__main__":
    server = Server("grpc://127.0.0.1:0")
    print(server.port, flush=True)
    server.serve()

"""A Flight server of pyarrow (gRPC C++) for the tests: what it answers is told by the SQL of the ticket.

    python flight_server.py [CERTIFICATE KEY]

prints its port.
"""

import sys
import time

import pyarrow as pa
import pyarrow.flight as flight

import all_types


def fields(message):
    """The length-delimited and varint fields of a protobuf message."""
    found, at = {}, 0

    def varint():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        tag = varint()
        if tag & 7 == 0:
            found[tag >> 3] = varint()
        else:
            length = varint()
            found[tag >> 3] = message[at : at + length]
            at += length
    return found


def field(number, value):
    """A length-delimited field."""

    def varint(n):
        out = bytearray()
        while n > 0x7F:
            out.append(n & 0x7F | 0x80)
            n >>= 7
        out.append(n)
        return bytes(out)

    return varint(number << 3 | 2) + varint(len(value)) + value


def packed(name, message):
    url = "type.googleapis.com/arrow.flight.protocol.sql." + name
    return field(1, url.encode()) + field(2, message)


class TokenMiddleware(flight.ServerMiddleware):
    def __init__(self, token):
        self.token = token


class TokenFactory(flight.ServerMiddlewareFactory):
    def start_call(self, info, headers):
        given = headers.get("authorization", [""])[0]
        if given == "Bearer wrong":
            raise flight.FlightUnauthenticatedError("invalid token")
        return TokenMiddleware(given)


def numbers(begin, count):
    return pa.record_batch(
        [
            pa.array(range(begin, begin + count), pa.int64()),
            pa.array([f"row {i}" for i in range(begin, begin + count)]),
        ],
        ["n", "text"],
    )


class Server(flight.FlightServerBase):
    def __init__(self, location, **options):
        super().__init__(location, middleware={"token": TokenFactory()}, **options)
        self.received = []

    def do_get(self, context, ticket):
        sql = fields(fields(ticket.ticket)[2])[1].decode()
        verb, _, rest = sql.partition(" ")
        if verb == "all-types":
            schema, batches = all_types.batches()
            # As a table, since pyarrow sends no dictionaries with batches that a generator gives.
            return flight.RecordBatchStream(pa.Table.from_batches(batches, schema))
        if verb == "dictionaries":
            parts = [["a", "b", None], ["c"], ["b", "d", "b"]]
            arrays = [pa.array(part).dictionary_encode() for part in parts]
            table = pa.table([pa.chunked_array(arrays)], ["d"])
            return flight.RecordBatchStream(table, options=pa.ipc.IpcWriteOptions(unify_dictionaries=False))
        if verb == "compressed":
            return flight.RecordBatchStream(pa.table({"n": [1] * 1000}), options=pa.ipc.IpcWriteOptions(compression="zstd"))
        if verb == "large":
            size = int(rest)
            return flight.RecordBatchStream(pa.table({"data": pa.array([b"x" * size], pa.binary())}))
        schema = numbers(0, 1).schema
        return flight.GeneratorStream(schema, self.generate(verb, rest))

    def generate(self, verb, rest):
        if verb == "rows":
            batch = numbers(0, 10_000)
            for _ in range(int(rest) // 10_000):
                yield batch
        elif verb == "fail":
            yield numbers(0, 3)
            yield numbers(3, 3)
            raise flight.FlightInternalError("out of disk #1?")
        elif verb == "sleep":
            yield numbers(0, 1)
            time.sleep(float(rest))
            yield numbers(1, 1)
        else:
            raise pa.ArrowInvalid(f"no such query: {verb}")

    def do_put(self, context, descriptor, reader, writer):
        table = reader.read_all()
        name = fields(fields(descriptor.command)[2])[2].decode()
        if name != "processes":
            raise flight.FlightUnauthorizedError("bulk_ingest requires admin privileges")
        writer.write(bytes([0x08, table.num_rows]))

    def do_action(self, context, action):
        schema, _ = all_types.batches()
        body = packed(
            "ActionCreatePreparedStatementResult",
            field(1, fields(fields(action.body.to_pybytes())[2])[1]) + field(2, schema.serialize().to_pybytes()),
        )
        yield flight.Result(pa.py_buffer(body))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        cert, key = (open(name).read() for name in sys.argv[1:3])
        server = Server("grpc+tls://127.0.0.1:0", tls_certificates=[(cert, key)])
    else:
        server = Server("grpc://127.0.0.1:0")
    print(server.port, flush=True)
    server.serve()

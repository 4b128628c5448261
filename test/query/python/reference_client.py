"""Calls of the platform's Python client, as it comes from the package index, against a server: answers as JSON."""

import json
import os
import sys
import tempfile
from datetime import datetime, timedelta, timezone

import adbc_driver_flightsql.dbapi
import pyarrow
from micromegas.auth import OidcAuthProvider
from micromegas.flightsql.client import FlightSQLClient
from micromegas.perfetto import write_process_trace_from_chunks


def rows(frame):
    return json.loads(frame.to_json(orient="records", date_format="iso", date_unit="ns", default_handler=str))


def quietly(call, *args):
    """What a call prints."""
    out, sys.stdout = sys.stdout, tempfile.TemporaryFile("w+")
    try:
        call(*args)
        sys.stdout.seek(0)
        return sys.stdout.read()
    finally:
        sys.stdout.close()
        sys.stdout = out


def calls(uri, process_id):
    client = FlightSQLClient(uri)
    end = datetime.now(timezone.utc) + timedelta(minutes=1)
    begin = end - timedelta(hours=1)
    answers = {}
    sql = """SELECT level, target, msg, property_get(properties, 'order') AS number
      FROM log_entries ORDER BY time"""
    answers["query"] = rows(client.query(sql, begin, end))
    answers["query_without_range"] = rows(client.query("SELECT count(*) AS n FROM log_entries"))
    answers["query_stream"] = sum(batch.num_rows for batch in client.query_stream(sql, begin, end))
    answers["query_arrow"] = client.query_arrow(sql, begin, end).column_names
    prepared = client.prepare_statement(sql)
    answers["prepare_statement"] = [f"{field.name}: {field.type}" for field in prepared.dataset_schema]
    answers["prepared_statement_stream"] = sum(
        batch.num_rows for batch in client.prepared_statement_stream(prepared)
    )
    answers["find_process"] = rows(client.find_process(process_id)[["process_id", "exe"]])
    streams = client.query_streams(begin, end, 100, process_id=process_id)
    answers["query_streams"] = sorted(tag for tags in streams["tags"] for tag in tags)
    answers["query_streams_by_tag"] = len(client.query_streams(begin, end, 100, process_id, "log"))
    blocks, spans = 0, []
    for stream_id, tags in zip(streams["stream_id"], streams["tags"]):
        blocks += int(client.query_blocks(begin, end, 100, stream_id)["nb_objects"].sum())
        if "cpu" in tags:
            found = client.query_spans(begin, end, 100, stream_id)
            spans += [name for name in found["name"] if name in ("parse", "render")]
    answers["query_blocks"] = blocks
    answers["query_spans"] = spans
    partitions = client.query("SELECT view_set_name, num_rows FROM list_partitions()")
    answers["list_partitions"] = sorted(set(partitions["view_set_name"]))
    quietly(client.materialize_partitions, "log_entries", begin, end, 3600)
    answers["after_materialize"] = rows(client.query("SELECT count(*) AS n FROM log_entries", begin, end))
    quietly(client.retire_partitions, "log_entries", "global", begin, end)
    answers["after_retire"] = rows(client.query("SELECT count(*) AS n FROM log_entries", begin, end))
    path = os.path.join(tempfile.mkdtemp(), "trace.pftrace")
    quietly(write_process_trace_from_chunks, client, process_id, begin, end, "both", path)
    with open(path, "rb") as trace:
        data = trace.read()
    answers["write_process_trace"] = b"parse" in data and b"request" in data
    try:
        client.query("SELECT nothing FROM log_entries", begin, end)
        answers["error"] = None
    except Exception as error:  # what it raises is pyarrow's
        answers["error"] = [type(error).__name__, "nothing" in str(error)]
    return answers


def replicate(origin_uri, copy_uri):
    origin, copy = FlightSQLClient(origin_uri), FlightSQLClient(copy_uri)
    taken = {}
    for table in ("processes", "streams", "blocks"):
        taken[table] = copy.bulk_ingest(table, origin.query_arrow(f"SELECT * FROM {table}")).record_count
    # As in the client's own documentation: times in microseconds, no property.
    now = datetime.now(timezone.utc)
    example = {
        "process_id": ["550e8400-e29b-41d4-a716-446655440000"],
        "exe": ["/usr/bin/myapp"],
        "username": ["user"],
        "realname": ["User Name"],
        "computer": ["hostname"],
        "distro": ["Ubuntu 22.04"],
        "cpu_brand": ["Intel Core i7"],
        "tsc_frequency": [2400000000],
        "start_time": [now],
        "start_ticks": [1234567890],
        "insert_time": [now],
        "parent_process_id": [""],
        "properties": [[]],
        "audience": ["public"],
    }
    taken["example"] = copy.bulk_ingest("processes", pyarrow.table(example)).record_count
    return taken


def adbc(uri):
    with adbc_driver_flightsql.dbapi.connect(uri) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT level, target, msg FROM log_entries ORDER BY time")
        answers = {"rows": cursor.fetchall(), "columns": [column[0] for column in cursor.description]}
        cursor.execute("SELECT time FROM log_entries ORDER BY time LIMIT 1")
        answers["time"] = str(cursor.fetch_arrow_table().schema.field("time").type)
        objects = connection.adbc_get_objects(depth="tables").read_all().to_pylist()
        answers["tables"] = sorted(
            table["table_name"]
            for catalog in objects
            for schema in catalog["catalog_db_schemas"]
            for table in schema["db_schema_tables"]
        )
        answers["table_types"] = connection.adbc_get_table_types()
        answers["schema"] = connection.adbc_get_table_schema("measures").names[:3]
        answers["vendor"] = connection.adbc_get_info()["vendor_name"]
        try:
            cursor.execute("SELECT nothing FROM log_entries")
            cursor.fetchall()
        except Exception as error:
            answers["error"] = [type(error).__name__, "nothing" in str(error)]
    return answers


def token(token_file, save):
    provider = OidcAuthProvider.from_file(token_file)
    text = provider.get_token()
    if save:
        provider.save()
    return {"token": text}


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    run = {"calls": calls, "replicate": replicate, "adbc": adbc}.get(what)
    answer = run(*arguments) if run else token(arguments[0], what == "save")
    print(json.dumps(answer))

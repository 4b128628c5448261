//! What the crates read in recorded request bodies, as JSON lines.

use crate::{
    json,
    recording::{Request, Route},
};
use anyhow::{Context, Result};
use bumpalo::Bump;
use chrono::{DateTime, FixedOffset, SecondsFormat};
use micromegas_telemetry::{
    block_wire_format::Block, compression::decompress, stream_info::StreamInfo,
};
use micromegas_tracing::{parsing::make_custom_readers, process_info::ProcessInfo};
use micromegas_transit::{
    CustomReaderMap, parse_object_buffer, read_dependencies, value::Value as Transit,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::{collections::HashMap, io::Write};
use uuid::Uuid;

struct Decoder {
    readers: CustomReaderMap,
    streams: HashMap<Uuid, StreamInfo>,
}

/// Prints every request, each block followed by its events. A request that cannot be read gives an `error` line, and
/// the others are still read.
///
/// Returns whether all could be read.
pub fn decode(requests: &[Request], output: &mut impl Write) -> Result<bool> {
    let mut decoder = Decoder {
        readers: make_custom_readers(),
        streams: HashMap::new(),
    };
    let mut ok = true;
    for (index, request) in requests.iter().enumerate() {
        let mut block_id = None;
        let lines = decoder
            .read(request, &mut block_id)
            .unwrap_or_else(|error| {
                ok = false;
                vec![json!({
                    "kind": "error",
                    "request": index,
                    "block_id": block_id,
                    "error": format!("{error:#}"),
                })]
            });
        for line in lines {
            serde_json::to_writer(&mut *output, &line)?;
            output.write_all(b"\n")?;
        }
    }
    Ok(ok)
}

fn from_cbor<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    ciborium::from_reader(body).context("reading CBOR")
}

/// Block times are text until the server reads them, with this function.
fn rfc3339(text: &str) -> Result<String> {
    let time: DateTime<FixedOffset> = DateTime::parse_from_rfc3339(text)
        .with_context(|| format!("reading the block time {text:?}"))?;
    Ok(time.to_utc().to_rfc3339_opts(SecondsFormat::Nanos, true))
}

impl Decoder {
    fn read(&mut self, request: &Request, block_id: &mut Option<Uuid>) -> Result<Vec<Value>> {
        match request.path {
            Route::Process => Ok(vec![process(&from_cbor(&request.body)?)]),
            Route::Stream => {
                let info: StreamInfo = from_cbor(&request.body)?;
                let line = stream(&info);
                self.streams.insert(info.stream_id, info);
                Ok(vec![line])
            }
            Route::Block => {
                let block: Block = from_cbor(&request.body)?;
                *block_id = Some(block.block_id);
                self.block(&block)
            }
        }
    }

    fn block(&self, block: &Block) -> Result<Vec<Value>> {
        let stream = self
            .streams
            .get(&block.stream_id)
            .with_context(|| format!("no stream {} before its block", block.stream_id))?;
        let mut lines = vec![json!({
            "kind": "block",
            "block_id": block.block_id,
            "stream_id": block.stream_id,
            "process_id": block.process_id,
            "begin_time": rfc3339(&block.begin_time)?,
            "begin_ticks": block.begin_ticks.to_string(),
            "end_time": rfc3339(&block.end_time)?,
            "end_ticks": block.end_ticks.to_string(),
            "object_offset": block.object_offset.to_string(),
            "nb_objects": block.nb_objects,
        })];
        let dependencies =
            decompress(&block.payload.dependencies).context("decompressing the dependencies")?;
        let objects = decompress(&block.payload.objects).context("decompressing the objects")?;
        let arena = Bump::new();
        let dependencies = read_dependencies(
            &arena,
            &self.readers,
            &stream.dependencies_metadata,
            &dependencies,
        )
        .context("reading the dependencies")?;
        parse_object_buffer(
            &arena,
            &self.readers,
            &dependencies,
            &stream.objects_metadata,
            &objects,
            |event| {
                let Transit::Object(event) = event else {
                    anyhow::bail!("the event is no object: {event:?}");
                };
                let mut line = json::object(event);
                line["kind"] = json!("event");
                lines.push(line);
                Ok(true)
            },
        )
        .with_context(|| format!("reading object {}", lines.len() - 1))?;
        Ok(lines)
    }
}

fn process(info: &ProcessInfo) -> Value {
    json!({
        "kind": "process",
        "process_id": info.process_id,
        "exe": info.exe,
        "username": info.username,
        "realname": info.realname,
        "computer": info.computer,
        "distro": info.distro,
        "cpu_brand": info.cpu_brand,
        "tsc_frequency": info.tsc_frequency.to_string(),
        "start_time": info.start_time.to_rfc3339_opts(SecondsFormat::Nanos, true),
        "start_ticks": info.start_ticks.to_string(),
        "parent_process_id": info.parent_process_id,
        "properties": json::text_map(&info.properties),
    })
}

fn stream(info: &StreamInfo) -> Value {
    json!({
        "kind": "stream",
        "process_id": info.process_id,
        "stream_id": info.stream_id,
        "dependencies_metadata": json::types(&info.dependencies_metadata),
        "objects_metadata": json::types(&info.objects_metadata),
        "tags": info.tags,
        "properties": json::text_map(&info.properties),
    })
}

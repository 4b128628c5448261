//! An event sink that keeps the request bodies which the crates' HTTP sink would post.

use crate::recording::{Request, Route};
use anyhow::Result;
use chrono::SecondsFormat;
use micromegas_telemetry::{
    block_wire_format::{Block, BlockPayload},
    compression::compress,
    stream_info::StreamInfo,
    wire_format::encode_cbor,
};
use micromegas_tracing::{
    event::{EventBlock, EventSink, EventStream, ExtractDeps, TracingBlock},
    images::{ImageBlock, ImageStream},
    logs::{LogBlock, LogMetadata, LogStream},
    metrics::{MetricsBlock, MetricsStream},
    process_info::ProcessInfo,
    property_set::DynProperty,
    spans::{ThreadBlock, ThreadStream},
};
use micromegas_transit::{HeterogeneousQueue, UserDefinedType};
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex},
};
use uuid::Uuid;

#[derive(Default)]
struct State {
    start_ticks: i64,
    /// Streams without a block so far: the HTTP sink too sends a stream just before its first block.
    pending_streams: HashMap<Uuid, StreamInfo>,
    requests: Vec<Request>,
}

/// Encodes in the calling thread, so that requests are kept in the order in which blocks are closed.
#[derive(Default)]
pub struct CaptureSink {
    state: Mutex<State>,
}

impl CaptureSink {
    pub fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.state.lock().unwrap().requests)
    }

    fn init_stream<B>(&self, stream: &EventStream<B>)
    where
        B: TracingBlock,
        B::Queue: HeterogeneousQueue,
    {
        let info = StreamInfo {
            process_id: stream.process_id(),
            stream_id: stream.stream_id(),
            dependencies_metadata: flatten(
                <B::Queue as ExtractDeps>::DepsQueue::reflect_contained(),
            ),
            objects_metadata: flatten(B::Queue::reflect_contained()),
            tags: stream.tags().to_vec(),
            properties: stream.properties().clone(),
        };
        let mut state = self.state.lock().unwrap();
        state.pending_streams.insert(info.stream_id, info);
    }

    fn process_block<Q>(&self, block: &EventBlock<Q>)
    where
        Q: HeterogeneousQueue + ExtractDeps,
    {
        let mut state = self.state.lock().unwrap();
        if let Some(info) = state.pending_streams.remove(&block.stream_id) {
            state.requests.push(request(Route::Stream, &info));
        }
        let block = wire_block(block, state.start_ticks).expect("encoding a block");
        state.requests.push(request(Route::Block, &block));
    }
}

fn request<T: serde::Serialize>(path: Route, item: &T) -> Request {
    let body = encode_cbor(item).expect("encoding CBOR");
    Request { path, body }
}

fn wire_block<Q>(block: &EventBlock<Q>, start_ticks: i64) -> Result<Block>
where
    Q: HeterogeneousQueue + ExtractDeps,
{
    let end = block.end.expect("a block that is handed over is closed");
    let rfc3339 =
        |time: chrono::DateTime<chrono::Utc>| time.to_rfc3339_opts(SecondsFormat::Nanos, false);
    Ok(Block {
        block_id: Uuid::new_v4(),
        stream_id: block.stream_id,
        process_id: block.process_id,
        begin_time: rfc3339(block.begin.time),
        begin_ticks: block.begin.ticks - start_ticks,
        end_time: rfc3339(end.time),
        end_ticks: end.ticks - start_ticks,
        payload: BlockPayload {
            dependencies: compress(block.events.extract(&block.dyn_deps).as_bytes())?,
            objects: compress(block.events.as_bytes())?,
        },
        object_offset: i64::try_from(block.object_offset())?,
        nb_objects: i32::try_from(block.nb_objects())?,
    })
}

/// The types of a queue, then the types their members need. The HTTP sink appends the latter in the random order of a
/// hash map; here they are sorted, so that recordings differ in nothing but ids and times.
fn flatten(types: Vec<UserDefinedType>) -> Vec<UserDefinedType> {
    fn collect(found: &mut BTreeMap<String, UserDefinedType>, udt: &UserDefinedType) {
        for nested in &udt.secondary_udts {
            found.insert(nested.name.to_string(), nested.clone());
            collect(found, nested);
        }
    }
    let mut nested = BTreeMap::new();
    for udt in &types {
        collect(&mut nested, udt);
    }
    types.into_iter().chain(nested.into_values()).collect()
}

impl EventSink for CaptureSink {
    fn on_startup(&self, process: Arc<ProcessInfo>) {
        // What names the machine that records does not belong in a fixture.
        let process = ProcessInfo {
            exe: "/opt/conformance/bin/enregistré".into(),
            username: "ユーザー".into(),
            realname: String::new(),
            computer: "host-🦀".into(),
            distro: "Linux".into(),
            cpu_brand: "cpu".into(),
            ..(*process).clone()
        };
        let mut state = self.state.lock().unwrap();
        state.start_ticks = process.start_ticks;
        state.requests.push(request(Route::Process, &process));
    }

    fn on_shutdown(&self) {}

    fn on_log_enabled(&self, _: &LogMetadata) -> bool {
        true
    }

    fn on_log(&self, _: &LogMetadata, _: &[DynProperty<'_>], _: i64, _: fmt::Arguments<'_>) {}

    fn on_init_log_stream(&self, stream: &LogStream) {
        self.init_stream(stream);
    }

    fn on_process_log_block(&self, block: Arc<LogBlock>) {
        self.process_block(&block);
    }

    fn on_init_metrics_stream(&self, stream: &MetricsStream) {
        self.init_stream(stream);
    }

    fn on_process_metrics_block(&self, block: Arc<MetricsBlock>) {
        self.process_block(&block);
    }

    fn on_init_thread_stream(&self, stream: &ThreadStream) {
        self.init_stream(stream);
    }

    fn on_process_thread_block(&self, block: Arc<ThreadBlock>) {
        self.process_block(&block);
    }

    fn on_init_image_stream(&self, stream: &ImageStream) {
        self.init_stream(stream);
    }

    fn on_process_image_block(&self, block: Arc<ImageBlock>) {
        self.process_block(&block);
    }

    fn is_busy(&self) -> bool {
        false
    }
}

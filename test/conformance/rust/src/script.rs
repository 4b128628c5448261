//! The fixed script that `encode` records: every event type the Rust SDK writes, at the edges of its value ranges.

use crate::{capture::CaptureSink, recording::Request};
use anyhow::Result;
use micromegas_tracing::{
    dispatch::{
        flush_image_buffer, flush_log_buffer, flush_metrics_buffer, flush_thread_buffer,
        init_event_dispatch, init_thread_stream, log_dyn_tagged, log_interop,
        log_interop_dyn_tagged, send_image, shutdown_dispatch, tagged_float_metric,
        tagged_integer_metric, unregister_thread_stream,
    },
    levels::{Level, LevelFilter, Verbosity, set_max_level},
    logs::{FILTER_LEVEL_UNSET_VALUE, LogMetadata, LogMsgForm},
    metrics::StaticMetricMetadata,
    prelude::*,
    property_set::{Property, PropertySet},
};
use std::{
    collections::HashMap,
    future::poll_fn,
    pin::{Pin, pin},
    sync::{Arc, atomic::AtomicU32},
    task::{Context, Poll, Waker},
};

const LOG_BUFFER_BYTES: usize = 16 * 1024;
const METRICS_BUFFER_BYTES: usize = 1024;
/// Small, so that spans are cut by blocks that fill up.
const THREAD_BUFFER_BYTES: usize = 1024;

/// Records the script and returns the requests in the order in which the SDK made them.
pub fn record() -> Result<Vec<Request>> {
    // SAFETY: no other thread runs yet.
    unsafe {
        std::env::set_var(
            "MICROMEGAS_TELEMETRY_PARENT_PROCESS",
            "00000000-0000-4000-8000-00000000002a",
        );
    }
    set_max_level(LevelFilter::Trace);
    let sink = Arc::new(CaptureSink::default());
    let properties = HashMap::from([
        ("version".to_owned(), "1.2.3".to_owned()),
        ("empty".to_owned(), String::new()),
        ("clé 🗝".to_owned(), "värde".to_owned()),
        ("long".to_owned(), "p".repeat(5_000)),
    ]);
    init_event_dispatch(
        LOG_BUFFER_BYTES,
        METRICS_BUFFER_BYTES,
        THREAD_BUFFER_BYTES,
        sink.clone(),
        properties,
        true,
    )?;
    logs();
    flush_log_buffer();
    tagged_logs();
    interop_logs();
    long_logs();
    flush_log_buffer();
    metrics();
    flush_metrics_buffer();
    tagged_metrics();
    flush_metrics_buffer();
    on_thread("sync spans", thread_spans);
    on_thread("async spans", async_spans);
    async_span_over_two_threads();
    images();
    shutdown_dispatch();
    Ok(sink.take_requests())
}

fn on_thread(name: &str, work: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name(name.to_owned());
        let work = || {
            init_thread_stream();
            work();
            unregister_thread_stream();
        };
        thread.spawn_scoped(scope, work).expect("starting a thread");
    });
}

fn logs() {
    fatal!("fatal");
    error!("error");
    warn!("warn");
    info!("info");
    debug!("debug");
    trace!("trace");
    info!("");
    info!("unicode: é ü 世界 🦀 👩‍👩‍👧 \u{202e}rtl \u{7f} \u{feff}");
    info!("nul \u{0} tab \t line \n quote \" backslash \\");
    info!(target: "custom::target", "with a target");
    info!(target: "", "with an empty target");
    info!(target: "цель", "with a unicode target");
    let (user, count) = ("ada", 3);
    info!("{user} has {count} items");
    info!("{}", "");
    info!("{}", "🦀".repeat(3));
    for i in 0..5 {
        debug!("same call site {i}");
    }
}

fn tagged_logs() {
    let (user, rows) = (String::from("ada"), 3);
    let region: &'static str = "eu";
    info!(kind = "literal", "static message with a set");
    info!(user = user, "the user is in the set");
    info!(user = user, rows = %rows, "{user} fetched {rows} rows");
    info!(user = user, rows = %rows, "{user:>8} fetched {rows:03} rows");
    warn!(region = static region, "http.method" = "GET", "static value");
    error!(debug = ?Some("x"), "debug value {debug:?}");
    info!("" = "", "empty key and value");
    info!("ключ" = "值 🦀", "unicode property");
    let long = "v".repeat(3_000);
    info!(long = long, "long property");
    info!(
        a = "1",
        b = "2",
        c = "3",
        d = "4",
        e = "5",
        f = "6",
        g = "7",
        h = "8",
        i = "9",
        j = "10",
        "ten properties"
    );
    let overrides = PropertySet::find_or_create(vec![
        Property::new("level", "warning"),
        Property::new("target", "overridden"),
        Property::new("other", "kept"),
    ]);
    info!(..overrides, "overridden level and target");
    info!(user = user, ..overrides, "{} and overridden", 1);
    info!(..PropertySet::empty(), "empty set");
    for i in 0..4 {
        info!(i = %(i % 2), "set of the block used again");
    }
    static DESC: LogMetadata = LogMetadata {
        level: Level::Debug,
        level_filter: AtomicU32::new(FILTER_LEVEL_UNSET_VALUE),
        fmt_str: "runtime names {}",
        target: "script",
        module_path: module_path!(),
        file: "script.rs",
        line: u32::MAX,
    };
    let key = format!("key {}", 1);
    log_dyn_tagged(
        &DESC,
        PropertySet::empty(),
        &[DynProperty::with_dyn_name(&key, "value")],
        LogMsgForm::Formatted,
        format_args!("runtime names {key}"),
    );
}

fn interop_logs() {
    let metadata = |level, target| LogMetadata {
        level,
        level_filter: AtomicU32::new(FILTER_LEVEL_UNSET_VALUE),
        fmt_str: "",
        target,
        module_path: "",
        file: "",
        line: 0,
    };
    for level in [
        Level::Fatal,
        Level::Error,
        Level::Warn,
        Level::Info,
        Level::Debug,
        Level::Trace,
    ] {
        log_interop(&metadata(level, "interop"), format_args!("static interop"));
        log_interop(
            &metadata(level, "interop"),
            format_args!("interop {level:?}"),
        );
    }
    log_interop(&metadata(Level::Info, ""), format_args!(""));
    let target = String::from("ζ 🦀");
    log_interop(&metadata(Level::Info, &target), format_args!("{target}"));
    log_interop_dyn_tagged(
        &metadata(Level::Warn, &target),
        &[
            DynProperty::new("level", "not a level"),
            DynProperty::new("target", "a target"),
            DynProperty::new("request", "r-1"),
        ],
        format_args!("interop with properties {}", 7),
    );
    log_interop_dyn_tagged(
        &metadata(Level::Error, "interop"),
        &[],
        format_args!("interop with an empty set"),
    );
}

/// Events larger than a block, and object sections of several LZ4 blocks.
fn long_logs() {
    info!("{}", "0123456789abcdef".repeat(5_000));
    info!("{}", "€".repeat(30_000));
    info!("after the long ones");
}

fn metrics() {
    for value in [
        0,
        1,
        255,
        1 << 31,
        1 << 32,
        (1 << 53) - 1,
        1 << 53,
        (1 << 53) + 1,
        i64::MAX as u64,
        1 << 63,
        u64::MAX,
    ] {
        imetric!("integer", "count", value);
    }
    for value in [
        0.0,
        -0.0,
        1.5,
        -1.0,
        f64::from_bits(1),
        -f64::from_bits(0x000f_ffff_ffff_ffff),
        f64::MIN_POSITIVE,
        f64::MAX,
        f64::MIN,
        f64::EPSILON,
        std::f64::consts::PI,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ] {
        fmetric!("float", "ms", value);
    }
    imetric!("", "", 1);
    fmetric!("métrique 🦀", "µs", 1.0);
    imetric!(target: "metric::target", "with a target", "bytes", 2);
    imetric!("ticks", "ticks", 3);
}

fn tagged_metrics() {
    let region: &'static str = "eu";
    let id = String::from("c0ffee");
    imetric!("tagged integer", "count", kind = "literal", u64::MAX);
    fmetric!(
        "tagged float",
        "ms",
        kind = "literal",
        "http.method" = "GET",
        -0.0
    );
    imetric!("dynamic", "count", id = id, region = static region, n = %3, 4);
    fmetric!("dynamic", "ms", id = id, f64::NAN);
    imetric_dyn!(format!("queue.{id}.depth"), "count", 5);
    fmetric_dyn!(target: "metric::target", &id, "ms", region = "eu", 6.5);
    static DESC: StaticMetricMetadata = StaticMetricMetadata {
        lod: Verbosity::Min,
        name: "interned",
        unit: "percent",
        target: "script",
        file: "script.rs",
        line: 0,
    };
    let set = PropertySet::find_or_create(vec![
        Property::new("b", "2"),
        Property::new("a", "1"),
        Property::new("name", "overridden"),
    ]);
    tagged_integer_metric(&DESC, set, 7);
    tagged_float_metric(&DESC, set, 7.25);
    tagged_integer_metric(&DESC, PropertySet::empty(), 8);
}

#[span_fn]
fn recursive(depth: u32) {
    if depth > 0 {
        recursive(depth - 1);
    }
}

fn thread_spans() {
    span_scope!("outer");
    recursive(3);
    {
        span_scope!("cut by a flush");
        flush_thread_buffer();
        span_scope!(OPTION, "опция 🦀");
        flush_thread_buffer();
    }
    for name in ["first", "second", ""] {
        span_scope_named!(name);
    }
    for i in 0..3 {
        span_scope_named_dyn!(format!("built {i}"));
        flush_thread_buffer();
    }
    {
        let mut span = span_scope!(name = "with properties", region = "eu");
        span.set_property("rows", 42);
    }
    {
        let _span = span_scope!(name = "literal property only", region = "eu");
    }
    {
        let mut span = span_scope_named!(name = "named with properties", region = "eu");
        span.set_property("clé", "值");
        flush_thread_buffer();
    }
    {
        let _span = span_scope_named_dyn!(name = format!("built {}", "with properties"), n = %1);
    }
    {
        let _span = span_scope!(name = "without a property");
    }
    // Enough to fill blocks: the spans are cut where the SDK cuts them.
    for _ in 0..20 {
        span_scope!("filling a block");
        span_scope!(INNER, "inner");
    }
}

/// Polls to the end in this thread; the futures of the script are woken by nothing.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

async fn yield_once() {
    let mut yielded = false;
    poll_fn(|_| match std::mem::replace(&mut yielded, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

/// Polls both futures in turn until both are done.
async fn interleave(a: impl Future<Output = ()>, b: impl Future<Output = ()>) {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (mut a_done, mut b_done) = (false, false);
    poll_fn(|context| {
        a_done = a_done || a.as_mut().poll(context).is_ready();
        b_done = b_done || b.as_mut().poll(context).is_ready();
        match a_done && b_done {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
}

#[span_fn]
async fn leaf() {
    yield_once().await;
}

#[span_fn]
async fn parent() {
    leaf().await;
    span_async_named!("named child", async {
        leaf().await;
        flush_thread_buffer();
        yield_once().await;
    })
    .await;
}

fn async_spans() {
    block_on(parent());
    block_on(interleave(parent(), parent()));
    let rows = block_on(instrument_named!(
        async { vec![1, 2] },
        "with properties",
        |rows, span| {
            span.set_property("rows", rows.len());
        }
    ));
    for row in rows {
        block_on(instrument_named_dyn!(leaf(), format!("row {row} 🦀")));
    }
    block_on(span_async_named_dyn!(
        format!("row {}", 3),
        async { 3 },
        |n, span| {
            span.set_property("n", n);
        }
    ));
    static_span_desc!(FETCH, "fetch");
    block_on(async {}.instrument_with(&FETCH, |(), span| span.set_property("done", true)));
    block_on(instrument_named!(async {}, ""));
}

/// Begins in the stream of one thread and ends in that of another.
fn async_span_over_two_threads() {
    let mut future: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(parent());
    let mut poll_on = |name| {
        on_thread(name, || {
            let mut context = Context::from_waker(Waker::noop());
            let _ = future.as_mut().poll(&mut context);
        });
    };
    poll_on("begins");
    poll_on("goes on");
    poll_on("cut by a block");
    poll_on("ends");
}

fn images() {
    send_image("all bytes", "raw", (0..=255).collect());
    send_image("", "", Vec::new());
    send_image("скриншот 🦀", "png", b"\x89PNG\r\n\x1a\n".to_vec());
    flush_image_buffer();
    send_image("more than one LZ4 block", "raw", vec![0x5a; 100_000]);
    flush_image_buffer();
}

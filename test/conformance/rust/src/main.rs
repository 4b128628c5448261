//! Holds the Node.js SDK to the published Micromegas crates, in both directions.
//!
//! - `decode <recording>` reads recorded request bodies with the crates' own types, decompression, parser and custom
//!   readers, and prints everything they hold as JSON lines.
//! - `encode <recording>` records a fixed script with the Rust SDK and writes the bodies it would post.

mod capture;
mod decode;
mod json;
mod recording;
mod script;

use anyhow::{Context, Result};
use std::{
    fs::File,
    io::{BufReader, BufWriter, Write},
    process::ExitCode,
};

fn run(mode: &str, path: &str) -> Result<bool> {
    match mode {
        "decode" => {
            let input = File::open(path).with_context(|| format!("opening {path}"))?;
            let requests = recording::read(BufReader::new(input))?;
            let mut output = BufWriter::new(std::io::stdout().lock());
            let ok = decode::decode(&requests, &mut output)?;
            output.flush()?;
            Ok(ok)
        }
        "encode" => {
            let requests = script::record()?;
            let output = File::create(path).with_context(|| format!("creating {path}"))?;
            let mut output = BufWriter::new(output);
            recording::write(&requests, &mut output)?;
            output.flush()?;
            Ok(true)
        }
        _ => anyhow::bail!("unknown mode {mode}"),
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [mode, path] = args.as_slice() else {
        eprintln!("usage: micromegas-conformance decode|encode <recording>");
        return ExitCode::from(2);
    };
    match run(mode, path) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

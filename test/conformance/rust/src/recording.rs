//! The container of recorded requests: one JSON line per request, in the order they were posted.

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::io::{BufRead, Write};

/// A native ingestion route, below `/ingestion/`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum Route {
    #[serde(rename = "insert_process")]
    Process,
    #[serde(rename = "insert_stream")]
    Stream,
    #[serde(rename = "insert_block")]
    Block,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Request {
    pub path: Route,
    #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
    pub body: Vec<u8>,
}

fn to_base64<S: Serializer>(body: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(body))
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    STANDARD.decode(text).map_err(serde::de::Error::custom)
}

pub fn read(input: impl BufRead) -> Result<Vec<Request>> {
    input
        .lines()
        .enumerate()
        .map(|(index, line)| {
            serde_json::from_str(&line?)
                .with_context(|| format!("reading line {} of the recording", index + 1))
        })
        .collect()
}

pub fn write(requests: &[Request], output: &mut impl Write) -> Result<()> {
    for request in requests {
        serde_json::to_writer(&mut *output, request)?;
        output.write_all(b"\n")?;
    }
    Ok(())
}

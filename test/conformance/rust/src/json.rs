//! Transit values as JSON that loses nothing: 64-bit integers as decimal text, floats as their bits.

use micromegas_transit::{
    UserDefinedType,
    value::{Object, Value as Transit},
};
use serde_json::{Map, Value, json};
use std::{collections::HashMap, fmt::Write};

/// Type name that the reader of `PropertySetDependency` gives to a property set.
const PROPERTY_SET: &str = "property_set";

fn value(transit: &Transit<'_>) -> Value {
    match *transit {
        Transit::String(text) => json!(text),
        Transit::U8(number) => json!({ "u8": number }),
        Transit::U32(number) => json!({ "u32": number }),
        Transit::U64(number) => json!({ "u64": number.to_string() }),
        Transit::I64(number) => json!({ "i64": number.to_string() }),
        Transit::F64(number) => json!({
            "f64": format!("{:016x}", number.to_bits()),
            "decimal": format!("{number:?}"),
        }),
        Transit::Bytes(bytes) => json!({ "bytes": hex(bytes) }),
        Transit::Object(set) if set.type_name == PROPERTY_SET => {
            json!({ "properties": members(set) })
        }
        Transit::Object(object) => self::object(object),
        Transit::None => Value::Null,
    }
}

fn members(object: &Object<'_>) -> Value {
    let pairs = object.members.iter();
    Value::Array(pairs.map(|(name, v)| json!([name, value(v)])).collect())
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").expect("writing to a string");
    }
    text
}

/// A record: its type name, and its members in the order of its type.
pub fn object(object: &Object<'_>) -> Value {
    json!({ "object": object.type_name, "members": members(object) })
}

/// A text map with its keys sorted.
pub fn text_map(map: &HashMap<String, String>) -> Value {
    let sorted: Map<String, Value> = map.iter().map(|(k, v)| (k.clone(), json!(v))).collect();
    Value::Object(sorted)
}

pub fn types(types: &[UserDefinedType]) -> Value {
    let types = types.iter().map(|udt| {
        let members = udt.members.iter().map(|member| {
            json!({
                "name": &**member.name,
                "type_name": member.type_name,
                "offset": member.offset,
                "size": member.size,
                "is_reference": member.is_reference,
            })
        });
        json!({
            "name": &**udt.name,
            "size": udt.size,
            "members": members.collect::<Vec<_>>(),
            "is_reference": udt.is_reference,
        })
    });
    Value::Array(types.collect())
}

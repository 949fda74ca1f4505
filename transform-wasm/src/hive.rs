//! Hive partition paths: `order_date=2025-01-01/`.
//!
//! The escaping is Hive's own (`FileUtils.escapePathName`): the characters `" # % ' * / : = ? \ { [
//! ] ^` and control characters as upper-case %XX; null or empty is `__HIVE_DEFAULT_PARTITION__`.

use std::fmt::Write as _;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Date32Type, Int64Type};

use crate::column::ColumnType;
use crate::value::time::format_iso_date;

/// The value of a partition that has none.
pub const DEFAULT_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// Escapes a partition value.
pub fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if c.is_ascii_control() || "\"#%'*/:=?\\{[]^".contains(c) {
            let _ = write!(out, "%{:02X}", c as u32);
        } else {
            out.push(c);
        }
    }
    out
}

/// The value that [`escape`] was given; texts that are no escape stay as they are.
pub fn unescape(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let code = path.get(i + 1..i + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[i], code) {
            (b'%', Some(code)) => {
                out.push(code);
                i += 3;
            }
            (byte, _) => {
                out.push(byte);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Appends `name=value/` to the path of every row.
pub fn append(paths: &mut [String], name: &str, ty: ColumnType, array: &ArrayRef) {
    for (row, path) in paths.iter_mut().enumerate() {
        path.push_str(name);
        path.push('=');
        if array.is_null(row) {
            path.push_str(DEFAULT_PARTITION);
        } else {
            push_value(path, ty, array, row);
        }
        path.push('/');
    }
}

fn push_value(path: &mut String, ty: ColumnType, array: &ArrayRef, row: usize) {
    match ty {
        ColumnType::Date => path.push_str(&format_iso_date(array.as_primitive::<Date32Type>().value(row))),
        ColumnType::Boolean => path.push_str(if array.as_boolean().value(row) { "true" } else { "false" }),
        ColumnType::Bigint => {
            let _ = write!(path, "{}", array.as_primitive::<Int64Type>().value(row));
        }
        _ => {
            let text = array.as_string::<i32>().value(row);
            path.push_str(if text.is_empty() { DEFAULT_PARTITION } else { "" });
            path.push_str(&escape(text));
        }
    }
}

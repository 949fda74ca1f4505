//! What a spec says beside its columns, written again: a proposal must not lose a filter or a limit.
//!
//! The decision to know: only what differs from the default is written, so that a proposal from
//! nothing stays short.

use std::fmt::Write as _;

use lakegate_model::fix::quote;

use crate::limits::Limits;
use crate::names::Naming;
use crate::spec::{
    DeclaredColumn, DropNulls, Empty, Encoding, Format, Input, InputCompression, LongRows, Mode, Numbers,
    OnMisfit, OnReupload, Output, PartCompression, QuotedEmpty, ShortRows, Table,
};

/// `[input]`.
pub(super) fn push_input(out: &mut String, input: &Input) {
    let mut lines = String::new();
    let format = match input.format {
        Format::Auto => None,
        Format::Json => Some("json"),
        Format::Ndjson => Some("ndjson"),
        Format::Csv => Some("csv"),
        Format::Tsv => Some("tsv"),
    };
    let compression = match input.compression {
        InputCompression::Auto => None,
        InputCompression::None => Some("none"),
        InputCompression::Gzip => Some("gzip"),
        InputCompression::Zstd => Some("zstd"),
        InputCompression::Bzip2 => Some("bzip2"),
        InputCompression::Zip => Some("zip"),
    };
    let escape = input.escape.map(String::from);
    let long_rows = match input.long_rows {
        LongRows::Reject => None,
        LongRows::Cut => Some("cut"),
        LongRows::Name => Some("name"),
    };
    let decimal = (input.decimal != '.').then(|| input.decimal.to_string());
    for (key, value) in [
        ("format", format),
        ("compression", compression),
        ("encoding", (input.encoding != Encoding::default()).then(|| input.encoding.0.name())),
        ("records", input.records.as_deref()),
        ("key", input.key.as_deref()),
        ("columns_at", input.columns_at.as_deref()),
        ("delimiter", input.delimiter.as_deref()),
        ("quote", Some(input.quote.as_str()).filter(|quote| *quote != "\"")),
        ("escape", escape.as_deref()),
        ("header_at", input.header_at.as_deref()),
        ("header_matches", input.header_matches.as_deref()),
        ("footer_at", input.footer_at.as_deref()),
        ("short_rows", (input.short_rows == ShortRows::Pad).then_some("pad")),
        ("long_rows", long_rows),
        ("quoted_empty", (input.quoted_empty == QuotedEmpty::Text).then_some("text")),
        ("comment", input.comment.as_deref()),
        ("decimal", decimal.as_deref()),
        ("timezone", input.timezone.as_deref()),
    ] {
        if let Some(value) = value {
            let _ = writeln!(lines, "{key} = {}", quote(value));
        }
    }
    for (key, count) in [("skip_lines", input.skip_lines), ("footer_lines", input.footer_lines)] {
        if count > 0 {
            let _ = writeln!(lines, "{key} = {count}");
        }
    }
    if input.trailing_delimiter {
        lines.push_str("trailing_delimiter = true\n");
    }
    if !input.header {
        lines.push_str("header = false\n");
    }
    push_lists(&mut lines, input);
    push_section(out, "input", &lines);
}

/// The keys of `[input]` that are lists.
fn push_lists(lines: &mut String, input: &Input) {
    push_list(lines, "columns", &input.columns);
    push_list(lines, "parse_json", &input.parse_json);
    let conventions: Vec<String> = input.conventions.iter().map(|named| named.0.name.to_owned()).collect();
    push_list(lines, "conventions", &conventions);
    push_list(lines, "null_values", &input.null_values);
}

/// `[output]`, or a comment that shows it.
pub(super) fn push_output(out: &mut String, output: &Output) {
    let mut lines = String::new();
    if let Some(rule) = output.max_rejected {
        let _ = writeln!(lines, "max_rejected = {rule}");
    }
    if output.on_reupload == OnReupload::Append {
        lines.push_str("on_reupload = \"append\"\n");
    }
    if output.compression == PartCompression::None {
        lines.push_str("compression = \"none\"\n");
    }
    if lines.is_empty() {
        out.push_str(
            "\n# [output]\n# max_rejected = \"5%\"      # more rejected records than that, and than 10, fail the whole file\n",
        );
    }
    push_section(out, "output", &lines);
}

/// `[limits]`.
pub(super) fn push_limits(out: &mut String, limits: &Limits) {
    let usual = Limits::default();
    let mut lines = String::new();
    for (key, value, usual) in [
        ("record_bytes", limits.record_bytes, usual.record_bytes),
        ("depth", limits.depth, usual.depth),
        ("columns", limits.columns, usual.columns),
        ("partitions", limits.partitions, usual.partitions),
    ] {
        if value != usual {
            let _ = writeln!(lines, "{key} = {value}");
        }
    }
    push_section(out, "limits", &lines);
}

/// The keys of `[[table]]` that are no lists of tables.
pub(super) fn push_table(out: &mut String, table: &Table) {
    out.push_str(match table.mode {
        Mode::Evolve => {
            "# mode = \"evolve\"          # new paths become columns; \"freeze\" rejects, \"discard\" drops them\n"
        }
        Mode::Freeze => "mode = \"freeze\"\n",
        Mode::Discard => "mode = \"discard\"\n",
    });
    if table.names == Naming::Leaf {
        out.push_str("names = \"leaf\"            # new columns: the shortest unambiguous name; \"path\": the whole path\n");
    }
    if table.numbers == Numbers::Double {
        out.push_str("numbers = \"double\"\n");
    }
    for (key, value) in [("flatten_depth", table.flatten_depth), ("flatten_keys", table.flatten_keys)] {
        if let Some(value) = value {
            let _ = writeln!(out, "{key} = {value}");
        }
    }
    if table.on_misfit == OnMisfit::Rescue {
        out.push_str("on_misfit = \"rescue\"\n");
    }
    if table.empty == Empty::Drop {
        out.push_str("empty = \"drop\"\n");
    }
    match &table.drop_nulls {
        Some(DropNulls::All(all)) => {
            let _ = writeln!(out, "drop_nulls = {all}");
        }
        Some(DropNulls::Columns(columns)) => push_list(out, "drop_nulls", columns),
        None => {}
    }
    if let Some(filter) = &table.filter {
        let _ = writeln!(out, "filter = {}", quote(filter));
    }
}

/// A column that is read and not written.
pub(super) const NO_OUTPUT: &str = "output = false\n";

/// The keys of `[[table.column]]` beside name, source and type.
pub(super) fn push_declared(out: &mut String, column: &DeclaredColumn) {
    if let Some(format) = &column.format {
        let _ = writeln!(out, "format = {}", quote(format));
    }
    if column.cast {
        out.push_str("cast = true\n");
    }
    for (key, texts) in [
        ("null_values", &column.null_values),
        ("true_values", &column.true_values),
        ("false_values", &column.false_values),
    ] {
        if let Some(texts) = texts {
            // The empty list says something too: none of the input's.
            let _ = writeln!(out, "{key} = {}", list(texts));
        }
    }
    if column.trim {
        out.push_str("trim = true\n");
    }
    for (key, sign) in [("thousands", column.thousands), ("decimal", column.decimal)] {
        if let Some(sign) = sign {
            let _ = writeln!(out, "{key} = {}", quote(&sign.to_string()));
        }
    }
    push_list(out, "strip", &column.strip);
    if column.accounting {
        out.push_str("accounting = true\n");
    }
    if let Some(mask) = column.mask {
        let _ = writeln!(out, "mask = \"{}\"", mask.name());
    }
    if !column.output {
        out.push_str(NO_OUTPUT);
    }
}

/// `[[table.check]]`.
pub(super) fn push_checks(out: &mut String, table: &Table) {
    for check in &table.checks {
        let (name, sql) = (quote(&check.name), quote(&check.sql));
        let on_fail = check.on_fail.name();
        let _ = writeln!(out, "\n[[table.check]]\nname = {name}\nsql = {sql}\non_fail = \"{on_fail}\"");
    }
}

fn push_section(out: &mut String, name: &str, lines: &str) {
    if !lines.is_empty() {
        let _ = write!(out, "\n[{name}]\n{lines}");
    }
}

fn push_list(out: &mut String, key: &str, items: &[String]) {
    if !items.is_empty() {
        let _ = writeln!(out, "{key} = {}", list(items));
    }
}

fn list(items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| quote(item)).collect();
    format!("[{}]", items.join(", "))
}

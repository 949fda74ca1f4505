//! A notice's subject: what a person reads in a mailbox.
//!
//! Not for machines: they read the body. The decision to know: SNS takes at most 100 printable ASCII characters,
//! so the object is named by its last part, shortened in its middle, and other letters are written as `?`.

use crate::notify::Event;
use crate::notify::body::Body;

const MAX: usize = 100;
/// Shorter than this a name says nothing.
const MIN_NAME: usize = 12;

pub(super) fn of(body: &Body) -> String {
    let name = body.source.uri.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let (before, after) = match body.event {
        Event::Success if body.tables_in_all() == 1 => {
            (format!("{}: {} in ", body.pipeline, counted(body.rows, "row")), String::new())
        }
        Event::Success => {
            let tables = counted(body.tables_in_all() as u64, "table");
            (format!("{}: {} in {tables} from ", body.pipeline, counted(body.rows, "row")), String::new())
        }
        Event::Quarantine => {
            let all = counted(body.records, "record");
            (format!("{}: {} of {all} rejected in ", body.pipeline, grouped(body.rejected)), String::new())
        }
        Event::Failure => {
            let code = body.code.as_deref().unwrap_or("unknown");
            (format!("{}: FAILED ", body.pipeline), format!(" ({code})"))
        }
    };
    let table = match body.event {
        Event::Success if body.tables_in_all() == 1 => {
            format!("{} from ", body.table_names().next().unwrap_or_default())
        }
        _ => String::new(),
    };
    let (before, after) = (format!("Lakegate {before}{table}"), after);
    let room = MAX.saturating_sub(before.chars().count() + after.chars().count()).max(MIN_NAME);
    let text = format!("{before}{}{after}", shortened(name, room));
    let text: String = text.chars().map(|c| if (' '..='~').contains(&c) { c } else { '?' }).collect();
    shortened(&text, MAX)
}

fn shortened(text: &str, room: usize) -> String {
    let signs: Vec<char> = text.chars().collect();
    if signs.len() <= room {
        return text.into();
    }
    let head = (room - 3) / 2;
    let tail = room - 3 - head;
    let part = |signs: &[char]| signs.iter().collect::<String>();
    format!("{}...{}", part(&signs[..head]), part(&signs[signs.len() - tail..]))
}

fn counted(number: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// 1,234,567.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

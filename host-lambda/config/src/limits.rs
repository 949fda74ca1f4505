//! `[pipeline.NAME.limits]`: what one object may cost.
//!
//! Not the reasons of the guest's limits: see `sandbox`. The decision to know: names are those of the
//! sandbox's own limits where it has them, and a value outside its range is a mistake before deployment
//! rather than a surprise in the middle of an object.

use crate::keys::Kind;
use crate::mistake::Wrong;
use crate::section::Section;
use lakegate_sandbox::Limits;

/// Limits that a pipeline sets; what is `None` keeps the host's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PipelineLimits {
    /// Linear memory of the guest.
    pub memory_bytes: Option<u64>,
    /// One call into the guest.
    pub step_seconds: Option<u32>,
    /// One pass over one object; the invocation's deadline holds as well.
    pub object_seconds: Option<u32>,
    /// All part files of one object.
    pub output_bytes: Option<u64>,
    /// Part files of one object.
    pub parts: Option<u32>,
    /// Part files that are open at once.
    pub open_parts: Option<u32>,
    /// Quarantine lines of one object.
    pub quarantine_bytes: Option<u64>,
    /// Staged bytes in memory.
    pub staging_bytes: Option<u64>,
    /// Staged bytes below `/tmp`; 0 for none.
    pub spill_bytes: Option<u64>,
    /// A larger source object is refused by name.
    pub max_object_bytes: Option<u64>,
}

/// Staged bytes in memory where nothing is said: two parts on their way and as much being filled. More would take
/// a gigabyte in 365 partitions beyond 400 MiB, and part files come slower than two lanes carry them.
pub const STAGING_BYTES: u64 = 32 << 20;
/// Staged bytes on disk where nothing is said: what a function's `/tmp` has then.
pub const SPILL_BYTES: u64 = 512 << 20;

/// What the host takes of a function's memory beside what it stages, which is there twice while it is sent: program,
/// compiled code, connections, a piece of input and one of output.
const HOST_BYTES: u64 = 128 * MIB;
/// A guest starts with a few MiB. A function too small even for this takes small objects all the same.
const LEAST_GUEST_BYTES: u64 = 32 * MIB;
const MIB: u64 = 1 << 20;

impl PipelineLimits {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let (bytes, count) = (|key| bytes(section, key), |key| count(section, key));
        Self {
            memory_bytes: bytes("memory_bytes"),
            step_seconds: count("step_seconds"),
            object_seconds: count("object_seconds"),
            output_bytes: bytes("output_bytes"),
            parts: count("parts"),
            open_parts: count("open_parts"),
            quarantine_bytes: bytes("quarantine_bytes"),
            staging_bytes: bytes("staging_bytes"),
            spill_bytes: bytes("spill_bytes"),
            max_object_bytes: bytes("max_object_bytes"),
        }
    }

    /// The guest's limits: the defaults and what is set here; in a function with so many bytes of memory no more than
    /// the host leaves of them, so that a guest that wants more meets a named limit and is not killed with the host.
    pub fn sandbox(&self, function_bytes: Option<u64>) -> Limits {
        let default = Limits::default();
        let wanted = self.memory_bytes.unwrap_or(default.memory_bytes);
        let staging = self.staging_bytes.unwrap_or(STAGING_BYTES);
        let left =
            function_bytes.map(|all| all.saturating_sub(HOST_BYTES + 2 * staging).max(LEAST_GUEST_BYTES));
        Limits {
            memory_bytes: left.map_or(wanted, |left| wanted.min(left)),
            step_seconds: self.step_seconds.unwrap_or(default.step_seconds),
            object_seconds: self.object_seconds.unwrap_or(default.object_seconds),
            output_bytes: self.output_bytes.unwrap_or(default.output_bytes),
            parts: self.parts.unwrap_or(default.parts),
            open_parts: self.open_parts.unwrap_or(default.open_parts),
            quarantine_bytes: self.quarantine_bytes.unwrap_or(default.quarantine_bytes),
            ..default
        }
    }

    /// Guests that a function of so many bytes has room for at once.
    pub fn guests(&self, function_bytes: Option<u64>) -> usize {
        let Some(all) = function_bytes else { return 1 };
        let staging = self.staging_bytes.unwrap_or(STAGING_BYTES);
        let room = all.saturating_sub(HOST_BYTES + 2 * staging);
        usize::try_from(room / self.sandbox(function_bytes).memory_bytes.max(1)).unwrap_or(1).max(1)
    }
}

pub(super) fn count(section: &Section<'_>, key: &str) -> Option<u32> {
    let field = section.whole(key)?;
    let Kind::Count(least, most) = section.kind(key) else { return None };
    let number = u32::try_from(field.value).ok().filter(|number| (least..=most).contains(number));
    if number.is_none() {
        section.wrong(&field, Wrong::new(format!("`{key}` is from {least} to {most}, not {}", field.value)));
    }
    number
}

pub(super) fn bytes(section: &Section<'_>, key: &str) -> Option<u64> {
    let plain = |number: i64| u64::try_from(number).map_err(|_| no_size());
    let field = section.number_or(key, plain, size)?;
    let Kind::Bytes(least, most) = section.kind(key) else { return None };
    if (least..=most).contains(&field.value) {
        return Some(field.value);
    }
    let range = format!("`{key}` is from {} to {}, not {}", shown(least), shown(most), shown(field.value));
    section.wrong(&field, Wrong::new(range));
    None
}

const UNITS: [(&str, u64); 9] = [
    ("KiB", 1 << 10),
    ("MiB", MIB),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

/// `512 MiB`, `1.5GB`, `100`.
pub(super) fn size(text: &str) -> Result<u64, Wrong> {
    let text = text.trim();
    let unit = UNITS.iter().find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, *bytes)));
    let (number, unit) = unit.unwrap_or((text, 1));
    let number = number.trim();
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(unit).ok_or_else(no_size);
    }
    let digits = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let fraction = number.parse::<f64>().ok().filter(|_| digits && unit > 1).ok_or_else(no_size)?;
    Ok((fraction * unit as f64) as u64)
}

fn no_size() -> Wrong {
    Wrong::new("this is no number of bytes").hint("write 536870912, \"512 MiB\" or \"500 MB\"")
}

/// In the largest unit that it is a whole number of.
pub(super) fn shown(bytes: u64) -> String {
    let whole = UNITS[..4].iter().rev().find(|(_, unit)| bytes > 0 && bytes.is_multiple_of(*unit));
    match whole {
        Some((name, unit)) => format!("{} {name}", bytes / unit),
        None => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_shown() {
        let cases = [
            ("100", 100),
            ("100 B", 100),
            ("512 MiB", 512 * MIB),
            ("512MiB", 512 * MIB),
            ("1.5 GiB", 1536 * MIB),
            ("500 MB", 500_000_000),
        ];
        for (text, bytes) in cases {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "MiB", "-1", "1e9", "1.5", "5 mib", "inf GiB", "99999999999 TiB"] {
            assert!(size(text).is_err(), "{text}");
        }
        assert_eq!([shown(0), shown(1536 * MIB), shown(1001)], ["0", "1536 MiB", "1001"]);
    }
}

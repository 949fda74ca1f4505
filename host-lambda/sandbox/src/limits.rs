//! Every limit on a guest, in one place, each with its reason.
//!
//! Not for the transform's own limits (depth, columns, record size): those are in the component and the
//! same in every home. The decision to know: these are nets under those, set so that a sound transform
//! never meets them.

use std::time::{Duration, Instant};

/// How often the engine's epoch moves on. A deadline is at most this late; each tick costs the ticker
/// thread a microsecond.
pub const TICK: Duration = Duration::from_millis(50);

/// Bytes of one `push`: the interface's own rule.
pub const CHUNK_BYTES: usize = 1 << 20;

/// Bytes that one call may lift out of the guest. The interface allows 8 MiB of part bytes in a step; a
/// `widen` carries contracts, spec and report of up to a few thousand columns. Wasmtime's default of
/// 128 MiB would let a lying list length cost that much memory each step.
pub const LIFT_BYTES: usize = 32 << 20;

/// Bytes of one `part-bytes` step: the interface's own rule.
pub const PIECE_BYTES: usize = 8 << 20;

/// Bytes of one quarantine line: its raw text is cut at 64 KiB, and escaping makes at most six of one.
pub const LINE_BYTES: usize = 1 << 20;

/// Tables and instances of core Wasm inside a component: the shipped one needs four of each.
pub const CORE_INSTANCES: usize = 32;

/// Elements of a core table: the shipped component has some thousand functions in its own.
pub const TABLE_ELEMENTS: usize = 1 << 20;

/// What one source object may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory of the guest. Its encode budget is far below; the rest is room for one record of
    /// the largest size, decompression windows and dictionaries. Passing it is a trap, never an OOM kill.
    pub memory_bytes: u64,
    /// One call into the guest works for at most 1 MiB of input or 8 MiB of output, which is well below
    /// a second; a minute is for starved machines.
    pub step_seconds: u32,
    /// One pass over one source object; 0 is no limit. A day is for laptops with huge files.
    pub object_seconds: u32,
    /// When the time of whoever waits is up: of a function's invocation. Every call into the guest ends by then.
    pub until: Option<Instant>,
    /// All part files of one source object: a net under a guest that writes without end.
    pub output_bytes: u64,
    /// Part files of one source object. The guest's own limit is on open partitions (1,000 by default,
    /// up to what its spec says); one partition may come in several files.
    pub parts: u32,
    /// Part files that are open at once: each costs the host a file handle; 1,024 is a common cap.
    pub open_parts: u32,
    /// Quarantine lines of one source object: raw texts are capped, but a bad feed rejects every record.
    pub quarantine_bytes: u64,
    /// Steps in a row that neither take input nor put anything out: an honest guest needs none to few.
    pub idle_steps: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 768 << 20,
            step_seconds: 60,
            object_seconds: 24 * 3600,
            until: None,
            output_bytes: 1 << 40,
            parts: 100_000,
            open_parts: 4_096,
            quarantine_bytes: 4 << 30,
            idle_steps: 1_000_000,
        }
    }
}

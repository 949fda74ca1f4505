//! Every limit of a job, in one place, each with its reason.
//!
//! A spec may lower or raise those of [`Limits`] in its `[limits]` table; the constants are fixed,
//! because the bytes that come out depend on them.

use serde::Deserialize;

/// Decoded input one step works on: short steps make deadlines, cancel and progress alike everywhere.
pub const STEP_BYTES: usize = 1 << 20;

/// Most bytes of a part file that one step returns: what a host lifts in one call.
pub const PIECE_BYTES: usize = 8 << 20;

/// Bytes of a part file that wait for the column that makes them so many: less to hold, here and at the host.
pub const SEND_BYTES: usize = 1 << 20;

/// Records of a batch. Part of the format: row-group borders fall between batches.
pub const BATCH_RECORDS: usize = 4096;

/// Input bytes after which a batch ends, counted from its first record. The raw text of a batch is
/// kept until its checks have run, so this also bounds the buffer.
pub const BATCH_BYTES: usize = 2 << 20;

/// Rows after which a batch ends: an array of a million small elements must not grow a batch without end.
pub const BATCH_ROWS: usize = 1 << 17;

/// Bytes of a batch's rows, each value of a parent counted on every row, after which the batch ends: few bytes
/// of input make many rows, and many columns make wide ones.
pub const BATCH_ROWS_BYTES: usize = 64 << 20;

/// Bytes of the rows of one record, counted so: no batch is smaller. With what expressions and part files copy
/// of it, it has to fit into a guest's memory beside the budget below.
pub const RECORD_ROWS_BYTES: usize = 128 << 20;

/// Bytes of text that the derived columns of a batch have together: what expressions make is held twice.
pub const DERIVED_TEXT_BYTES: usize = 128 << 20;

/// Raw bytes of values (rows, not slots) at which a part file's row group is written. Readers prune
/// and parallelise by row group: below 32 MiB the overhead shows, far above it memory does.
pub const ROW_GROUP_BYTES: usize = 32 << 20;

/// Bytes that all open part files hold together before the largest writes a row group early.
pub const ENCODE_BUDGET: usize = 64 << 20;

/// Bytes that they never hold together: with many partitions a batch brings more than one row group takes away.
pub const ENCODE_CEILING: usize = 256 << 20;

/// Columns of all open part files together: each costs memory before it has a value.
pub const OPEN_COLUMNS: usize = 2_000_000;

/// Column chunks that open part files remember for their footers; beyond, the file that has just got a row
/// group is closed, and another goes on. A chunk with its statistics takes about half a kilobyte.
pub const OPEN_CHUNKS: usize = 250_000;

/// Raw text of a rejected record that the quarantine keeps; the rest is cut and said to be cut.
pub const QUARANTINE_RAW_BYTES: usize = 64 << 10;

/// Fields of a CSV record that are kept: a record of delimiters alone has millions.
pub const CSV_FIELDS: usize = 1 << 20;

/// Longest name of a column or table, as Athena and Glue want.
pub const NAME_BYTES: usize = lakegate_model::contract::NAME_BYTES;

/// Longest path of a column: a JSON pointer, in bytes. Every part file's footer holds the paths of all its
/// columns, so that one key of megabytes would weigh on every file to come.
pub const POINTER_BYTES: usize = 1 << 10;

/// Keys of paths that no contract has, as a plan remembers them, in bytes. They only save time: a key beyond
/// is looked at each time it comes.
pub const UNKNOWN_KEY_BYTES: usize = 1 << 20;

/// Limits that a spec may change.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Largest record in bytes: a record is held whole while it is read (default 64 MiB).
    pub record_bytes: usize,
    /// Deepest nesting of a record: the reader recurses, and stacks of the homes differ (default 128).
    pub depth: usize,
    /// Most columns of a table: data used as keys would make one a row (default 2,000).
    pub columns: usize,
    /// Most partitions of one source object: each is a file (default 1,000).
    pub partitions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { record_bytes: 64 << 20, depth: 128, columns: 2_000, partitions: 1_000 }
    }
}

impl Limits {
    /// Depth that no spec can pass: the smallest stack among the homes (512 KiB) allows it.
    pub const DEPTH_CEILING: usize = 512;

    /// Record size that no spec can pass: with a batch before it, the text of a column still has 31-bit offsets.
    pub const RECORD_BYTES_CEILING: usize = 1 << 30;

    /// Columns and partitions that no spec can pass: the host's own net is as wide.
    pub const COUNT_CEILING: usize = lakegate_model::contract::MOST_COLUMNS;
}

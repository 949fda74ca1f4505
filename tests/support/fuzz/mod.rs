//! What is fuzzed: one function of bytes a target, which panics where a law is broken.
//!
//! For: `tests/e2e/fuzz.rs`, which mutates a small corpus for some seconds, and the crate `tests/fuzz`, which
//! hands the same functions to libFuzzer. The decision to know: a target goes through what is public, as a
//! host does, so that what it finds is what a person could send; and it answers with a word for what the
//! input came to, by which the runner keeps inputs that lead somewhere new.

mod both;
mod input;
mod mutate;
mod runner;
mod spec;
mod texts;

use crate::drive::{self, Ask, Failed, Made};
use crate::ways::Native;
use crate::{corpus, rows};

pub use runner::{Asked, Count, fuzz};

/// One thing that is fuzzed.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: that of its folder of the corpus, of its test, and of libFuzzer's program.
    pub name: &'static str,
    /// Longest input in bytes; what is beyond is not looked at. Compressed inputs grow a thousandfold.
    pub most: usize,
    /// What inputs are made of, for the mutator.
    pub words: &'static [&'static str],
    run: fn(&[u8]) -> String,
}

/// All of them.
pub const TARGETS: [Target; 15] = [
    Target { name: "json", most: 4096, words: input::JSON, run: input::json },
    Target { name: "csv", most: 4096, words: input::CSV, run: input::csv },
    Target { name: "gzip", most: 1024, words: &[], run: input::gzip },
    Target { name: "zstd", most: 512, words: &[], run: input::zstd },
    Target { name: "bzip2", most: 512, words: &[], run: input::bzip2 },
    Target { name: "zip", most: 1024, words: input::ZIP, run: input::zip },
    Target { name: "spec", most: 4096, words: spec::SPEC, run: spec::spec },
    Target { name: "sql", most: 512, words: spec::SQL, run: spec::sql },
    Target { name: "contract", most: 4096, words: texts::CONTRACT, run: texts::contract },
    Target { name: "event", most: 8192, words: texts::EVENT, run: texts::event },
    Target { name: "manifest", most: 4096, words: texts::RELEASE, run: texts::manifest },
    Target { name: "channel", most: 4096, words: texts::RELEASE, run: texts::channel },
    Target { name: "configuration", most: 4096, words: texts::CONFIGURATION, run: texts::configuration },
    Target { name: "reference", most: 4096, words: &[], run: both::reference },
    Target { name: "component", most: 2048, words: input::JSON, run: both::component },
];

impl Target {
    /// The target of this name.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn named(name: &str) -> &'static Self {
        let found = TARGETS.iter().find(|target| target.name == name);
        found.unwrap_or_else(|| panic!("there is no target called {name}"))
    }

    /// Runs it; a word for what the input came to.
    ///
    /// # Panics
    /// Where a law is broken.
    #[must_use]
    pub fn run(&self, data: &[u8]) -> String {
        (self.run)(&data[..data.len().min(self.most)])
    }
}

/// Takes the first byte off, as a number below sixteen; `0` to `9` of the corpus are the first ten.
fn setting(data: &[u8]) -> (usize, &[u8]) {
    data.split_first().map_or((0, data), |(first, rest)| (usize::from(first % 16), rest))
}

fn ask(spec: &str) -> Ask {
    Ask { spec: spec.to_owned(), table: Some("t".to_owned()), contracts: Vec::new() }
}

/// A run in one piece, and in pieces of `chunk` bytes: they come to the same, and what came out can be read.
fn in_pieces(ask: &Ask, input: &[u8], chunk: usize) -> Result<Made, Failed> {
    let whole = drive::run(&Native, ask, input, 1 << 20);
    let cut = drive::run(&Native, ask, input, chunk);
    if let Some(difference) = differ(&whole, &cut) {
        panic!("in one piece and in pieces of {chunk}: {difference}");
    }
    sound(&whole);
    whole
}

/// What differs between two runs of an input. Where it is a broken stream, what came out of it before it broke may
/// be judged first or not, so that it fails for one reason or the other.
fn differ(one: &Result<Made, Failed>, other: &Result<Made, Failed>) -> Option<String> {
    let streams = ["gzip_", "zstd_", "bzip2_", "zip_", "unsupported_format"];
    let broken = |failed: &Failed| streams.iter().any(|stream| failed.code.starts_with(stream));
    match (one, other) {
        (Err(one), Err(other)) if broken(one) || broken(other) => None,
        _ => corpus::difference(one, other),
    }
}

/// What holds of every run: a failure is somebody's fault, a part file can be read and has the rows it is said to have.
fn sound(ran: &Result<Made, Failed>) {
    match ran {
        Ok(made) => {
            for part in &made.parts {
                let text =
                    rows::read(&part.bytes).unwrap_or_else(|error| panic!("{}: {error:#}", part.table));
                assert_eq!(text.rows.len() as u64, part.rows, "rows told and rows read");
            }
        }
        Err(failed) => assert_ne!(failed.fault, "internal", "{failed:?}"),
    }
}

/// Rows by table and partition, as text: files that other specs made differ in their footers.
fn tables(made: &Made) -> Vec<String> {
    let text = |part: &drive::Part| {
        let text = rows::read(&part.bytes).unwrap();
        let rows: Vec<String> = text.rows.iter().map(|row| row.join(" | ")).collect();
        format!("{}/{} {:?}\n{}", part.table, part.partition, text.schema, rows.join("\n"))
    };
    made.parts.iter().map(text).collect()
}

/// What a run came to, in a word: what failed, or which records were rejected for what.
fn outcome(ran: &Result<Made, Failed>) -> String {
    match ran {
        // Without numbers and names of the input, or every message would be new.
        Err(failed) => format!("{} {}", failed.code, kind_of(&failed.message)),
        Ok(made) => {
            let report = &made.report;
            let rejects: Vec<&str> =
                made.quarantine.iter().filter_map(|line| line["code"].as_str()).take(3).collect();
            format!("{} {} {rejects:?} {}", report["format"], made.passes, report["warnings"].is_null())
        }
    }
}

/// The words of a message that are not quoted and have no digit.
fn kind_of(message: &str) -> String {
    let plain = |word: &&str| word.bytes().all(|byte| byte.is_ascii_lowercase());
    message.split(' ').filter(plain).take(8).collect::<Vec<_>>().join(" ")
}

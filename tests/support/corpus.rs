//! The golden corpus: `tests/corpus/<format>/<case>/`, one folder a case.
//!
//! A case holds `input.*` (or `input1.*`, `input2.*` …, run one after the other into the same live
//! contracts), optionally `transform.toml`, and `expected.txt`; `proposal.toml` where the proposed
//! spec is pinned too. Anything else fails the run, so no file lies about unused. `UPDATE=1` blesses.
//!
//! The decision to know: every input goes through both ways and several chunk sizes, and all must give
//! the same bytes; `expected.txt` is compared once.

use std::fs;
use std::path::{Path, PathBuf};

use crate::drive::{self, Ask, Failed, Made, Way};
use crate::golden;
use crate::ways::{self, Native};

/// Chunk sizes of the native way: one byte splits every token and every UTF-8 sequence.
const NATIVE_CHUNKS: [usize; 4] = [1 << 20, 64 << 10, 7, 1];
/// Chunk sizes of the component.
const COMPONENT_CHUNKS: [usize; 3] = [1 << 20, 61, 1];
/// Inputs beyond this size are not cut into single bytes: that tests the patience only.
const TINY: usize = 64 << 10;

/// One case.
#[derive(Debug)]
pub struct Case {
    /// Its folder.
    pub folder: PathBuf,
    inputs: Vec<PathBuf>,
    spec: String,
    table: String,
}

/// Every case below a folder.
///
/// # Panics
/// Where a folder is no case, or a file belongs to none.
#[must_use]
pub fn cases(root: &Path) -> Vec<Case> {
    let folders = |path: &Path| {
        let mut found: Vec<PathBuf> =
            fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        found.sort();
        found
    };
    folders(root).iter().flat_map(|format| folders(format)).map(|folder| Case::read(&folder)).collect()
}

impl Case {
    fn read(folder: &Path) -> Self {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let known = ["transform.toml", "expected.txt", "proposal.toml"];
        let (inputs, others): (Vec<String>, Vec<String>) = names.into_iter().partition(|name| is_input(name));
        for name in &others {
            assert!(known.contains(&name.as_str()), "{}: {name} is used by nothing", folder.display());
        }
        assert!(!inputs.is_empty(), "{}: no input", folder.display());
        let spec = fs::read_to_string(folder.join("transform.toml")).unwrap_or_default();
        let inputs = inputs.iter().map(|name| folder.join(name)).collect();
        Self { folder: folder.to_owned(), inputs, spec, table: "t".to_owned() }
    }

    /// Runs the case; the difference to what was expected, if there is one.
    ///
    /// # Errors
    /// A text for people.
    pub fn run(&self) -> Result<(), String> {
        let mut text = String::new();
        let mut proposal = None;
        let mut contracts = Vec::new();
        for path in &self.inputs {
            let input = fs::read(path).unwrap();
            let ask = Ask {
                spec: self.spec.clone(),
                table: Some(self.table.clone()),
                contracts: contracts.clone(),
            };
            if self.inputs.len() > 1 {
                text.push_str(&format!("# {}\n", path.file_name().unwrap().to_string_lossy()));
            }
            match every_way(&ask, &input)? {
                Ok(made) => {
                    text.push_str(&golden::made(&made));
                    contracts = made.contracts;
                    proposal = made.proposal.or(proposal);
                }
                Err(failed) => text.push_str(&golden::failed(&failed)),
            }
        }
        compare(&self.folder.join("expected.txt"), &text)?;
        match self.folder.join("proposal.toml") {
            path if path.exists() => compare(&path, &proposal.unwrap_or_default()),
            _ => Ok(()),
        }
    }
}

fn is_input(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    stem.strip_prefix("input").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Runs both ways at all chunk sizes.
///
/// # Errors
/// Two ways did not come to the same.
pub fn every_way(ask: &Ask, input: &[u8]) -> Result<Result<Made, Failed>, String> {
    both_ways(&Native, ways::component().map(|way| way as &dyn Way), ask, input)
}

/// As [`every_way`], for a transform of one's own.
///
/// # Errors
/// Two ways did not come to the same.
pub fn both_ways(
    native: &dyn Way,
    component: Option<&dyn Way>,
    ask: &Ask,
    input: &[u8],
) -> Result<Result<Made, Failed>, String> {
    let first = drive::run(native, ask, input, NATIVE_CHUNKS[0]);
    let others = NATIVE_CHUNKS[1..].iter().map(|chunk| (native, *chunk));
    let sandboxed = component.into_iter().flat_map(|way| COMPONENT_CHUNKS.map(|chunk| (way, chunk)));
    for (way, chunk) in others.chain(sandboxed) {
        if input.len() > TINY && chunk < 64 << 10 {
            continue;
        }
        let other = drive::run(way, ask, input, chunk);
        if let Some(difference) = difference(&first, &other) {
            return Err(format!("native in one piece and {} in chunks of {chunk}: {difference}", way.name()));
        }
    }
    Ok(first)
}

/// What differs between two runs of the same input; a failure is compared by its code and its hint.
#[must_use]
pub fn difference(one: &Result<Made, Failed>, other: &Result<Made, Failed>) -> Option<String> {
    match (one, other) {
        (Ok(one), Ok(other)) if one == other => None,
        (Ok(one), Ok(other)) => {
            let (left, right) = (golden::made(one), golden::made(other));
            Some(if left == right { "the same rows, other bytes".to_owned() } else { diff(&left, &right) })
        }
        (Err(one), Err(other)) => (one.code != other.code || one.hint != other.hint)
            .then(|| format!("{} and {}", golden::failed(one), golden::failed(other))),
        (Ok(_), Err(failed)) => Some(format!("success and {}", golden::failed(failed))),
        (Err(failed), Ok(_)) => Some(format!("{} and success", golden::failed(failed))),
    }
}

/// Compares a text with a golden file; `UPDATE=1` writes it instead.
///
/// # Errors
/// The lines that differ.
pub fn compare(path: &Path, text: &str) -> Result<(), String> {
    if std::env::var_os("UPDATE").is_some() {
        return fs::write(path, text).map_err(|error| error.to_string());
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    if expected == text { Ok(()) } else { Err(diff(&expected, text)) }
}

/// Lines of both, `-` expected, `+` got, where they differ.
fn diff(expected: &str, got: &str) -> String {
    let (left, right): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), got.lines().collect());
    let same = left.iter().zip(&right).take_while(|(a, b)| a == b).count();
    let tail = left[same..].iter().rev().zip(right[same..].iter().rev()).take_while(|(a, b)| a == b).count();
    let minus = left[same..left.len() - tail].iter().map(|line| format!("- {line}\n"));
    let plus = right[same..right.len() - tail].iter().map(|line| format!("+ {line}\n"));
    format!("from line {}:\n{}", same + 1, minus.chain(plus).collect::<String>())
}

//! How a test says that it could not run here: [`skipped`], and then it returns.
//!
//! The test harness knows passed and failed only, and swallows what a passing test prints. So the reason is
//! also appended to the file that `LAKEGATE_SKIPPED` names, one line a test: `cargo xtask test` takes those
//! tests out of the passed ones and counts them in its closing line.
//!
//! A test that checks less than it could, and still checks something, is not skipped: it says so on standard
//! error.

#![forbid(unsafe_code)]

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

/// The file that skipped tests are noted in.
const FILE: &str = "LAKEGATE_SKIPPED";

/// Notes that the running test is skipped, and why; the test returns after it.
///
/// To be called on the test's own thread, which has the test's name.
///
/// # Panics
/// Where the file cannot be written: the count would be wrong.
pub fn skipped(why: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test without a name");
    eprintln!("skipped: {why}");
    if let Some(file) = std::env::var_os(FILE) {
        let program = std::env::current_exe().unwrap_or_default();
        let line = line(&program, test, why);
        // One write of a whole line at the end: test programs and their threads do not cut each other's.
        let noted = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&file)
            .and_then(|mut file| file.write_all(line.as_bytes()));
        assert!(noted.is_ok(), "{}: {noted:?}", Path::new(&file).display());
    }
}

/// `program<TAB>test<TAB>why<LF>`.
fn line(program: &Path, test: &str, why: &str) -> String {
    let program = program.file_name().unwrap_or_default().to_string_lossy();
    let plain = |text: &str| text.replace(['\t', '\n', '\r'], " ");
    format!("{}\t{}\t{}\n", plain(&program), plain(test), plain(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_one_line_of_three_fields() {
        let noted = line(Path::new("/target/debug/deps/e2e-0123"), "aws::events", "no\tendpoint\nhere");
        assert_eq!(noted, "e2e-0123\taws::events\tno endpoint here\n");
    }
}

//! What a command answers: text or one JSON object, an exit code, and how a failure reads.
//!
//! For: the one place that writes to standard output and standard error. Not for: deciding what is
//! said (each subcommand does). The decision to know: a subcommand returns an [`Answer`] or a
//! [`Problem`] and prints nothing itself, apart from progress; so `--json` is exactly one object for
//! every outcome, and a reader that went away (`| head`) is met here and nowhere else.

use super::render::{Screen, Tone};
use serde_json::{Value, json};
use std::fmt;
use std::io::{self, Write};

/// How a command ended, as its exit code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    #[default]
    Done,
    /// 1: failed.
    Failed,
    /// 2: called in a way that makes no sense.
    Usage,
    /// 3: done, but records were rejected.
    Rejected,
}

impl Exit {
    /// The process exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Rejected => 3,
        }
    }
}

/// What a subcommand has to say.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// For people, to standard output; lines ended.
    pub text: String,
    /// For programs: always an object; null where [`begun`] has printed it.
    pub json: Value,
    /// How it ended.
    pub exit: Exit,
}

/// What a subcommand returns.
pub type Outcome = Result<Answer, Problem>;

/// Whose fault a failure is, and so who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The command line.
    Usage,
    /// The input data.
    Input,
    /// The spec or a contract.
    Spec,
    /// A named limit was passed.
    Limit,
    /// What surrounds Lakegate: files, rights, disk, another process.
    Environment,
    /// The transform component.
    Transform,
    /// A release, a channel or a key.
    Release,
    /// Lakegate itself.
    Internal,
}

impl Fault {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Input => "input",
            Self::Spec => "spec",
            Self::Limit => "limit",
            Self::Environment => "environment",
            Self::Transform => "transform",
            Self::Release => "release",
            Self::Internal => "internal",
        }
    }

    fn opening(self) -> &'static str {
        match self {
            Self::Usage => "usage error",
            Self::Input => "error in the input",
            Self::Spec => "error in the spec",
            Self::Limit => "error: a limit was passed",
            Self::Environment => "error",
            Self::Transform => "error in the transform",
            Self::Release => "error in the release",
            Self::Internal => "error in Lakegate itself",
        }
    }
}

/// Where something is wrong; unknown parts are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// File, as the person named it.
    pub file: Option<String>,
    /// Line, from 1.
    pub line: Option<u64>,
    /// Column in characters, from 1.
    pub column: Option<u64>,
    /// Byte offset in the decompressed input, from 0.
    pub offset: Option<u64>,
    /// Record number, from 1.
    pub record: Option<u64>,
    /// JSON pointer or column name.
    pub path: Option<String>,
}

impl Place {
    /// `orders.json:3:14 (record 2, byte 96, at /products/0/price)`; empty when nothing is known.
    pub fn describe(&self) -> String {
        let mut shown = self.file.clone().unwrap_or_default();
        if let Some(line) = self.line {
            shown.push_str(&if shown.is_empty() { format!("line {line}") } else { format!(":{line}") });
            if let Some(column) = self.column {
                shown.push_str(&format!(":{column}"));
            }
        }
        let mut more = Vec::new();
        more.extend(self.record.map(|record| format!("record {record}")));
        more.extend(self.offset.map(|offset| format!("byte {offset}")));
        more.extend(self.path.as_ref().filter(|path| !path.is_empty()).map(|path| format!("at {path}")));
        match (shown.is_empty(), more.is_empty()) {
            (_, true) => shown,
            (true, false) => more.join(", "),
            (false, false) => format!("{shown} ({})", more.join(", ")),
        }
    }

    fn json(&self) -> Value {
        if *self == Self::default() {
            return Value::Null;
        }
        json!({
            "file": self.file, "line": self.line, "column": self.column,
            "offset": self.offset, "record": self.record, "path": self.path,
        })
    }
}

/// Why a command failed: whose fault, where, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whose fault.
    pub fault: Fault,
    /// Stable name, for example `syntax_error`.
    pub code: String,
    /// One sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where; boxed, since every `Result` of a command would be as large as this.
    pub place: Box<Place>,
}

impl Problem {
    /// A failure at no particular place.
    pub fn new(fault: Fault, code: &str, message: impl Into<String>) -> Self {
        Self { fault, code: code.to_owned(), message: message.into(), hint: None, place: Box::default() }
    }

    /// The command line makes no sense.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Fault::Usage, "usage", message)
    }

    /// Reading or writing `what` failed; the hint follows from the kind of error.
    pub fn io(what: &str, error: &io::Error) -> Self {
        let problem = Self::new(Fault::Environment, "io", format!("{what}: {error}"));
        match error.kind() {
            io::ErrorKind::NotFound => Self { code: "not_found".to_owned(), ..problem }
                .hint("check the path; relative paths start at the current folder"),
            io::ErrorKind::PermissionDenied => Self { code: "permission_denied".to_owned(), ..problem }
                .hint("check the rights of the file and of the folders above it"),
            io::ErrorKind::StorageFull => {
                Self { code: "disk_full".to_owned(), ..problem }.hint("free some space and run it again")
            }
            _ => problem,
        }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says in which file it is.
    #[must_use]
    pub fn file(mut self, file: impl Into<String>) -> Self {
        self.place.file = Some(file.into());
        self
    }

    /// The exit code it leads to.
    pub fn exit(&self) -> Exit {
        if self.fault == Fault::Usage { Exit::Usage } else { Exit::Failed }
    }

    /// The `error` object of `--json`.
    pub fn json(&self) -> Value {
        json!({
            "fault": self.fault.name(), "code": self.code, "message": self.message,
            "hint": self.hint, "place": self.place.json(),
        })
    }

    /// For people: one to three lines.
    pub fn render(&self, screen: Screen) -> String {
        let mut text = format!("{}: {}\n", screen.paint(Tone::Bad, self.fault.opening()), self.message);
        let place = self.place.describe();
        if !place.is_empty() {
            text.push_str(&format!("  {} {place}\n", screen.paint(Tone::Dim, "-->")));
        }
        if let Some(hint) = &self.hint {
            text.push_str(&format!("  {} {hint}\n", screen.paint(Tone::Good, "hint:")));
        }
        text
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(Screen::default()).trim_end())
    }
}

/// Writes what a command that goes on has to say as it begins; its closing answer then is the empty one.
pub fn begun(answer: &Answer, json: bool) {
    let text = if json { format!("{}\n", answer.json) } else { answer.text.clone() };
    let mut out = io::stdout();
    // Whoever started it may not listen; it goes on all the same.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Writes `outcome` and says which exit code it means.
pub fn finish(
    outcome: &Outcome,
    json: bool,
    out: &mut impl Write,
    err: &mut impl Write,
    screen: Screen,
) -> Exit {
    let (text, exit) = match outcome {
        // It has said its object as it began.
        Ok(answer) if json && answer.json.is_null() => (String::new(), answer.exit),
        Ok(answer) if json => (format!("{}\n", answer.json), answer.exit),
        Ok(answer) => (answer.text.clone(), answer.exit),
        Err(problem) => {
            // Nobody is left to tell when standard error is gone.
            let _ = err.write_all(problem.render(screen).as_bytes());
            let text = if json { format!("{}\n", json!({ "error": problem.json() })) } else { String::new() };
            (text, problem.exit())
        }
    };
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => exit,
        // `lakegate inspect … | head`: the reader has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => exit,
        Err(error) => {
            let problem = Problem::io("standard output", &error);
            let _ = err.write_all(problem.render(screen).as_bytes());
            Exit::Failed
        }
    }
}

#[cfg(test)]
#[path = "output_tests.rs"]
mod tests;

//! What a command answers: text or one JSON object, an exit code, and how a failure reads.
//!
//! For: the one place that writes to standard output and standard error. Not for: deciding what is
//! said (each subcommand does). The decision to know: a subcommand returns an [`Answer`] or a
//! [`Error`] and prints nothing itself, apart from progress; so `--json` is exactly one object for
//! every outcome, and a reader that went away (`| head`) is met here and nowhere else.

use crate::show::problem;
use crate::show::render::Screen;
use lakegate_base::{Error, Fault};
use serde_json::{Value, json};
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

/// The exit code that a failure leads to.
pub fn exit_of(error: &Error) -> Exit {
    if error.fault() == Fault::Usage { Exit::Usage } else { Exit::Failed }
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
pub type Outcome = Result<Answer, Error>;

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
        Err(error) => {
            // Nobody is left to tell when standard error is gone.
            let _ = err.write_all(problem::render(error, screen).as_bytes());
            let text =
                if json { format!("{}\n", json!({ "error": problem::json(error) })) } else { String::new() };
            (text, exit_of(error))
        }
    };
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => exit,
        // `lakegate inspect … | head`: the reader has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => exit,
        Err(error) => {
            let _ = err.write_all(problem::render(&Error::io("standard output", error), screen).as_bytes());
            Exit::Failed
        }
    }
}

#[cfg(test)]
#[path = "output_tests.rs"]
mod tests;

//! Documents as tests see them: marked blocks, links, and the sessions that the blocks make up.
//!
//! For: `tests/e2e/docs.rs`. CONTRIBUTING.md says how blocks are marked. The commands of a session run in one
//! shell, in a temporary folder, as a reader's would: a variable that is set stays set, a folder that is entered
//! stays entered.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Languages whose blocks are commands.
const SHELLS: [&str; 4] = ["console", "sh", "bash", "shell"];

/// Stands before what the script says of itself, so that no command's output is taken for it.
const MARK: char = '\u{1e}';

/// A fenced block.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// Line of its first fence, from 1.
    pub line: usize,
    /// First word behind the fence.
    pub language: String,
    /// What is marked behind the language: `run`, `file`, `exit`, `no-run`.
    pub marks: BTreeMap<String, String>,
    /// The lines between the fences.
    pub lines: Vec<String>,
}

/// One thing that a session does.
#[derive(Clone, Debug)]
pub enum Step {
    /// Shell commands that the reader does not see.
    Setup(String),
    /// A file that a block shows.
    File(String, String),
    /// A command, the lines that it should print (none: any), and its exit code.
    Command {
        /// Line in the document.
        line: usize,
        /// As it stands behind `$ `.
        text: String,
        /// What it prints.
        prints: Vec<String>,
        /// Its exit code.
        exit: i32,
    },
}

/// The blocks of one name.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// In the document's order.
    pub steps: Vec<Step>,
    /// Whether it wants the stand-in for AWS.
    pub aws: bool,
}

/// A document, read.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// By name.
    pub sessions: BTreeMap<String, Session>,
    /// What is wrong with its marks, each with its line.
    pub wrong: Vec<String>,
    /// Targets of its links, each with its line.
    pub links: Vec<(usize, String)>,
    /// What its headings can be reached by.
    pub anchors: Vec<String>,
    /// Texts in backticks outside of blocks, each with its line.
    pub code: Vec<(usize, String)>,
}

impl Document {
    /// Reads a document.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut document = Self::default();
        let mut block: Option<Block> = None;
        let mut setup: Option<(String, String)> = None;
        for (line, text) in (1..).zip(text.lines()) {
            if let Some(open) = &mut block {
                if text == "```" {
                    document.block(&std::mem::take(open));
                    block = None;
                } else {
                    open.lines.push(text.to_owned());
                }
            } else if let Some((names, script)) = &mut setup {
                if text == "-->" {
                    document.setup(names, script);
                    setup = None;
                } else {
                    let _ = writeln!(script, "{text}");
                }
            } else if let Some(info) = text.strip_prefix("```") {
                block = Some(document.opened(line, info));
            } else if let Some(names) = text.strip_prefix("<!-- setup ") {
                setup = Some((names.to_owned(), String::new()));
            } else {
                document.prose(line, text);
            }
        }
        if block.is_some() || setup.is_some() {
            document.wrong.push("a block is not closed".into());
        }
        document
    }

    fn opened(&mut self, line: usize, info: &str) -> Block {
        let (language, marks) = info.split_once(' ').unwrap_or((info, ""));
        let marks = marks_of(marks).unwrap_or_else(|| {
            self.wrong.push(format!("line {line}: marks are KEY=VALUE or KEY=\"VALUE\""));
            BTreeMap::new()
        });
        Block { line, language: language.to_owned(), marks, lines: Vec::new() }
    }

    fn setup(&mut self, names: &str, script: &str) {
        let (name, more) = names.split_once(' ').unwrap_or((names, ""));
        let session = self.sessions.entry(name.to_owned()).or_default();
        session.aws |= more == "aws";
        session.steps.push(Step::Setup(script.to_owned()));
    }

    fn block(&mut self, block: &Block) {
        let line = block.line;
        let mark = |name: &str| block.marks.get(name).map(String::as_str);
        let commands = SHELLS.contains(&block.language.as_str());
        let mut wrong = |what: &str| self.wrong.push(format!("line {line}: {what}"));
        if let Some(key) =
            block.marks.keys().find(|key| !["run", "file", "exit", "no-run"].contains(&&***key))
        {
            return wrong(&format!("there is no mark `{key}`"));
        }
        match (mark("run"), mark("file"), mark("no-run")) {
            (None, None, None) if commands => wrong("a block of commands says run=NAME or no-run=\"REASON\""),
            (None, None, Some(reason)) if reason.len() < 10 => wrong("no-run says why"),
            (None, None, _) => {}
            (Some(_), Some(_), None) if commands => wrong("a block of commands is no file"),
            (Some(name), Some(file), None) => {
                let step = Step::File(file.to_owned(), block.lines.join("\n") + "\n");
                self.sessions.entry(name.to_owned()).or_default().steps.push(step);
            }
            (Some(name), None, None) if commands => match commands_of(block) {
                Some(steps) => self.sessions.entry(name.to_owned()).or_default().steps.extend(steps),
                None => wrong("commands begin with `$ `, and exit is a number"),
            },
            _ => wrong("these marks do not go together"),
        }
    }

    fn prose(&mut self, line: usize, text: &str) {
        if let Some(heading) = text.strip_prefix('#') {
            self.anchors.push(anchor(heading.trim_start_matches('#')));
        }
        for (at, piece) in text.split('`').enumerate() {
            if at % 2 == 1 {
                self.code.push((line, piece.to_owned()));
            }
        }
        let mut rest = text;
        while let Some((_, after)) = rest.split_once("](") {
            let Some((target, after)) = after.split_once(')') else { break };
            self.links.push((line, target.to_owned()));
            rest = after;
        }
    }
}

/// `run=a no-run="b c"`.
fn marks_of(mut text: &str) -> Option<BTreeMap<String, String>> {
    let mut marks = BTreeMap::new();
    while !text.trim_start().is_empty() {
        let (key, rest) = text.trim_start().split_once('=')?;
        let (value, rest) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        marks.insert(key.to_owned(), value.to_owned());
        text = rest;
    }
    Some(marks)
}

/// The commands of a block; the mark `exit` is about the last of them.
fn commands_of(block: &Block) -> Option<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::new();
    for (at, own) in (block.line + 1..).zip(&block.lines) {
        match (own.strip_prefix("$ "), steps.last_mut()) {
            (Some(text), _) => {
                steps.push(Step::Command { line: at, text: text.to_owned(), prints: Vec::new(), exit: 0 });
            }
            (None, Some(Step::Command { prints, .. })) => prints.push(own.clone()),
            (None, _) => return None,
        }
    }
    if let (Some(code), Some(Step::Command { exit, .. })) = (block.marks.get("exit"), steps.last_mut()) {
        *exit = code.parse().ok()?;
    }
    (!steps.is_empty()).then_some(steps)
}

/// As GitHub makes it: letters, digits, `-` and `_` stay, blanks become `-`.
fn anchor(heading: &str) -> String {
    let plain = heading.trim().to_lowercase();
    let kept = plain.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

impl Session {
    /// Runs the session in an empty folder; what differs from what the document says.
    ///
    /// # Panics
    /// Where there is no shell.
    #[must_use]
    pub fn run(&self, folder: &Path, environment: &[(String, String)]) -> Vec<String> {
        let mut command = Command::new("bash");
        command.args(["-eu", "-c", &self.script()]).current_dir(folder).stdin(Stdio::null());
        for (name, _) in
            std::env::vars().filter(|(name, _)| name.starts_with("AWS_") || name.starts_with("LAKEGATE_"))
        {
            command.env_remove(name);
        }
        command.env("NO_COLOR", "1").envs(environment.iter().map(|(name, value)| (name, value)));
        let output = command.output().expect("bash starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut wrong = self.judge(&said);
        if wrong.is_empty() && !output.status.success() {
            wrong.push(format!("a setup failed\n{said}"));
        }
        wrong
    }

    /// Each command between two lines that tell its number and its exit code.
    fn script(&self) -> String {
        let mut script = String::from("exec 2>&1\n");
        for (number, step) in self.steps.iter().enumerate() {
            let _ = match step {
                Step::Setup(text) => writeln!(script, "{text}"),
                Step::File(path, text) => {
                    writeln!(script, "cat > '{path}' <<'END OF {MARK} FILE'\n{text}END OF {MARK} FILE")
                }
                Step::Command { text, exit, .. } => writeln!(
                    script,
                    "printf '\\n{MARK}begin {number}\\n'\nset +e\n{{ {text}\n}}\ncode_of_command=$?\nset -e\n\
                     printf '\\n{MARK}end %s\\n' \"$code_of_command\"\ntest \"$code_of_command\" = {exit}"
                ),
            };
        }
        script
    }

    fn judge(&self, said: &str) -> Vec<String> {
        let pieces: Vec<&str> = said.split(&format!("\n{MARK}")).collect();
        let mut wrong = Vec::new();
        for (number, step) in self.steps.iter().enumerate() {
            let Step::Command { line, text, prints, exit } = step else { continue };
            let begun = format!("begin {number}");
            let begun = pieces.windows(2).find(|pair| pair[0].split('\n').next() == Some(&begun));
            let Some([own, after]) = begun else {
                wrong.push(format!("line {line}: `{text}` did not run to its end\n{said}"));
                break;
            };
            let printed: Vec<&str> = own.split('\n').skip(1).map(str::trim_end).collect();
            let code = after.split('\n').next().unwrap_or_default().trim_start_matches("end ");
            if code != exit.to_string() {
                wrong.push(format!("line {line}: `{text}` ended with {code}\n{}", printed.join("\n")));
            } else if !prints.is_empty() && !prints_as(prints, &printed) {
                let (wanted, printed) = (prints.join("\n"), printed.join("\n"));
                wrong.push(format!("line {line}: `{text}` prints\n{printed}\n-- and not --\n{wanted}"));
            }
        }
        wrong
    }
}

/// Whether lines are as a document shows them: `…` is any text, alone on a line any lines.
fn prints_as(shown: &[String], printed: &[&str]) -> bool {
    let blank = |lines: &[&str]| lines.iter().all(|line| line.is_empty());
    match shown {
        [] => blank(printed),
        [any, rest @ ..] if any.trim() == "…" => {
            (0..=printed.len()).any(|skip| prints_as(rest, &printed[skip..]))
        }
        [first, rest @ ..] => match printed {
            [line, after @ ..] => line_as(first.trim_end(), line) && prints_as(rest, after),
            [] => false,
        },
    }
}

fn line_as(shown: &str, printed: &str) -> bool {
    let Some((before, after)) = shown.split_once('…') else { return shown == printed };
    let Some(rest) = printed.strip_prefix(before) else { return false };
    rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| line_as(after, &rest[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(text: &str) -> Session {
        let document = Document::parse(text);
        assert_eq!(document.wrong, Vec::<String>::new());
        document.sessions["a"].clone()
    }

    fn run(text: &str) -> Vec<String> {
        session(text).run(tempfile::tempdir().unwrap().path(), &[])
    }

    #[test]
    fn a_session_is_one_shell() {
        let text = "<!-- setup a\necho x > seen\n-->\n```toml run=a file=b.toml\nk = 'v'\n```\n\
                    ```console run=a\n$ cat seen b.toml\nx\nk = 'v'\n$ mkdir d; cd d   # a comment\n$ export N=3\n```\n\
                    ```console run=a exit=3\n$ pwd; echo out; echo err >&2; sh -c \"exit $N\"\n…/d\nout\nerr\n```\n";
        assert_eq!(run(text), Vec::<String>::new());
    }

    #[test]
    fn what_differs_is_told() {
        let wrong = run("```console run=a\n$ echo 1\n2\n$ false\n$ true\n```\n");
        assert!(wrong[0].starts_with("line 2: `echo 1` prints\n1"), "{wrong:?}");
        assert!(wrong[1].starts_with("line 4: `false` ended with 1"), "{wrong:?}");
        assert!(wrong[2].starts_with("line 5: `true` did not run"), "{wrong:?}");
        assert!(run("```console run=a\n$ echo $UNSET_VARIABLE\n```\n")[0].contains("did not run to its end"));
        assert!(run("<!-- setup a\nfalse\n-->\n```console run=a\n$ true\n```\n")[0].contains("did not run"));
    }

    #[test]
    fn lines_are_compared_with_gaps() {
        let as_shown = |shown: &[&str], printed: &[&str]| {
            prints_as(&shown.iter().map(ToString::to_string).collect::<Vec<_>>(), printed)
        };
        assert!(as_shown(&["a … c", "…", "z"], &["a b c", "1", "2", "z", ""]));
        assert!(as_shown(&["…"], &[]) && as_shown(&["a"], &["a", ""]));
        assert!(
            !as_shown(&["a"], &["a", "b"]) && !as_shown(&["a…c"], &["ab"]) && !as_shown(&["a", "b"], &["a"])
        );
    }

    #[test]
    fn marks_are_checked() {
        for (text, says) in [
            ("```console\n$ x\n```\n", "says run=NAME"),
            ("```sh no-run=\"no\"\n$ x\n```\n", "says why"),
            ("```console run=a file=b\n$ x\n```\n", "is no file"),
            ("```console run=a\nx\n```\n", "begin with"),
            ("```console run=a colour=b\n$ x\n```\n", "no mark"),
            ("```console run\n$ x\n```\n", "KEY=VALUE"),
            ("```console run=a\n$ x\n", "not closed"),
        ] {
            let wrong = Document::parse(text).wrong;
            assert!(wrong.iter().any(|line| line.contains(says)), "{text}: {wrong:?}");
        }
    }

    #[test]
    fn links_and_anchors_are_found() {
        let document = Document::parse("## Derive, `filter`: a_b\n[a](b.md#c) and [d](#e) `x/y`\n");
        assert_eq!(document.anchors, ["derive-filter-a_b"]);
        assert_eq!(document.links, [(2, "b.md#c".to_owned()), (2, "#e".to_owned())]);
        assert_eq!(document.code, [(1, "filter".to_owned()), (2, "x/y".to_owned())]);
    }
}

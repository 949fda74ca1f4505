//! The command line of `cargo xtask`, read by hand: a parser library would take longer to compile than all of it.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::package::Processor;

/// What `cargo xtask --help` says.
pub const HELP: &str = "\
Builds, tests and measures Lakegate.

Usage: cargo xtask TASK [OPTIONS]

Tasks:
  setup [--all]             make sure of the Wasm target and the Python environment; prints its Python; --all: and of
                            the programs that judge a rendered stack
  demo                      set up, build, run the five example pipelines, show tables and SQL answers
  test                      set up, build, pass every test; the last line is `N passed, N failed, N skipped`
  torture                   every operation of a lake against every fault and every other operation; prints a report
      --minutes N             so long at random, after every fault point was tried [default: 3]
      --seed S                another random order, or the same one again [default: 1]
      --only TEXT             only the scenarios whose name holds this text
  component                 build the transform component and check that it imports nothing; prints its path
      --package PACKAGE       another crate of this workspace that makes one: into component/PACKAGE.wasm
  build                     the component, the browser page, and `lakegate` that carries both; prints its path
      --release               optimised, as shipped
  package                   the zip for AWS Lambda (provided.al2023); says its size, then prints its path
      --arm64 | --x86_64      for Graviton, or for Intel and AMD [default: as [stack] in FILE says, else this machine's]
      --dev                   quick to build, for tests on this machine
      --config FILE           a lakegate.toml to go into the zip, with the local specs that it names; with a
                              [stack], the zip is put as lakegate.zip into `stack` beside it too
  dist                      all that a release has and this machine can make, into dist/ of the target folder
      --target TRIPLE         the command for another machine
  web                       build the browser preview; prints the folder to serve
  reproduce                 build the component from two folders and compare the digests
  bench                     measure beside pandas, DuckDB and Polars; a full run writes BENCH.md
      --quick                 small data, one round
      --only INPUT…           only these inputs: json, ndjson, sales, wide, text
      --with clickhouse       measure beside ClickHouse too, which is fetched (534 MB)

Tasks talk on standard error; standard output carries only a task's answer.

Examples:
  cargo xtask demo
  cargo xtask build --release
  cargo xtask torture --minutes 30 --seed 7
  cargo xtask package --arm64
  cargo xtask bench --quick";

/// One task with its options.
#[derive(Debug, PartialEq, Eq)]
pub enum Task {
    Help,
    Component { package: Option<String> },
    Build { release: bool },
    Reproduce,
    Setup { all: bool },
    Test,
    Torture { minutes: u64, seed: u64, only: Option<String> },
    Demo,
    Package { processor: Option<Processor>, dev: bool, config: Option<PathBuf> },
    Dist { target: Option<String> },
    Web,
    Bench { quick: bool, only: Vec<String>, clickhouse: bool },
}

/// Reads the words after `cargo xtask`.
pub fn parse(words: impl IntoIterator<Item = String>) -> Result<Task> {
    let mut words = Words(words.into_iter().collect());
    if words.0.is_empty() || words.flag("--help") || words.flag("-h") || words.0[0] == "help" {
        return Ok(Task::Help);
    }
    let name = words.0.remove(0);
    let task = match name.as_str() {
        "component" => Task::Component { package: words.option("--package")? },
        "build" => Task::Build { release: words.flag("--release") },
        "reproduce" => Task::Reproduce,
        "setup" => Task::Setup { all: words.flag("--all") },
        "test" => Task::Test,
        "torture" => Task::Torture {
            minutes: words.number("--minutes")?.unwrap_or(3),
            seed: words.number("--seed")?.unwrap_or(1),
            only: words.option("--only")?,
        },
        "demo" => Task::Demo,
        "package" => {
            let processor = match (words.flag("--arm64"), words.flag("--x86_64")) {
                (true, true) => bail!("--arm64 and --x86_64 exclude each other"),
                (true, false) => Some(Processor::Arm64),
                (false, true) => Some(Processor::X86_64),
                (false, false) => None,
            };
            let config = words.option("--config")?.map(PathBuf::from);
            Task::Package { processor, dev: words.flag("--dev"), config }
        }
        "dist" => Task::Dist { target: words.option("--target")? },
        "web" => Task::Web,
        "bench" => {
            let clickhouse = words.option("--with")?;
            if let Some(other) = clickhouse.as_ref().filter(|name| *name != "clickhouse") {
                bail!("`--with {other}` is no peer of the benchmark\n  hint: there is `--with clickhouse`");
            }
            let (quick, only) = (words.flag("--quick"), words.all("--only"));
            Task::Bench { quick, only, clickhouse: clickhouse.is_some() }
        }
        _ => bail!("there is no task `{name}`\n  hint: `cargo xtask --help` lists them"),
    };
    if let Some(word) = words.0.first() {
        bail!("`cargo xtask {name}` does not know `{word}`\n  hint: `cargo xtask --help` lists what it does");
    }
    Ok(task)
}

/// Words that no one has taken yet.
struct Words(Vec<String>);

impl Words {
    /// Whether a flag is there; takes it.
    fn flag(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|word| word != name);
        self.0.len() < before
    }

    /// The value in `--name VALUE` or `--name=VALUE`; takes both.
    fn option(&mut self, name: &str) -> Result<Option<String>> {
        let joined = format!("{name}=");
        if let Some(at) = self.0.iter().position(|word| word.starts_with(&joined)) {
            return Ok(Some(self.0.remove(at).split_off(joined.len())));
        }
        let Some(at) = self.0.iter().position(|word| word == name) else { return Ok(None) };
        self.0.remove(at);
        let value = self.0.get(at).filter(|word| !word.starts_with('-'));
        value.with_context(|| format!("{name} needs a value"))?;
        Ok(Some(self.0.remove(at)))
    }

    /// The number in `--name NUMBER`; takes both.
    fn number(&mut self, name: &str) -> Result<Option<u64>> {
        let Some(text) = self.option(name)? else { return Ok(None) };
        Ok(Some(text.parse().with_context(|| format!("{name} needs a whole number, not `{text}`"))?))
    }

    /// All words after `--name` up to the next option; takes them.
    fn all(&mut self, name: &str) -> Vec<String> {
        let Some(at) = self.0.iter().position(|word| word == name) else { return Vec::new() };
        let count = self.0[at + 1..].iter().take_while(|word| !word.starts_with('-')).count();
        self.0.drain(at..=at + count).skip(1).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Task> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn tasks_and_their_options_are_read() {
        assert_eq!(read("build --release").unwrap(), Task::Build { release: true });
        assert_eq!(read("component").unwrap(), Task::Component { package: None });
        let own = Task::Component { package: Some("mask-score".into()) };
        assert_eq!(read("component --package mask-score").unwrap(), own);
        assert_eq!(read("component --package=mask-score").unwrap(), own);
        let zip = |processor| Task::Package {
            processor: Some(processor),
            dev: false,
            config: Some("a/b.toml".into()),
        };
        assert_eq!(read("package --config a/b.toml --arm64").unwrap(), zip(Processor::Arm64));
        assert_eq!(read("package --x86_64 --config a/b.toml").unwrap(), zip(Processor::X86_64));
        let some = Task::Bench { quick: true, only: vec!["json".into(), "text".into()], clickhouse: false };
        assert_eq!(read("bench --only json text --quick").unwrap(), some);
        let torture = |minutes, seed, only| Task::Torture { minutes, seed, only };
        assert_eq!(read("torture").unwrap(), torture(3, 1, None));
        let asked = read("torture --minutes 30 --seed=7 --only fsck").unwrap();
        assert_eq!(asked, torture(30, 7, Some("fsck".into())));
        for help in ["", "--help", "demo --help", "help", "-h"] {
            assert_eq!(read(help).unwrap(), Task::Help, "{help}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for wrong in [
            "bulid",
            "demo now",
            "build --relase",
            "package --arm64 --x86_64",
            "dist --target",
            "torture --seed x",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let said = read("bulid").unwrap_err().to_string();
        assert!(said.contains("`bulid`") && said.contains("--help"), "{said}");
    }

    #[test]
    fn every_task_is_in_the_help() {
        for line in HELP.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   ")) {
            let word = line.split_whitespace().next().unwrap();
            assert!(word == "cargo" || !matches!(read(word), Err(_) | Ok(Task::Help)), "{word}");
        }
    }
}

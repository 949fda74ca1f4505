//! The two ways a job runs: as a Rust library, and as the shipped component in the host's sandbox.
//!
//! For: [`crate::drive`]. The decision to know: a checkout without a built component still tests the
//! native way; [`component`] is then none and says so once on standard error.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use lakegate_sandbox as sandbox;
use lakegate_transform as native;

use crate::drive::{Ask, Failed, Run, Step, Way};

/// The transform as a Rust library.
#[derive(Clone, Copy, Debug)]
pub struct Native;

/// The shipped component under wasmtime.
pub struct Component(sandbox::Transform);

/// The shipped component, if this build has one.
pub fn component() -> Option<&'static Component> {
    static SHIPPED: OnceLock<Option<Component>> = OnceLock::new();
    SHIPPED
        .get_or_init(|| {
            let sandbox = sandbox::Sandbox::new(sandbox::Limits::default()).ok()?;
            let shipped = sandbox::Transform::shipped(&sandbox);
            if let Err(error) = &shipped {
                assert!(
                    std::env::var_os("LAKEGATE_NEEDS_COMPONENT").is_none(),
                    "LAKEGATE_NEEDS_COMPONENT is set, but: {error}"
                );
                eprintln!("note: no component in this build, only the native way is tested: {error}");
            }
            shipped.ok().map(Component)
        })
        .as_ref()
}

/// As [`component`], for a test that has nothing to check without one: it is skipped then.
pub fn required() -> Option<&'static Component> {
    let component = component();
    if component.is_none() {
        lakegate_skipped::skipped("this build carries no component");
    }
    component
}

/// The example of a transform of one's own, as a Rust library.
#[derive(Clone, Copy, Debug)]
pub struct MaskScore;

/// Path of the same as a component, where `cargo xtask component --package mask-score` has made it.
pub fn mask_score() -> Option<PathBuf> {
    let made = std::env::var_os("LAKEGATE_MASK_SCORE").map(PathBuf::from).or_else(|| {
        // `TARGET/debug/deps/e2e-…`
        let exe = std::env::current_exe().ok()?;
        Some(exe.ancestors().nth(3)?.join("component").join("mask-score.wasm"))
    });
    let made = made.filter(|path| path.is_file());
    if made.is_none() {
        assert!(
            std::env::var_os("LAKEGATE_NEEDS_COMPONENT").is_none(),
            "LAKEGATE_NEEDS_COMPONENT is set, but there is no mask-score.wasm"
        );
        eprintln!(
            "note: `cargo xtask component --package mask-score` was not run: only the native way is tested"
        );
    }
    made
}

impl Component {
    /// A component from a file.
    ///
    /// # Panics
    /// Where the host refuses it.
    #[must_use]
    pub fn from_file(path: &Path) -> Self {
        let sandbox = sandbox::Sandbox::new(sandbox::Limits::default()).expect("an engine");
        Self(sandbox::Transform::from_file(&sandbox, path).expect("the host takes it"))
    }
}

/// Facts about the source that every test uses.
const URI: &str = "test://inbox/ingest_date=2025-01-31/input";
const EVENT_TIME: i64 = 1_738_300_000_123;
const INGEST_DATE: &str = "2025-01-31";
/// A footer pair, so that footers are compared too.
const FOOTER: (&str, &str) = ("lakegate.component", "tests");

impl Way for Native {
    fn name(&self) -> String {
        "native".to_owned()
    }

    fn open(&self, ask: &Ask, last: bool) -> Result<Box<dyn Run>, Failed> {
        opened(native::Job::open(options(ask, last)))
    }
}

impl Way for MaskScore {
    fn name(&self) -> String {
        "native mask-score".to_owned()
    }

    fn open(&self, ask: &Ask, last: bool) -> Result<Box<dyn Run>, Failed> {
        opened(native::Job::open_with(options(ask, last), mask_score::MaskScore))
    }
}

fn options(ask: &Ask, last: bool) -> native::Options {
    let contracts = ask.contracts.iter().cloned();
    native::Options {
        spec: ask.spec.clone(),
        table: ask.table.clone(),
        contracts: contracts.map(|(table, text)| native::TableContract { table, text }).collect(),
        footer: vec![(FOOTER.0.to_owned(), FOOTER.1.to_owned())],
        source: facts(),
        final_pass: last,
        ..native::Options::default()
    }
}

/// What every way is told of the source object.
fn facts() -> native::SourceFacts {
    native::SourceFacts {
        uri: URI.to_owned(),
        event_time_ms: Some(EVENT_TIME),
        partitions: vec![("ingest_date".to_owned(), INGEST_DATE.to_owned())],
        loaded_ms: Some(EVENT_TIME + 1_234),
        bytes: Some(4_321),
        name: URI.rsplit('/').next().map(str::to_owned),
    }
}

fn opened(job: Result<native::Job, native::Failure>) -> Result<Box<dyn Run>, Failed> {
    job.map(|job| Box::new(job) as Box<dyn Run>).map_err(|failure| failed(&failure))
}

impl Run for native::Job {
    fn push(&mut self, chunk: &[u8]) {
        Self::push(self, chunk);
    }

    fn end(&mut self) {
        Self::end(self);
    }

    fn step(&mut self) -> Result<Step, Failed> {
        Ok(match Self::step(self).map_err(|failure| failed(&failure))? {
            native::Step::NeedInput => Step::NeedInput,
            native::Step::Working => Step::Working,
            native::Step::PartOpened { id, table, partition } => Step::Opened(id, table, partition),
            native::Step::PartBytes { id, bytes } => Step::Bytes(id, bytes),
            native::Step::PartClosed { id, rows, bytes } => Step::Closed(id, rows, bytes, None),
            native::Step::Quarantine(lines) => Step::Quarantine(lines),
            native::Step::Widen(widened) => {
                let contracts = widened.contracts.into_iter().map(|contract| (contract.table, contract.text));
                Step::Widen(contracts.collect(), widened.spec, widened.report)
            }
            native::Step::Done(report) => Step::Done(report),
        })
    }
}

fn failed(failure: &native::Failure) -> Failed {
    Failed {
        fault: format!("{:?}", failure.fault).to_lowercase(),
        code: failure.code.to_owned(),
        message: failure.to_string(),
        hint: failure.hint.clone(),
    }
}

impl Way for Component {
    fn name(&self) -> String {
        "component".to_owned()
    }

    fn open(&self, ask: &Ask, last: bool) -> Result<Box<dyn Run>, Failed> {
        let contracts = ask.contracts.iter().cloned();
        let options = sandbox::JobOptions {
            spec: ask.spec.clone(),
            table: ask.table.clone(),
            contracts: contracts.map(|(table, text)| sandbox::TableContract { table, text }).collect(),
            footer: vec![(FOOTER.0.to_owned(), FOOTER.1.to_owned())],
            source: facts(),
            final_pass: last,
            ..sandbox::JobOptions::default()
        };
        self.0
            .open(options)
            .map(|session| Box::new(session) as Box<dyn Run>)
            .map_err(|error| error_text(&error))
    }
}

impl Run for sandbox::Session {
    fn push(&mut self, chunk: &[u8]) {
        Self::push(self, chunk).expect("the sandbox takes bytes");
    }

    fn end(&mut self) {
        Self::end(self).expect("the sandbox takes the end");
    }

    fn step(&mut self) -> Result<Step, Failed> {
        Ok(match Self::step(self).map_err(|error| error_text(&error))? {
            sandbox::Step::NeedInput => Step::NeedInput,
            sandbox::Step::Working => Step::Working,
            sandbox::Step::PartOpened { id, table, partition } => Step::Opened(id, table, partition),
            sandbox::Step::PartBytes { id, bytes } => Step::Bytes(id, bytes),
            sandbox::Step::PartClosed { id, rows, bytes, digest } => {
                Step::Closed(id, rows, bytes, Some(digest))
            }
            sandbox::Step::Quarantine(lines) => Step::Quarantine(lines),
            sandbox::Step::Widen(widened) => {
                let contracts = widened.contracts.into_iter().map(|contract| (contract.table, contract.text));
                Step::Widen(contracts.collect(), widened.spec, widened.report)
            }
            sandbox::Step::Done(report) => Step::Done(report),
        })
    }
}

/// The host tells whose fault in its own words (`input`, `passing`, `own`): only the code is compared.
fn error_text(error: &lakegate_base::Error) -> Failed {
    Failed {
        fault: error.kind().to_string(),
        code: error.name().to_owned(),
        message: error.to_string(),
        hint: error.hint().map(str::to_owned),
    }
}

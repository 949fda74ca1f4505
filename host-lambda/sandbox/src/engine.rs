//! The one engine configuration, and the clock that stops guests which do not stop by themselves.
//!
//! Not for loading components. The decision to know: whatever changes here changes the key of the cache
//! of compiled code by itself, since wasmtime's own compatibility hash is part of it.

use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use lakegate_model::digest::sha256;
#[cfg(feature = "compile")]
use wasmtime::OptLevel;
use wasmtime::{Config, Engine};

use crate::error::SandboxError;
use crate::limits::{Limits, TICK};
use crate::memory::Memories;
use crate::seats::{Seat, Seats};
use lakegate_base::Result;

/// Version of wasmtime that compiled code belongs to; a test compares it with the lock file's.
pub const WASMTIME: &str = "48.0.8";

/// What [`config`] says, as text: it names compiled code, also in a host that has no compiler to ask. A test
/// fails when the engine's own hash of its configuration changes and this does not.
const SETTINGS: &str =
    "component-model epochs opt=speed no-concurrency no-relaxed-simd no-address-map no-unwind-info no-cow 2";

/// Whose code it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// Anybody's: it looks at the clock in every loop and function, so that a deadline ends it.
    Anybodys,
    /// This build's own: see [`apart`](crate::apart).
    Ours,
}

/// An engine with its ticker and limits; clones share both.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
    seats: Option<Arc<Seats>>,
    ours: Option<Ours>,
}

/// The engine of the one component that is trusted, and that one's digest.
#[derive(Clone)]
struct Ours {
    engine: Engine,
    digest: String,
}

struct Inner {
    engine: Engine,
    limits: Limits,
    ticker: Ticker,
    /// Whether components are compiled here where their code is not known.
    compiles: bool,
    counts_fuel: bool,
}

impl Sandbox {
    /// Sets up the engine and starts its ticker.
    ///
    /// # Errors
    /// The machine has no support for the engine, or no thread can be started.
    pub fn new(limits: Limits) -> Result<Self> {
        Self::start(&config(Whose::Anybodys), limits, cfg!(feature = "compile"), false)
    }

    /// As [`Sandbox::new`], and what guests do is counted: see [`Session::fuel`](crate::Session::fuel). For
    /// benchmarks: the count is the same on every machine, but its code is slower, and another one in the cache.
    ///
    /// # Errors
    /// As [`Sandbox::new`].
    pub fn counting_fuel(limits: Limits) -> Result<Self> {
        Self::start(config(Whose::Anybodys).consume_fuel(true), limits, cfg!(feature = "compile"), true)
    }

    /// The same, which compiles nothing even where it could: a function must be ready in milliseconds. What has no
    /// compiled code beside the binary, or signed in its release, is refused by name.
    ///
    /// # Errors
    /// As [`Sandbox::new`].
    pub fn that_never_compiles(limits: Limits) -> Result<Self> {
        Self::start(&config(Whose::Anybodys), limits, false, false)
    }

    fn start(config: &Config, limits: Limits, compiles: bool, counts_fuel: bool) -> Result<Self> {
        let engine = Engine::new(config).map_err(|error| SandboxError::Engine(format!("{error:#}")))?;
        let ticker = Ticker::start(&engine)?;
        let inner = Inner { engine, limits, ticker, compiles, counts_fuel };
        Ok(Self { inner: Arc::new(inner), seats: None, ours: None })
    }

    /// The same, whose guests wait for one of these seats.
    #[must_use]
    pub fn seated(self, seats: Arc<Seats>) -> Self {
        Self { seats: Some(seats), ..self }
    }

    /// A seat for a guest, where they are counted.
    ///
    /// # Errors
    /// The process is to be replaced: see [`runaways`](crate::runaways).
    pub(super) fn seat(&self) -> Result<Option<Seat>> {
        self.seats.as_ref().map(Seats::take).transpose()
    }

    /// The same, where the component that this build carries runs without looking at the clock: quicker by a sixth.
    /// For processes that may end when one of its calls does not: see [`runaways`](crate::runaways).
    ///
    /// # Errors
    /// As [`Sandbox::new`].
    pub fn trusting_ours(self) -> Result<Self> {
        self.trusting(crate::embedded::DIGEST)
    }

    pub(super) fn trusting(self, digest: &str) -> Result<Self> {
        let engine = Engine::new(&config(Whose::Ours));
        let engine = engine.map_err(|error| SandboxError::Engine(format!("{error:#}")))?;
        Ok(Self { ours: Some(Ours { engine, digest: digest.into() }), ..self })
    }

    /// Where a component runs, by its digest.
    pub(super) fn engine_of(&self, digest: &str) -> (&Engine, Whose) {
        match &self.ours {
            Some(ours) if ours.digest == digest => (&ours.engine, Whose::Ours),
            _ => (&self.inner.engine, Whose::Anybodys),
        }
    }

    /// Whether components are compiled here where their code is not known.
    pub fn compiles(&self) -> bool {
        self.inner.compiles
    }

    /// The limits of each source object.
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    pub(super) fn counts_fuel(&self) -> bool {
        self.inner.counts_fuel
    }

    /// Makes sure that time passes for guests.
    pub(super) fn is_ticking(&self) -> bool {
        !self.inner.ticker.stop.load(Ordering::Relaxed)
    }
}

fn config(whose: Whose) -> Config {
    let mut config = Config::new();
    config.wasm_component_model(true);
    // A looping guest cannot be stopped in any other way; fuel would cost two to three times as much.
    config.epoch_interruption(whose == Whose::Anybodys);
    // Most advisories of recent releases are in async and stack switching; nothing here needs them.
    config.concurrency_support(false);
    // Relaxed SIMD may give other bits on other processors: outputs must be the same everywhere.
    config.wasm_relaxed_simd(false);
    config.relaxed_simd_deterministic(true);
    // Copies of a file's pages are for wasmtime's own memories alone.
    config.with_host_memory(Arc::new(Memories)).memory_init_cow(false);
    #[cfg(feature = "compile")]
    {
        // Compiled once, cached on disk, run for long: speed of the code counts, not of the compiler.
        config.cranelift_opt_level(OptLevel::Speed);
        config.parallel_compilation(true);
    }
    // A trap is reported by its kind; frames would name functions that nobody outside knows.
    config.wasm_backtrace_max_frames(None);
    // The way to the memory of a guest that panicked; see `lakegate_model::last_words`.
    config.coredump_on_trap(true);
    config.generate_address_map(false);
    config.native_unwind_info(false);
    config
}

/// What every x86_64 machine of Lambda has: its documents promise AVX2. Loading checks each feature against the
/// processor; one that lacks any compiles for itself.
const X86_64: &str = "x86-64-v3";
/// What every machine of any other target has.
const ANY: &str = "baseline";

/// The processor features that [`compile_for`] uses for a target.
fn preset(target: &str) -> &'static str {
    if target.starts_with("x86_64") { X86_64 } else { ANY }
}

/// An engine that compiles for any machine of a target, and runs nothing.
#[cfg(feature = "compile")]
fn portable(target: &str, whose: Whose) -> Result<Engine> {
    let mut config = config(whose);
    // Naming the target also keeps this machine's own processor features out of the code.
    config.target(target).map_err(|error| SandboxError::Engine(format!("{target}: {error:#}")))?;
    let preset = preset(target);
    if preset != ANY {
        // SAFETY: the preset only names features of the instruction set; the code is never run unchecked.
        unsafe { config.cranelift_flag_enable(preset) };
    }
    Engine::new(&config).map_err(|error| SandboxError::Engine(format!("{target}: {error:#}")).into())
}

/// Compiles a component for any machine of a target.
///
/// # Errors
/// This build's compiler does not know the target, or refuses the component.
#[cfg(feature = "compile")]
pub fn compile_for(target: &str, component: &[u8]) -> Result<Vec<u8>> {
    compile_whose(target, component, Whose::Anybodys)
}

/// The same, for one of the two kinds of code.
///
/// # Errors
/// As [`compile_for`].
#[cfg(feature = "compile")]
pub(super) fn compile_whose(target: &str, component: &[u8], whose: Whose) -> Result<Vec<u8>> {
    let refused = |error: wasmtime::Error| SandboxError::Engine(format!("{target}: {error:#}"));
    Ok(portable(target, whose)?.precompile_component(component).map_err(refused)?)
}

/// Processor preset, and digest of the configuration that [`compile_for`] uses for a target.
pub fn code_configuration(target: &str) -> (&'static str, String) {
    let preset = preset(target);
    let text = format!("{WASMTIME}\n{target}\n{preset}\n{SETTINGS}\n");
    (preset, sha256(text.as_bytes())[..16].to_string())
}

/// The target that functions on this machine's kind of processor have.
pub fn native_target() -> String {
    format!("{}-unknown-linux-gnu", env::consts::ARCH)
}

/// Moves the epoch on until it is dropped.
struct Ticker {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    fn start(engine: &Engine) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (flag, engine) = (stop.clone(), engine.weak());
        let thread = thread::Builder::new()
            .name("lakegate-epoch".into())
            .spawn(move || {
                while !flag.load(Ordering::Relaxed) {
                    thread::park_timeout(TICK);
                    let Some(engine) = engine.upgrade() else { return };
                    engine.increment_epoch();
                }
            })
            .map_err(|error| SandboxError::Engine(format!("no thread for the epoch: {error}")))?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A thread that panicked has nothing left to say.
            let _ended = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{Hash, Hasher};

    use super::*;

    /// Keeps what it is fed: the engine's configuration as bytes.
    #[derive(Default)]
    struct Fed(Vec<u8>);

    impl Hasher for Fed {
        fn write(&mut self, bytes: &[u8]) {
            self.0.extend_from_slice(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn settings_change_with_the_configuration() {
        let mut fed = Fed::default();
        portable("x86_64-unknown-linux-gnu", Whose::Anybodys)
            .unwrap()
            .precompile_compatibility_hash()
            .hash(&mut fed);
        let now = sha256(&[SETTINGS.as_bytes(), &fed.0].concat());
        assert_eq!(
            now, KNOWN,
            "raise the number at the end of SETTINGS, run this again, and write what is found into KNOWN"
        );
    }

    /// Digest of SETTINGS and of what wasmtime says of the configuration.
    const KNOWN: &str = "8225fb0c56abfc454d5b433c7cd2e54b165e70a4bc37042e726e299bb7b9f1e7";

    #[test]
    fn names_the_wasmtime_that_is_linked() {
        let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock")).unwrap();
        assert!(lock.contains(&format!("name = \"wasmtime\"\nversion = \"{WASMTIME}\"")));
    }
}

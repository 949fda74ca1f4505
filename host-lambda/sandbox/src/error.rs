//! What can be wrong with a component, before it runs and while it runs.

use lakegate_base::{Code, Error};

/// A component is unfit, or did what a transform must not do.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The build script found no component to embed.
    #[error("this build has no component: run cargo xtask build")]
    NoComponent,
    /// A file given with `--transform` cannot be read.
    #[error("cannot read the component {path}: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A host that does not compile was given no compiled code that it may use.
    #[error("there is no compiled code of {name} for exactly this host, which compiles nothing itself")]
    NoCompiler {
        /// Name of the component.
        name: String,
    },
    /// Not a component at all, or one that this engine refuses.
    #[error("{name} is not a component that can run here: {reason}")]
    Invalid {
        /// File name, or `the shipped component`.
        name: String,
        /// What the compiler said.
        reason: String,
    },
    /// A transform imports nothing: no clock, no files, no network.
    #[error("{name} imports {}: a transform must import nothing", .imports.join(", "))]
    Imports {
        /// File name, or `the shipped component`.
        name: String,
        /// Names of all imports.
        imports: Vec<String>,
    },
    /// The interface is missing, or another major version of it is exported.
    #[error("{name} does not export {wanted} (it exports {})", if .found.is_empty() { "nothing".into() } else { .found.join(", ") })]
    Interface {
        /// File name, or `the shipped component`.
        name: String,
        /// What the host needs.
        wanted: &'static str,
        /// What there is.
        found: Vec<String>,
    },
    /// Compiled code that the engine does not take.
    #[error("the compiled code of {name} is not for this engine: {reason}")]
    Code {
        /// Name of the release.
        name: String,
        /// What the engine said.
        reason: String,
    },
    /// The guest trapped: unreachable, out-of-bounds, stack overflow, panic.
    #[error("the transform crashed while it was asked to {call}: {reason}")]
    Trap {
        /// The call that did not return.
        call: &'static str,
        /// First line of the trap; never holds input.
        reason: String,
        /// What it said of its panic: only of a transform that is not the shipped one.
        panic: Option<String>,
    },
    /// The epoch deadline of a call or of the whole object passed.
    #[error("the transform ran longer than {seconds} s ({limit})")]
    Deadline {
        /// The limit.
        seconds: u32,
        /// Name of the limit that was passed.
        limit: &'static str,
    },
    /// The time of whoever waits is up.
    #[error("the transform was still working when the time of the invocation was up")]
    TimeUp,
    /// A guest did not come back, and this process is about to be replaced by another one.
    #[error(
        "a transform of this process does not end: the process is replaced before it takes anything else"
    )]
    Replaced,
    /// A named limit of the host was passed.
    #[error("the transform passed the limit {limit}: more than {most}")]
    Limit {
        /// Name of the limit.
        limit: &'static str,
        /// Its value.
        most: u64,
    },
    /// What the guest says does not agree with what it did.
    #[error("the transform's account is wrong: {0}")]
    Lie(String),
    /// The engine itself could not be set up.
    #[error("the sandbox cannot be set up: {0}")]
    Engine(String),
}

impl SandboxError {
    /// Stable name.
    pub fn code(&self) -> Code {
        match self {
            Self::NoComponent => Code::ComponentMissing,
            Self::NoCompiler { .. } => Code::CompilerMissing,
            Self::Unreadable { .. } => Code::ComponentUnreadable,
            Self::Invalid { .. } => Code::ComponentInvalid,
            Self::Imports { .. } => Code::ComponentImports,
            Self::Interface { .. } => Code::ComponentInterface,
            Self::Code { .. } => Code::CodeRefused,
            Self::Trap { .. } => Code::TransformCrashed,
            Self::Deadline { .. } => Code::TransformDeadline,
            Self::TimeUp => Code::TimeUp,
            Self::Replaced => Code::ProcessReplaced,
            Self::Limit { .. } => Code::TransformLimit,
            Self::Lie(_) => Code::TransformAccount,
            Self::Engine(_) => Code::SandboxSetup,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        Some(match self {
            Self::NoCompiler { .. } => {
                "deploy what `cargo xtask package` makes: the code lies in `code` beside the binary, nobody else may write it"
            }
            Self::Imports { .. } => {
                "build it for wasm32-unknown-unknown, and look for getrandom, chrono or wasi in its dependencies"
            }
            Self::Invalid { .. } => "a core module must be encoded as a component first",
            Self::Interface { .. } => "build it against the transform.wit of this version",
            Self::Code { .. } => "`lakegate precompile` of this version of Lakegate makes it again",
            Self::Trap { panic: Some(_), .. } => {
                "nothing of this source object was written; mend the transform, which panicked"
            }
            Self::Trap { .. } | Self::Lie(_) => {
                "nothing of this source object was written; this is a fault of the transform, please report it"
            }
            Self::Deadline { .. } | Self::Limit { .. } | Self::TimeUp => {
                "nothing of this source object was written"
            }
            _ => return None,
        })
    }
}

impl From<SandboxError> for Error {
    fn from(error: SandboxError) -> Self {
        let made = Self::new(error.code(), error.to_string());
        let made = match error.hint() {
            Some(hint) => made.with_hint(hint),
            None => made,
        };
        let made = match &error {
            SandboxError::Trap { panic: Some(said), .. } => made.with_panic(said.as_str()),
            _ => made,
        };
        made.because(error)
    }
}

/// One line is enough for a message; the rest are frames.
pub(crate) fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_string()
}

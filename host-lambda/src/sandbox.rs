//! The sandbox: runs one transform over one source object and believes nothing it says.
//!
//! Not for files, lakes or commits: bytes go in, checked steps come out. The decision to know: a
//! component is compiled (or loaded), checked for imports and linked once; each source object gets a
//! fresh store, so that nothing a guest does survives its object.

mod bindings;
mod cache;
mod component;
mod embedded;
mod engine;
mod error;
mod ledger;
mod limits;
mod session;
mod shipped;

pub use cache::WASMTIME;
pub use component::{Description, Transform};
pub use engine::{Sandbox, code_configuration, compile_for, native_target};
pub use error::SandboxError;
pub use limits::Limits;
pub use session::{JobOptions, Session, SourceFacts, Step, TableContract, Widened};

#[cfg(test)]
mod hostile_tests;

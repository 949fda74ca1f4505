//! Kills the process at a named step of the commit protocol, for tests only.
//!
//! `LAKEGATE_CRASH_AT` is one of, in the order of the flow: `mid-stage`, `after-stage`, `before-commit`,
//! `after-commit`, `mid-publish`, `after-publish`, `after-catalog`, `after-notify`, `before-done`,
//! `after-done`. The decision to know: it is in every build, so that the tests kill the very program that
//! ships; without the variable it does nothing.

/// Ends the process as `kill -9` does, if the variable names this step: no handler, no destructor, no flush.
pub fn point(step: &str) {
    if std::env::var_os("LAKEGATE_CRASH_AT").is_some_and(|wanted| wanted == step) {
        #[cfg(unix)]
        let _sent = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        // Where there is no such signal.
        std::process::abort();
    }
}

//! The `lakegate` command. Everything is in the library, so that tests reach it.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    lakegate_cli::main()
}

//! What every verb knows of its surroundings.

use crate::show::render::Screen;

/// What every subcommand knows of its surroundings.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context {
    /// The screen behind standard output.
    pub out: Screen,
    /// The screen behind standard error.
    pub err: Screen,
    /// Whether standard output belongs to one JSON object.
    pub json: bool,
}

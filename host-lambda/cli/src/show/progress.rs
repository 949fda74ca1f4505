//! A bar on standard error while sources are read.
//!
//! For: showing that it goes on, and where. Not for: results (they are the answer). The decision to
//! know: without a terminal there is no bar and nothing is printed; messages meant for both go
//! through [`Bar::say`], which keeps the bar whole.

use crate::show::render::{Screen, Tone};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lakegate_lake::run::Progress;
use lakegate_release::{Event, Listener};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

/// Sources shorter than this are done before a bar could be read.
const WORTH_A_BAR: u64 = 1 << 20;

/// Progress over one or more sources, by bytes read.
pub struct Bar {
    bar: ProgressBar,
    /// Bytes of the sources that are done.
    before: u64,
}

impl Bar {
    /// A bar over `bytes` in `files`; hidden where standard error is no terminal or there is little to do.
    pub fn new(screen: Screen, bytes: u64, files: usize) -> Self {
        if screen.width.is_none() || (bytes < WORTH_A_BAR && files < 2) {
            return Self { bar: ProgressBar::hidden(), before: 0 };
        }
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
        let template =
            "{bar:24} {percent:>3}%  {binary_bytes}/{binary_total_bytes}  {binary_bytes_per_sec}  {wide_msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("██░"));
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, before: 0 }
    }

    /// The next source begins.
    pub fn source(&mut self, name: &str) {
        self.bar.set_message(name.to_owned());
    }

    /// What the library says while it works on the source `name`.
    pub fn update(&mut self, name: &str, progress: &Progress) {
        match progress {
            Progress::Pass { number, .. } if *number > 1 => {
                // Going back is honest: the same bytes are read again, now that the types are known.
                self.bar.set_position(self.before);
                self.bar.set_message(format!("{name} (second pass)"));
            }
            Progress::Pass { .. } => self.bar.set_message(name.to_owned()),
            Progress::Read(bytes) => self.bar.set_position(self.before + bytes),
            Progress::Staged => {}
            Progress::Publishing => self.bar.set_message(format!("{name} (publishing)")),
        }
    }

    /// The source of `bytes` is done, well or not.
    pub fn done(&mut self, bytes: u64) {
        self.before += bytes;
        self.bar.set_position(self.before);
    }

    /// Prints to standard error without disturbing the bar.
    pub fn say(&self, text: &str) {
        // Nobody is left to tell when standard error is gone.
        self.bar.suspend(|| drop(std::io::stderr().write_all(text.as_bytes())));
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Progress over a known number of steps.
pub struct Steps {
    bar: ProgressBar,
}

impl Steps {
    /// Hidden where standard error is no terminal.
    pub fn new(screen: Screen) -> Self {
        if screen.width.is_none() {
            return Self { bar: ProgressBar::hidden() };
        }
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len}  {wide_msg}") {
            bar.set_style(style.progress_chars("██░"));
        }
        Self { bar }
    }

    /// `done` of `total` steps are done, and `name` is next.
    pub fn update(&self, name: &str, done: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_position(done);
        self.bar.set_message(name.to_owned());
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Says on standard error what happens to a channel: a line each, in JSON where answers are.
pub fn telling(screen: Screen, json: bool) -> Listener {
    Arc::new(move |event: &Event| {
        let line = match serde_json::to_string(event) {
            Ok(text) if json => text,
            _ => {
                let tone = if event.what.is_trouble() { Tone::Bad } else { Tone::Good };
                screen.paint(tone, &event.to_string())
            }
        };
        Bar::new(screen, 0, 0).say(&format!("{line}\n"));
    })
}

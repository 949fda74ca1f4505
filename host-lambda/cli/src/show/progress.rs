//! A bar on standard error while sources are read.
//!
//! For: showing that it goes on, and where. Not for: results (they are the answer). The decision to
//! know: without a terminal there is no bar and nothing is printed; messages meant for both go
//! through [`Bar::say`], which keeps the bar whole.

use crate::show::render::{Screen, Tone};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lakegate_lake::run::Progress;
use lakegate_release::{Event, Listener};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Sources shorter than this are done before a bar could be read.
const WORTH_A_BAR: u64 = 1 << 20;

/// Progress over one or more sources, by bytes read; several may be taken at once.
pub struct Bar {
    bar: ProgressBar,
    read: Mutex<Read>,
}

#[derive(Default)]
struct Read {
    /// Bytes of the sources that are done.
    before: u64,
    /// Of those that are not, by name.
    now: BTreeMap<String, u64>,
}

impl Bar {
    /// A bar over `bytes` in `files`; hidden where standard error is no terminal or there is little to do.
    pub fn new(screen: Screen, bytes: u64, files: usize) -> Self {
        if screen.width.is_none() || (bytes < WORTH_A_BAR && files < 2) {
            return Self { bar: ProgressBar::hidden(), read: Mutex::default() };
        }
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
        let template =
            "{bar:24} {percent:>3}%  {binary_bytes}/{binary_total_bytes}  {binary_bytes_per_sec}  {wide_msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("██░"));
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, read: Mutex::default() }
    }

    /// The next source begins.
    pub fn source(&self, name: &str) {
        self.bar.set_message(name.to_owned());
    }

    /// What the library says while it works on the source `name`.
    pub fn update(&self, name: &str, progress: &Progress) {
        match progress {
            Progress::Pass { number, .. } if *number > 1 => {
                // Going back is honest: the same bytes are read again, now that the types are known.
                self.read(name, 0);
                self.bar.set_message(format!("{name} (second pass)"));
            }
            Progress::Pass { .. } => self.bar.set_message(name.to_owned()),
            Progress::Read(bytes) => self.read(name, *bytes),
            Progress::Settled | Progress::Staged => {}
            Progress::Publishing => self.bar.set_message(format!("{name} (publishing)")),
        }
    }

    /// The source of `bytes` is done, well or not.
    pub fn done(&self, name: &str, bytes: u64) {
        self.moved(|read| {
            read.now.remove(name);
            read.before += bytes;
        });
    }

    fn read(&self, name: &str, bytes: u64) {
        self.moved(|read| {
            read.now.insert(name.to_owned(), bytes);
        });
    }

    fn moved(&self, by: impl FnOnce(&mut Read)) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        by(&mut read);
        self.bar.set_position(read.before + read.now.values().sum::<u64>());
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

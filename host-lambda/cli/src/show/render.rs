//! How text looks in a terminal: width, colour, tables, bars, sizes.
//!
//! For: turning facts into lines a person reads. Not for: printing them (see `output`), or knowing
//! what a contract or a commit is. The decision to know: everything renders into a `String` against a
//! [`Screen`], so that a test needs no terminal and a broken pipe is met in one place only.

use std::borrow::Cow;
use std::io::IsTerminal;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Spaces between two columns of a [`Grid`].
const GAP: usize = 2;
/// A column of facts is never squeezed below this many cells: five letters and the ellipsis.
const NARROWEST: usize = 6;
/// The same for values: half a date says nothing, so fewer columns are shown instead.
const NARROWEST_VALUE: usize = 10;
/// Values are cut at this width when nothing else limits them (a pipe): one long text must not hide the rest.
const WIDEST_VALUE: usize = 80;

/// What is known of the stream that text is written to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Screen {
    /// Width in character cells; `None` where there is no terminal.
    pub width: Option<usize>,
    /// Whether escape sequences for colours may be used.
    pub colour: bool,
}

impl Screen {
    /// The screen behind standard output.
    pub fn stdout() -> Self {
        Self::of(&std::io::stdout())
    }

    /// The screen behind standard error.
    pub fn stderr() -> Self {
        Self::of(&std::io::stderr())
    }

    /// Colours need a terminal, no `NO_COLOR` (see no-color.org: set and not empty), and no dumb terminal.
    fn of<S: IsTerminal + std::os::fd::AsFd>(stream: &S) -> Self {
        if !stream.is_terminal() {
            return Self::default();
        }
        let columns = rustix::termios::tcgetwinsize(stream).map_or(0, |size| usize::from(size.ws_col));
        let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        // A terminal that reports no width (some CI logs) is treated as the classic 80.
        Self { width: Some(if columns == 0 { 80 } else { columns }), colour: !forbidden }
    }

    /// `text` in `tone`, or as it is where there are no colours.
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        match tone.code() {
            Some(code) if self.colour && !text.is_empty() => format!("\x1b[{code}m{text}\x1b[0m"),
            _ => text.to_owned(),
        }
    }
}

/// What a piece of text is, rather than which colour it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Ordinary text.
    #[default]
    Plain,
    /// Less important: units, nulls, rules.
    Dim,
    /// Titles.
    Bold,
    /// Names: files, tables, columns.
    Name,
    /// It went well.
    Good,
    /// Worth a look.
    Warn,
    /// It failed.
    Bad,
}

impl Tone {
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Dim => Some("2"),
            Self::Bold => Some("1"),
            Self::Name => Some("36"),
            Self::Good => Some("32"),
            Self::Warn => Some("33"),
            Self::Bad => Some("1;31"),
        }
    }
}

/// One cell of a [`Grid`].
#[derive(Clone, Debug, Default)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A cell with a tone of its own.
    pub fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { text: text.into(), tone }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(Tone::Plain, text)
    }
}

/// A table of text: a head, rows, columns as wide as they need to be and no wider than the screen.
#[derive(Clone, Debug, Default)]
pub struct Grid {
    titles: Vec<(String, bool)>,
    rows: Vec<Vec<Cell>>,
    indent: usize,
    holds: Holds,
}

/// What a [`Grid`] holds, and so what may be cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Holds {
    /// Facts: squeezed to the screen, whole in a pipe.
    #[default]
    Facts,
    /// Names to copy (keys, digests): never cut, a terminal may fold the line.
    Names,
    /// Values from an input: squeezed to the screen, and cut in a pipe too.
    Values,
}

impl Grid {
    /// Column titles; one that starts with `>` is aligned to the right (numbers).
    pub fn new(titles: &[&str]) -> Self {
        let titles = titles
            .iter()
            .map(|title| match title.strip_prefix('>') {
                Some(rest) => (rest.to_owned(), true),
                None => ((*title).to_owned(), false),
            })
            .collect();
        Self { titles, rows: Vec::new(), indent: 2, holds: Holds::default() }
    }

    /// The same table for something else than facts.
    #[must_use]
    pub fn of(self, holds: Holds) -> Self {
        Self { holds, ..self }
    }

    /// A row; missing cells stay empty.
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// Whether there is no row at all.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text, each line ended. A column with nothing in it is left out; columns that do not fit
    /// even when squeezed are left out and counted.
    pub fn render(&self, screen: Screen) -> String {
        let filled = |index: usize| {
            self.rows.iter().any(|row| row.get(index).is_some_and(|cell| !cell.text.is_empty()))
        };
        let kept: Vec<usize> = (0..self.titles.len()).filter(|&index| filled(index)).collect();
        if kept.len() < self.titles.len() && !kept.is_empty() {
            let cells = |row: &Vec<Cell>| {
                kept.iter().map(|&index| row.get(index).cloned().unwrap_or_default()).collect()
            };
            let narrower = Self {
                titles: kept.iter().map(|&index| self.titles[index].clone()).collect(),
                rows: self.rows.iter().map(cells).collect(),
                indent: self.indent,
                holds: self.holds,
            };
            return narrower.render(screen);
        }
        let (widths, left_out) = self.widths(screen.width);
        let mut text = String::new();
        if self.titles.iter().any(|(title, _)| !title.is_empty()) {
            let head: Vec<Cell> =
                self.titles.iter().map(|(title, _)| Cell::new(Tone::Bold, title.clone())).collect();
            self.line(&mut text, screen, &widths, &head);
        }
        for row in &self.rows {
            self.line(&mut text, screen, &widths, row);
        }
        if left_out > 0 {
            let note =
                format!("… and {}: the terminal is too narrow", count(left_out as u64, "column", "columns"));
            text.push_str(&format!(
                "{:indent$}{}\n",
                "",
                screen.paint(Tone::Dim, &note),
                indent = self.indent
            ));
        }
        text
    }

    fn line(&self, text: &mut String, screen: Screen, widths: &[usize], row: &[Cell]) {
        let empty = Cell::default();
        let mut line = " ".repeat(self.indent);
        let mut pending = 0;
        for (index, &width) in widths.iter().enumerate() {
            let cell = row.get(index).unwrap_or(&empty);
            let shown = truncate(&cell.text, width);
            let padding = width - shown.width().min(width);
            let right = self.titles[index].1;
            // Blanks are written only once something follows: no line ends in blanks.
            if !shown.is_empty() {
                line.push_str(&" ".repeat(pending + if right { padding } else { 0 }));
                line.push_str(&screen.paint(cell.tone, &shown));
                pending = if right { 0 } else { padding };
            } else {
                pending += width;
            }
            pending += GAP;
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }

    /// Width of each column shown, and how many are not shown.
    fn widths(&self, screen: Option<usize>) -> (Vec<usize>, usize) {
        let mut widths: Vec<usize> = (0..self.titles.len())
            .map(|index| {
                let cells = self.rows.iter().filter_map(|row| row.get(index)).map(|cell| cell.text.width());
                cells.chain([self.titles[index].0.width()]).max().unwrap_or(0)
            })
            .collect();
        let Some(screen) = screen.filter(|_| self.holds != Holds::Names) else {
            if self.holds == Holds::Values {
                widths.iter_mut().for_each(|width| *width = (*width).min(WIDEST_VALUE));
            }
            return (widths, 0);
        };
        let room = screen.saturating_sub(self.indent);
        let floor = if self.holds == Holds::Values { NARROWEST_VALUE } else { NARROWEST };
        let all = widths.len();
        while widths.len() > 1 && least(&widths, floor) > room {
            widths.pop();
        }
        let shown = widths.len();
        while total(&widths) > room {
            // The widest gives way first: short columns (ids, numbers) stay readable.
            let Some(widest) = widths.iter_mut().max() else { break };
            if *widest <= floor {
                break;
            }
            *widest -= 1;
        }
        (widths, all - shown)
    }
}

fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

/// Width needed when every column is squeezed to `floor`.
fn least(widths: &[usize], floor: usize) -> usize {
    let squeezed: Vec<usize> = widths.iter().map(|&width| width.min(floor)).collect();
    total(&squeezed)
}

/// `text` cut to `width` character cells, with an ellipsis where something is missing.
pub fn truncate(text: &str, width: usize) -> Cow<'_, str> {
    if text.width() <= width {
        return Cow::Borrowed(text);
    }
    let mut shown = String::new();
    let mut used = 0;
    for c in text.chars() {
        let cells = c.width().unwrap_or(0);
        if used + cells + 1 > width {
            break;
        }
        used += cells;
        shown.push(c);
    }
    shown.push('…');
    Cow::Owned(shown)
}

/// `text` with control characters made visible, so that a value cannot steer the terminal or break a row.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => shown.push('⏎'),
            '\t' => shown.push('⇥'),
            c if c.is_control() => shown.push('\u{fffd}'),
            c => shown.push(c),
        }
    }
    shown
}

/// Bytes for people: `512 B`, `12.3 KiB`, `1.5 GiB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    // Not 1024: 1023.96 would be shown as "1024.0 KiB".
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A number with thousands marked: `1,234,567`.
pub fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A number and its noun: `1 row`, `2,000 rows`.
pub fn count(value: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(value), if value == 1 { one } else { many })
}

/// Milliseconds for people: `15 ms`, `1.5 s`, `2 min 5 s`.
pub fn duration(milliseconds: u64) -> String {
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{:.1} s", milliseconds as f64 / 1_000.0),
        _ => format!("{} min {} s", milliseconds / 60_000, milliseconds % 60_000 / 1_000),
    }
}

/// A bar of `width` cells for `part` of `whole`, to an eighth of a cell.
pub fn bar(part: u64, whole: u64, width: usize) -> String {
    const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    if whole == 0 || part == 0 {
        return String::new();
    }
    let cells = (u128::from(part.min(whole)) * width as u128 * 8 / u128::from(whole)) as usize;
    // Something that is there is never shown as nothing.
    let cells = cells.max(1);
    let mut shown = "█".repeat(cells / 8);
    if !cells.is_multiple_of(8) {
        shown.push(EIGHTHS[cells % 8]);
    }
    shown
}

/// A digest as people compare it: its first twelve digits.
pub fn short(digest: &str) -> &str {
    let digest = digest.strip_prefix("sha256:").unwrap_or(digest);
    digest.get(..12).unwrap_or(digest)
}

/// `'text'` as a SQL string literal.
pub fn sql_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;

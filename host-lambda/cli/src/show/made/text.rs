//! What was made, for people.
//!
//! For: the summary that `run` and its kin print. Not for: sums (they are made above). The decision to know:
//! the first line alone answers "did it work", the last lines are the query to copy; all between them
//! is left out when there is nothing to tell.

use crate::show::contract_view::render_changes;
use crate::show::flow::{Flow, exploded};
use crate::show::made::table_folder;
use crate::show::made::{Live, Made, Table, lake_flag};
use crate::show::render::{Cell, Grid, Screen, Tone, count, duration, number, short, size, visible};
use lakegate_lake::run::{Learned, State};
use std::collections::BTreeMap;

/// Lines of a list before it is cut.
const LISTED: usize = 10;
/// Queries printed when many tables were made.
const QUERIES: usize = 3;

impl Made {
    /// All of it.
    pub(super) fn text(
        &self,
        live: &BTreeMap<String, Live>,
        milliseconds: u64,
        stems: bool,
        drift: &str,
        screen: Screen,
    ) -> String {
        let mut text = self.headline(milliseconds, screen);
        if self.unchanged == self.sources.len() {
            text.push_str(&self.nothing_to_do(screen));
            return text;
        }
        text.push_str(&self.learned_together(screen));
        text.push_str(&self.exploded(live, screen));
        text.push_str(&self.made_by(screen));
        let mut grid = Grid::new(&["table", ">rows", ">filtered", ">files", ">bytes", "contract"]);
        for (name, sums) in &self.tables {
            grid.row(vec![
                Cell::new(Tone::Name, name.clone()),
                number(sums.rows_out).into(),
                Cell::new(if sums.filtered > 0 { Tone::Plain } else { Tone::Dim }, number(sums.filtered)),
                number(sums.files).into(),
                size(sums.bytes).into(),
                live.get(name).map(Live::summary).unwrap_or_default().into(),
            ]);
        }
        if !grid.is_empty() {
            text.push('\n');
            text.push_str(&grid.render(screen));
        }
        for (name, live) in live {
            if let Some(changes) = live.changes.as_ref().filter(|changes| !changes.is_empty()) {
                text.push_str(&format!("\nThe contract of {} changed\n", screen.paint(Tone::Name, name)));
                text.push_str(&render_changes(changes, screen));
            }
        }
        text.push_str(&self.rejected(screen));
        text.push_str(&self.noticed(stems, screen));
        text.push_str(&self.alike.table(false, screen));
        text.push_str(&self.failed_for.table("Rejected in what failed", true, screen));
        text.push_str(drift);
        text.push_str(&self.query(live, screen));
        text
    }

    fn headline(&self, milliseconds: u64, screen: Screen) -> String {
        let [records, _, rejected] = self.records;
        let sum = |of: fn(&Table) -> u64| self.tables.values().map(of).sum();
        let flow = Flow {
            records,
            rejected,
            filtered: sum(|table| table.filtered),
            rows: sum(|table| table.rows_out),
            tables: self.tables.values().filter(|table| table.records > 0).count(),
        };
        let counts = flow.line(screen);
        match (&self.one, self.sources.len()) {
            (Some(one), 1) => {
                let name = screen.paint(Tone::Name, &visible(&one.name));
                let done = match one.state {
                    State::NothingToDo => return format!("{name}: nothing to do\n"),
                    State::Superseded => {
                        return format!("{name}: nothing to do, a newer version of it is in the tables\n");
                    }
                    State::Made => String::new(),
                    State::Replaced => format!(", replaces generation {}", one.generation.saturating_sub(1)),
                    State::RolledForward => ", completed what an earlier run had begun".to_owned(),
                };
                let passes = if one.passes > 1 { ", two passes to agree on types" } else { "" };
                format!("{name}: {counts} ({}{passes}, {}){done}\n", one.format, duration(milliseconds))
            }
            (_, sources) => {
                let mut parts = vec![counts];
                if self.unchanged > 0 {
                    parts.push(format!("{} already done", count(self.unchanged as u64, "source", "sources")));
                }
                if !self.problems.is_empty() {
                    let failed = count(self.problems.len() as u64, "source", "sources");
                    parts.push(screen.paint(Tone::Bad, &format!("{failed} failed")));
                }
                let sources = count(sources as u64, "source", "sources");
                format!("{sources}: {} ({})\n", parts.join(" · "), duration(milliseconds))
            }
        }
    }

    /// Each table that a folder taught, and from how much of it.
    fn learned_together(&self, screen: Screen) -> String {
        let line = |(table, _, learned): &(String, String, Learned)| {
            let ([taught, seen, all], [bytes, of]) = (learned.files, learned.bytes);
            let mut text = format!(
                "  {}: learned together from {}, {}",
                screen.paint(Tone::Name, table),
                count(taught as u64, "file", "files"),
                count(learned.records[0], "record", "records")
            );
            if seen < all {
                let (seen, all) = (number(seen as u64), number(all as u64));
                let (bytes, of) = (size(bytes), size(of));
                text.push_str(&format!(
                    "; looked at {seen} of {all} files, {bytes} of {of}, spread evenly over their names"
                ));
            }
            if learned.failed > 0 {
                let failed = count(learned.failed as u64, "file that fails", "files that fail");
                text.push_str(&format!("; {failed} taught nothing"));
            }
            text + "\n"
        };
        self.learned.iter().map(line).collect()
    }

    /// Each table that has a row per element: that a record became several rows is always said.
    fn exploded(&self, live: &BTreeMap<String, Live>, screen: Screen) -> String {
        let line = |(name, sums): (&String, &Table)| {
            let array = live.get(name)?.view.rows.as_ref().filter(|_| sums.records > 0)?;
            let told = exploded(sums.records, sums.rows_made, sums.rows_out, array);
            Some(format!("  {}: {}\n", screen.paint(Tone::Name, name), visible(&told)))
        };
        self.tables.iter().filter_map(line).collect()
    }

    /// The release, or each with its share.
    fn made_by(&self, screen: Screen) -> String {
        let by = match self.releases.len() {
            0 => return String::new(),
            1 => self.releases.keys().cloned().collect(),
            _ => {
                let of = |(release, sources): (&String, &u64)| {
                    format!("{release}: {}", count(*sources, "source", "sources"))
                };
                self.releases.iter().map(of).collect::<Vec<_>>().join(" · ")
            }
        };
        format!("  {}\n", screen.paint(Tone::Dim, &format!("by {by}")))
    }

    fn nothing_to_do(&self, screen: Screen) -> String {
        let mut text = match &self.one {
            Some(one) if self.sources.len() == 1 => format!(
                "  same content, spec and component as generation {}, committed {}\n",
                one.generation, one.committed
            ),
            _ => "  nothing to do: same content, spec and component as before\n".to_owned(),
        };
        if self.unchanged_rejected > 0 {
            let records = count(self.unchanged_rejected, "record", "records");
            text.push_str(&format!("  {} of it in quarantine\n", screen.paint(Tone::Warn, &records)));
        }
        text.push_str(&format!(
            "  {}\n",
            screen.paint(Tone::Dim, "--again makes the next generation all the same")
        ));
        text
    }

    fn rejected(&self, screen: Screen) -> String {
        if self.rejects.is_empty() {
            return String::new();
        }
        let mut text = self.reasons.table("Rejected, kept in quarantine", self.sources.len() > 1, screen);
        if let Some(table) = self.tables.keys().next() {
            let lake = lake_flag(&self.lake);
            text.push_str(&format!("  see them: lakegate quarantine list {table}{lake}\n"));
        }
        text
    }

    fn noticed(&self, stems: bool, screen: Screen) -> String {
        let mut lines: Vec<String> = self
            .warnings
            .iter()
            .map(|((_, message), noticed)| match (noticed.sources, noticed.times) {
                (1, _) if self.sources.len() > 1 => format!("{}: {message}", noticed.first),
                (2.., _) => format!("{message} (in {} sources)", number(noticed.sources)),
                (_, 2..) => format!("{message} ({} times)", number(noticed.times)),
                _ => message.clone(),
            })
            .collect();
        for ((table, check, on_fail), failed) in self.checks.iter().filter(|(_, failed)| **failed > 0) {
            let rows = count(*failed, "row", "rows");
            lines.push(format!("check {check} of {table}: {rows} failed ({on_fail})"));
        }
        if stems && self.sources.len() > 1 && self.tables.len() > 1 {
            let tables = number(self.tables.len() as u64);
            lines.push(format!(
                "each file's name named its table: {tables} tables; --table NAME puts all into one"
            ));
        }
        if lines.is_empty() {
            return String::new();
        }
        let mut text = format!("\n{}\n", screen.paint(Tone::Bold, "Worth knowing"));
        for line in lines.iter().take(LISTED) {
            text.push_str(&format!("  {} {}\n", screen.paint(Tone::Warn, "!"), visible(line)));
        }
        if lines.len() > LISTED {
            text.push_str(&format!("  … and {} more (--json has them all)\n", lines.len() - LISTED));
        }
        text
    }

    fn query(&self, live: &BTreeMap<String, Live>, screen: Screen) -> String {
        let made: Vec<_> = self.tables.iter().filter(|(_, sums)| sums.files > 0).collect();
        let mut text = String::new();
        if !made.is_empty() {
            text.push_str(&format!("\n{}\n", screen.paint(Tone::Bold, "Query it with DuckDB")));
        }
        for (name, _) in made.iter().take(QUERIES) {
            if let Some(live) = live.get(*name) {
                text.push_str(&format!("  {};\n", live.view.query(&table_folder(&self.lake, name))));
            }
        }
        if made.len() > QUERIES {
            let more = count((made.len() - QUERIES) as u64, "more table", "more tables");
            text.push_str(&format!("  {}\n", screen.paint(Tone::Dim, &format!("… and {more}"))));
        }
        text
    }
}

impl Live {
    fn summary(&self) -> String {
        let columns = self.view.summary();
        let state = match &self.changes {
            None => "new, ",
            Some(changes) if changes.is_empty() => "",
            Some(_) => "changed, ",
        };
        format!("{state}{columns} ({})", short(&self.digest))
    }
}

//! The load history, newest first, a page at a time.
//!
//! Not for the history as a whole: SQL reads that. A page costs what it shows and never what the lake holds: days
//! are listed as folders (one request for up to 1,000 days of a pipeline), the newest of them are opened until the
//! page is full, and each line is read once. Whether a line still counts is known from the lines after it, which
//! are newer; on a later page those are not at hand, and the object's own commit records tell.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::keys::{self, Named};
use crate::lake::{Lake, Load};
use crate::record::CommitRecord;
use lakegate_base::{Code, Error, Result};

/// Lines that a host looks at for the newest channel document: objects at once may end out of order, but not by many.
const SEEN: usize = 8;

/// A commit, as the history shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its line; of one that is not done, what its record says.
    pub load: Load,
    /// Key of the commit record.
    pub key: String,
    /// False while it is to be completed.
    pub done: bool,
    /// Whether its rows count: no later generation replaced them.
    pub current: bool,
}

/// A page of the history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Newest first.
    pub entries: Vec<Entry>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<String>,
    /// Commits that are not done. Known only where one page holds all there is: then they are among the entries.
    pub undone: Option<usize>,
}

impl History {
    /// Whether these are all commits of the lake.
    pub fn is_whole(&self) -> bool {
        self.undone.is_some()
    }
}

/// A place in the history: after the line of this day and name in this pipeline.
struct Cursor<'a> {
    day: &'a str,
    name: &'a str,
    pipeline: &'a str,
}

impl<'a> Cursor<'a> {
    fn parse(text: &'a str) -> Result<Self> {
        let mut steps = text.split('/');
        match (steps.next(), steps.next(), steps.next(), steps.next()) {
            (Some(day), Some(name), Some(pipeline), None) => Ok(Self { day, name, pipeline }),
            _ => Err(Error::new(Code::CursorUnknown, format!("`{text}` is no place in the load history"))
                .with_hint("give what the page before says as `next`")),
        }
    }

    /// The key after which a day of a pipeline is read: at one moment pipelines come in the order of their names.
    fn start(&self, day: &str, pipeline: &str) -> Option<String> {
        let prefix = keys::day_prefix(pipeline, day);
        // The name without its extension comes right before the name.
        let end = if pipeline > self.pipeline { "" } else { ".json" };
        (day == self.day).then(|| format!("{prefix}{}{end}", self.name))
    }
}

/// A line's place: newest first within a day.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    name: String,
    pipeline: String,
}

impl Lake {
    /// The newest commits, at most `limit` of them, or those after a cursor.
    ///
    /// # Errors
    /// The cursor is none; the storage's; or a line cannot be read.
    pub fn history(&self, after: Option<&str>, limit: usize) -> Result<History> {
        let mut page = History::default();
        let mut lines = self.lines(None, after, limit)?;
        if lines.len() > limit {
            lines.truncate(limit);
            page.next = lines.last().map(|(day, line)| format!("{day}/{}/{}", line.name, line.pipeline));
        }
        for (day, line) in &lines {
            let key = format!("{}{}.json", keys::day_prefix(&line.pipeline, day), line.name);
            let Some(load) = self.read_json::<Load>(&key)? else { continue };
            page.entries.push(Entry { key: load.commit_key(), load, done: true, current: true });
        }
        if after.is_some() {
            self.ask_current(&mut page.entries)?;
            return Ok(page);
        }
        if page.next.is_none()
            && let Some(undone) = self.undone(&page.entries, limit)?
        {
            page.undone = Some(undone.len());
            for record in undone {
                let load = Load::of(&record);
                page.entries.push(Entry { key: load.commit_key(), load, done: false, current: true });
            }
            page.entries.sort_by(|a, b| b.load.committed.cmp(&a.load.committed));
        }
        see_current(&mut page.entries);
        Ok(page)
    }

    /// The highest document of a channel that the newest commits were made under, of one pipeline where one is named; 0
    /// where they name none. What a host that starts must not go back behind.
    ///
    /// # Errors
    /// The storage's.
    pub fn seen_document(&self, pipeline: Option<&str>, channel: &str) -> Result<u64> {
        let newest = self.newest_under(pipeline, channel)?;
        Ok(newest.iter().filter_map(|load| load.document).max().unwrap_or(0))
    }

    /// The version of a release that one of the newest commits was made by under a document of its channel.
    ///
    /// # Errors
    /// The storage's.
    pub fn release_under(
        &self,
        pipeline: Option<&str>,
        channel: &str,
        document: u64,
    ) -> Result<Option<String>> {
        let newest = self.newest_under(pipeline, channel)?;
        let under = newest.into_iter().find(|load| load.document == Some(document));
        Ok(under.and_then(|load| Some(load.release?.split_once('@')?.1.to_owned())))
    }

    /// The newest commits that a channel's releases made.
    fn newest_under(&self, pipeline: Option<&str>, channel: &str) -> Result<Vec<Load>> {
        let mut newest = self.newest_loads(pipeline, SEEN)?;
        newest.retain(|load| {
            load.release.as_deref().and_then(|release| release.split('@').next()) == Some(channel)
        });
        Ok(newest)
    }

    /// The newest lines, of one pipeline where one is named: `limit` of them or one more, newest first; those that cannot be
    /// read are left out.
    ///
    /// # Errors
    /// The storage's.
    pub fn newest_loads(&self, pipeline: Option<&str>, limit: usize) -> Result<Vec<Load>> {
        let lines = self.lines(pipeline, None, limit)?;
        let key = |(day, line): &(String, Line)| {
            format!("{}{}.json", keys::day_prefix(&line.pipeline, day), line.name)
        };
        let mut newest = Vec::new();
        for found in self.storage().get_all(&lines.iter().map(key).collect::<Vec<_>>())?.into_iter().flatten()
        {
            // A line that cannot be read is for `fsck` to tell: it keeps no host from starting.
            newest.extend(serde_json::from_slice::<Load>(&found.bytes));
        }
        Ok(newest)
    }

    /// Up to one line more than `limit`, with their days, newest first; of one pipeline where one is named.
    fn lines(&self, only: Option<&str>, after: Option<&str>, limit: usize) -> Result<Vec<(String, Line)>> {
        let cursor = after.map(Cursor::parse).transpose()?;
        let mut days: BTreeMap<Reverse<String>, Vec<String>> = BTreeMap::new();
        let folders = match only {
            Some(_) => Vec::new(),
            None => self.storage().folders(keys::LOADS)?,
        };
        let all = folders.iter().filter_map(|folder| keys::pipeline_of_loads(folder));
        for pipeline in all.chain(only) {
            for day in self.storage().folders(&keys::days_prefix(pipeline))? {
                let Some(day) = keys::day_of_loads(&day) else { continue };
                if cursor.as_ref().is_none_or(|cursor| day <= cursor.day) {
                    days.entry(Reverse(day.into())).or_default().push(pipeline.into());
                }
            }
        }
        let mut found: Vec<(String, Line)> = Vec::new();
        for (Reverse(day), pipelines) in days {
            let mut lines = Vec::new();
            for pipeline in pipelines {
                let prefix = keys::day_prefix(&pipeline, &day);
                let start = cursor.as_ref().and_then(|cursor| cursor.start(&day, &pipeline));
                let page = self.storage().list_page(
                    &prefix,
                    start.as_deref(),
                    limit.saturating_add(1) - found.len(),
                )?;
                let name = |key: &str| Some(key.strip_prefix(&prefix)?.strip_suffix(".json")?.to_owned());
                let names = page.found.iter().filter_map(|facts| name(&facts.key));
                lines.extend(names.map(|name| Line { name, pipeline: pipeline.clone() }));
            }
            lines.sort();
            found.extend(lines.into_iter().map(|line| (day.clone(), line)));
            found.truncate(limit.saturating_add(1));
            if found.len() > limit {
                break;
            }
        }
        Ok(found)
    }

    /// Commits without a line, where all commits are about as many as these entries; `None` where there are more.
    fn undone(&self, entries: &[Entry], limit: usize) -> Result<Option<Vec<CommitRecord>>> {
        let listed = self.storage().list_page(keys::COMMITS, None, limit.saturating_add(1))?;
        if listed.more || listed.found.len() > limit {
            return Ok(None);
        }
        let done: BTreeSet<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
        let mut undone = Vec::new();
        for facts in listed.found.iter().filter(|facts| !done.contains(facts.key.as_str())) {
            undone.extend(self.read_json::<CommitRecord>(&facts.key)?.filter(|record| !record.is_void()));
        }
        Ok(Some(undone))
    }

    /// Looks at the other generations of each entry's object.
    fn ask_current(&self, entries: &mut [Entry]) -> Result<()> {
        for entry in entries {
            let states =
                self.commits_below(&keys::object_prefix(&entry.load.pipeline, &entry.load.source))?;
            let Some(state) = states.iter().find(|state| state.key == entry.key) else { continue };
            entry.current = state.current && !self.is_withdrawn(&state.record)?;
        }
        Ok(())
    }
}

/// Newer entries say which older ones they replaced.
fn see_current(entries: &mut [Entry]) {
    let mut gone: BTreeSet<String> = BTreeSet::new();
    for entry in entries.iter() {
        gone.extend(entry.load.withdraws.iter().cloned());
        let Some(named) = Named::of_commit(&entry.key) else { continue };
        let replaced = entry.load.replaces.iter();
        gone.extend(replaced.map(|generation| Named { generation: *generation, ..named }.commit_key()));
    }
    for entry in entries {
        entry.current = entry.load.void.is_none() && !gone.contains(&entry.key);
    }
}

//! What lies in a pipeline's source and is not in its tables, and the other way round.
//!
//! For: an answer that costs what it looks at, a page at a time, whatever the source and the lake hold. Not for mending:
//! a backfill takes what is missing. Decisions to know:
//!
//! * An object is in the tables where the version that lies there now is: one that was overwritten and not taken since is
//!   missing, although rows of it are there.
//! * Both sides are walked in the order of their keys, first the source and then the tables, so that a cursor is a key. What
//!   comes while it is walked is found by the next walk.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde::Serialize;

use crate::client::Aws;
use crate::deployed::inventory::Inventory;
use crate::deployed::{Deployed, bare_lake};
use crate::s3::{S3Options, S3Storage};
use lakegate_base::{Code, Error, Result};
use lakegate_config::{Location, Pipeline, Route};
use lakegate_lake::keys::{COMMITS, Named};
use lakegate_lake::lake::Lake;
use lakegate_lake::record::CommitRecord;
use lakegate_lake::source::Source;
use lakegate_lake::storage::Storage;

/// What a cursor begins with that is a place in an inventory.
const INVENTORY: &str = "inventory/";
/// Objects that are looked at at once.
const AT_ONCE: usize = 16;

/// What a page of the walk found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reconciled {
    /// Objects of the source whose current version is in the tables.
    pub in_tables: u64,
    /// Objects of the source that were taken out of the tables on purpose.
    pub retracted: u64,
    /// Objects of the source that are not in the tables.
    pub missing: Vec<Missing>,
    /// Objects in the tables that were looked for in the source.
    pub looked_for: u64,
    /// Objects in the tables that are not in the source any more.
    pub gone: Vec<Gone>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<String>,
}

/// An object that is not in the tables as it lies in the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// URI.
    pub source: String,
    /// Bytes.
    pub bytes: u64,
    /// Why.
    pub why: Why,
    /// Name of its failure, where it failed.
    pub code: Option<String>,
}

/// Why an object is not in the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It was never taken.
    New,
    /// An older version of it is in the tables.
    Changed,
    /// It failed, in this version.
    Failed,
    /// It is committed and not done: running, or cut short.
    Undone,
}

impl Why {
    /// As answers and logs have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Failed => "failed",
            Self::Undone => "undone",
        }
    }
}

/// An object in the tables that is not in the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gone {
    /// URI.
    pub source: String,
    /// Rows of it.
    pub rows: u64,
    /// Id of the run that made them.
    pub id: String,
}

/// How an object stands.
enum Stands {
    InTables,
    Retracted,
    Missing(Missing),
    /// It went while it was looked at, came a moment ago, or is none of this pipeline's.
    NotThere,
}

impl Deployed {
    /// Walks a pipeline's source and then its tables, from where a page before ended, and looks at about `limit` objects.
    ///
    /// # Errors
    /// The cursor is none; the pipeline's source is in a folder; the storages'.
    pub fn reconcile(&self, pipeline: &Pipeline, after: Option<&str>, limit: usize) -> Result<Reconciled> {
        self.reconcile_before(pipeline, after, limit, i64::MAX, self.aws())
    }

    /// Looks at a page of the objects that an inventory lists, from where one before ended; after the last of them the
    /// tables are walked, by [`Self::reconcile`].
    ///
    /// # Errors
    /// The cursor is none; it is an inventory of another bucket; the storages'.
    pub fn reconcile_inventory(
        &self,
        pipeline: &Pipeline,
        inventory: &mut Inventory,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Reconciled> {
        let walk = Walk::new(self, pipeline, i64::MAX, self.aws())?;
        if inventory.source_bucket() != walk.bucket {
            let what = format!(
                "the inventory lists {}, and the source is in {}",
                inventory.source_bucket(),
                walk.bucket
            );
            return Err(Error::usage(what));
        }
        let place = after.map_or(Some((0, 0)), |after| {
            let (file, row) = after.strip_prefix(INVENTORY)?.split_once('/')?;
            Some((file.parse().ok()?, row.parse().ok()?))
        });
        let place = place.ok_or_else(|| cursor_unknown(after.unwrap_or_default()))?;
        let (keys, next) = inventory.page(place, walk.prefix, limit)?;
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let next =
            next.map_or_else(|| "tables/".to_owned(), |(file, row)| format!("{INVENTORY}{file}/{row}"));
        walk.looked(&keys, next)
    }

    /// The same by `aws`, whose calls end in time. What came to the source after a moment (milliseconds since 1970) and is
    /// not in the tables is passed over: it may be on its way.
    pub(super) fn reconcile_before(
        &self,
        pipeline: &Pipeline,
        after: Option<&str>,
        limit: usize,
        moment: i64,
        aws: &Aws,
    ) -> Result<Reconciled> {
        let walk = Walk::new(self, pipeline, moment, aws)?;
        let (in_source, from) = match after.map(|after| after.split_once('/')) {
            None => (true, None),
            Some(Some(("source", key))) => (true, Some(key)),
            Some(Some(("tables", key))) => (false, Some(key).filter(|key| !key.is_empty())),
            Some(_) => return Err(cursor_unknown(after.unwrap_or_default())),
        };
        if in_source { walk.source(from, limit) } else { walk.tables(from, limit) }
    }
}

fn cursor_unknown(cursor: &str) -> Error {
    Error::new(Code::CursorUnknown, format!("`{cursor}` is no place in a reconciliation"))
        .with_hint("give what the page before says as `next`")
}

struct Walk<'d> {
    deployed: &'d Deployed,
    pipeline: &'d Pipeline,
    lake: Lake,
    raw: Arc<S3Storage>,
    bucket: &'d str,
    prefix: &'d str,
    /// What came later may be on its way.
    moment: i64,
}

impl<'d> Walk<'d> {
    fn new(deployed: &'d Deployed, pipeline: &'d Pipeline, moment: i64, aws: &Aws) -> Result<Self> {
        let Location::S3 { bucket, prefix } = &pipeline.source.location else {
            let what = format!("the source of {} is a folder", pipeline.name);
            return Err(Error::usage(what).with_hint("only sources in S3 are reconciled"));
        };
        let raw = Arc::new(S3Storage::new(aws.clone(), bucket, "", S3Options::default()));
        let lake = bare_lake(pipeline, aws)?;
        Ok(Self { deployed, pipeline, lake, raw, bucket, prefix, moment })
    }

    /// A page of the source.
    fn source(&self, after: Option<&str>, limit: usize) -> Result<Reconciled> {
        let page = self.raw.list_page(self.prefix, after, limit)?;
        let keys: Vec<&str> = page.found.iter().map(|facts| facts.key.as_str()).collect();
        let next = match page.found.last().filter(|_| page.more) {
            Some(last) => format!("source/{}", last.key),
            None => "tables/".to_owned(),
        };
        self.looked(&keys, next)
    }

    /// How objects of the source stand.
    fn looked(&self, keys: &[&str], next: String) -> Result<Reconciled> {
        let mut found = Reconciled { next: Some(next), ..Reconciled::default() };
        for stands in at_once(keys, |key| self.stands(key))? {
            match stands {
                Stands::InTables => found.in_tables += 1,
                Stands::Retracted => found.retracted += 1,
                Stands::Missing(missing) => found.missing.push(missing),
                Stands::NotThere => {}
            }
        }
        Ok(found)
    }

    fn stands(&self, key: &str) -> Result<Stands> {
        let ours = match self.deployed.config().route(self.bucket, key) {
            Route::Pipeline(pipeline) => pipeline.name == self.pipeline.name,
            Route::Loop { .. } | Route::Unmatched => false,
        };
        if !ours || key.ends_with('/') {
            return Ok(Stands::NotThere);
        }
        let Some(facts) = self.raw.stat(key)? else { return Ok(Stands::NotThere) };
        let came = facts.modified_ms;
        let (name, uri) = (&self.pipeline.name, format!("s3://{}/{key}", self.bucket));
        let source = Source::object(self.raw.clone(), uri.clone(), facts);
        let states = self.lake.generations(name, &uri)?;
        let current = || states.iter().filter(|state| state.current);
        let missing = |why, code| Missing { source: uri.clone(), bytes: source.bytes(), why, code };
        Ok(match current().find(|state| state.record.source.version() == source.version()) {
            Some(state) if !state.done && came > self.moment => Stands::NotThere,
            Some(state) if !state.done => Stands::Missing(missing(Why::Undone, None)),
            Some(state) if state.record.is_retraction() => Stands::Retracted,
            Some(_) => Stands::InTables,
            None => {
                let failed = self.lake.failure(name, &uri)?;
                let failed = failed.filter(|failed| failed.source.version() == source.version());
                match failed {
                    Some(failed) => Stands::Missing(missing(Why::Failed, Some(failed.code))),
                    None if came > self.moment => Stands::NotThere,
                    None if current().next().is_some() => Stands::Missing(missing(Why::Changed, None)),
                    None => Stands::Missing(missing(Why::New, None)),
                }
            }
        })
    }

    /// A page of the tables: the last generation of each object.
    fn tables(&self, after: Option<&str>, limit: usize) -> Result<Reconciled> {
        let folder = format!("{COMMITS}{}/", self.pipeline.name);
        let after = after.map(|key| format!("{folder}{key}"));
        let page = self.lake.storage().list_page(&folder, after.as_deref(), limit)?;
        let keys: Vec<&str> = page.found.iter().map(|facts| facts.key.as_str()).collect();
        let object = |key: &str| Named::of_commit(key).map(|named| named.object.to_owned());
        // The last of several generations stands for its object; one whose later ones may come is for the next page.
        let mut last: Vec<&str> = Vec::new();
        for (at, key) in keys.iter().enumerate() {
            let following = keys.get(at + 1);
            if following.map_or(!page.more, |following| object(following) != object(key)) {
                last.push(key);
            }
        }
        if last.is_empty() {
            last.extend(keys.last());
        }
        let end = last.last().filter(|_| page.more).and_then(|key| key.strip_prefix(&folder));
        let mut found = Reconciled { next: end.map(|key| format!("tables/{key}")), ..Reconciled::default() };
        for gone in at_once(&last, |key| self.is_gone(key))? {
            found.looked_for += u64::from(gone.is_some());
            found.gone.extend(gone.flatten());
        }
        Ok(found)
    }

    /// What is gone of a commit's source; `None` where there is nothing of it to look for.
    fn is_gone(&self, key: &str) -> Result<Option<Option<Gone>>> {
        let Some(record) = self.lake.read_json::<CommitRecord>(key)? else { return Ok(None) };
        let of_bucket = format!("s3://{}/", self.bucket);
        let Some(source) = record.source.uri.strip_prefix(&of_bucket) else { return Ok(None) };
        if record.is_retraction() || record.is_void() {
            return Ok(None);
        }
        if self.raw.stat(source)?.is_some() {
            return Ok(Some(None));
        }
        let rows = record.parts.iter().map(|part| part.rows).sum();
        let id = record.run_id().to_string();
        Ok(Some(Some(Gone { source: record.source.uri, rows, id })))
    }
}

/// Looks at all of them, some at once; the answers in their order.
fn at_once<T: Send>(keys: &[&str], look: impl Fn(&str) -> Result<T> + Sync) -> Result<Vec<T>> {
    let next = Mutex::new(keys.iter().enumerate());
    let found: Mutex<Vec<(usize, Result<T>)>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(keys.len()) {
            scope.spawn(|| {
                loop {
                    let taken = next.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some((at, key)) = taken else { return };
                    let answer = look(key);
                    found.lock().unwrap_or_else(PoisonError::into_inner).push((at, answer));
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, answer)| answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_the_order_of_the_keys_and_the_first_error_counts() {
        let keys: Vec<String> = (0..100).map(|n| format!("{n:03}")).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let found = at_once(&keys, |key| Ok(key.to_owned())).unwrap();
        assert_eq!(found, keys);
        let refused =
            at_once(&keys, |key| if key >= "050" { Err(Error::usage(key.to_owned())) } else { Ok(()) });
        assert_eq!(refused.unwrap_err().message(), "050");
        assert!(at_once(&[], |_| Ok(())).unwrap().is_empty());
    }
}

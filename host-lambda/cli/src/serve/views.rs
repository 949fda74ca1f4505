//! What the page shows of a lake: tables, contracts, commits, quarantine, failures.
//!
//! Not for changing any of it. The decision to know: everything is read anew from the records with each request,
//! as `lakegate status` does; so what another process commits beside this server shows as well. Lists come in pages,
//! so that what an answer costs does not grow with the lake.

use lakegate_base::Error;
use std::collections::BTreeMap;

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::serve::answer::{Answered, of_json};
use crate::serve::{Server, Told};
use crate::show::contract_view::{ContractView, Entry};
use crate::sums::{Table, sums};
use lakegate_lake::lake::Entry as Listed;
use lakegate_lake::operate::quarantine::Quarantined;

/// Commits that sums are made of, and objects whose rejected records are looked through.
const NEWEST: usize = 50;

/// Which part of a list is asked for.
pub struct Paged {
    /// Entries at most.
    pub limit: usize,
    /// What the part before said as `next`.
    pub after: Option<String>,
}

/// `GET /api/about`.
pub fn about(server: &Server) -> Answered {
    let spec = match server.told()? {
        Told::Fixed(texts) => texts.into_iter().next(),
        Told::Own => None,
    };
    let release = server.chosen.releases().first().map(|release| {
        let (manifest, pinned) = (&release.manifest, &release.pinned);
        json!({"name": manifest.name, "version": manifest.version.to_string(), "manifest": pinned.manifest})
    });
    let document = server.chosen.follower().map(|follower| follower.serving().sequence);
    ok(&json!({
        "version": env!("CARGO_PKG_VERSION"), "lake": server.lake.root(), "component": server.chosen.digest(),
        "spec": spec, "release": release, "document": document, "releases": server.chosen.loader().is_some(),
        "upload": true,
    }))
}

/// `GET /api/contracts`.
pub fn contracts(server: &Server) -> Answered {
    let mut tables = Vec::new();
    for table in server.lake.tables()? {
        if let Some(live) = server.lake.contract(&table)? {
            tables.push(json!({"table": table, "digest": live.digest, "text": live.text}));
        }
    }
    ok(&json!({ "tables": tables }))
}

/// `GET /api/tables`: sums of all commits, or where those are too many of the newest, and then of how many.
pub fn tables(server: &Server) -> Answered {
    let history = server.lake.history(None, NEWEST)?;
    let (sums, _) = sums(&server.lake, &history)?;
    let tables: Result<Vec<Value>, Error> =
        sums.iter().map(|(name, sums)| table(server, name, sums)).collect();
    ok(&json!({ "tables": tables?, "newest": Some(history.entries.len()).filter(|_| !history.is_whole()) }))
}

/// One table: the columns of its files in their order, and those that live in the path.
fn table(server: &Server, name: &str, sums: &Table) -> Result<Value, Error> {
    let live = server.lake.contract(name)?;
    let view = live.as_ref().map(|live| ContractView::parse(&live.text)).transpose()?;
    let named = |entry: &Entry| json!({"name": entry.name, "type": entry.ty});
    let (mut columns, mut partition_by) = (Vec::new(), Vec::new());
    if let Some(view) = &view {
        columns.extend(view.columns.iter().filter(|entry| view.in_files(entry)).map(named));
        partition_by.extend(view.partition_by.iter().map(named));
    }
    let changed = Some(&sums.latest).filter(|at| !at.is_empty());
    Ok(json!({
        "table": name, "rows": sums.rows, "files": sums.files, "bytes": sums.bytes,
        "contract": live.map(|live| live.digest), "columns": columns, "partition_by": partition_by,
        "changed": changed,
    }))
}

/// `GET /api/commits`: newest first.
pub fn commits(server: &Server, page: &Paged) -> Answered {
    let history = server.lake.history(page.after.as_deref(), page.limit)?;
    let commits: Vec<Value> = history.entries.iter().map(commit).collect();
    ok(&json!({ "commits": commits, "next": history.next }))
}

fn commit(entry: &Listed) -> Value {
    let load = &entry.load;
    json!({
        "pipeline": load.pipeline, "source": load.source, "name": name_of(&load.source),
        "generation": load.generation, "current": entry.current, "done": entry.done, "reason": load.reason,
        "committed": load.committed, "rows": load.rows, "rejected": load.rejected, "release": load.release,
        "document": load.document, "as_previewed": load.as_previewed,
    })
}

/// `GET /api/quarantine`: records that nobody has submitted again.
pub fn quarantine(server: &Server, page: &Paged) -> Answered {
    let found = server.lake.quarantine_page(None, page.after.as_deref(), NEWEST)?;
    let placed = found.records.into_iter().zip(found.places);
    let (open, places): (Vec<Quarantined>, Vec<String>) =
        placed.filter(|(entry, _)| entry.resolved_by.is_none()).unzip();
    let next = match places.get(page.limit) {
        Some(_) => page.limit.checked_sub(1).map_or(page.after.as_ref(), |last| places.get(last)),
        None => found.next.as_ref(),
    };
    let mut reasons: BTreeMap<(&str, &str, &str, &str), u64> = BTreeMap::new();
    for entry in &open {
        let path = entry.line.path.as_deref().unwrap_or_default();
        let reason = (entry.pipeline.as_str(), &*entry.line.code, path, &*entry.line.message);
        *reasons.entry(reason).or_default() += 1;
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let reasons: Vec<Value> = reasons
        .iter()
        .map(|((pipeline, code, path, message), count)| {
            json!({"pipeline": pipeline, "code": code, "path": path, "message": message, "count": count})
        })
        .collect();
    let records: Vec<Value> = open.iter().take(page.limit).map(record).collect();
    ok(&json!({"total": open.len(), "reasons": reasons, "records": records, "next": next}))
}

fn record(entry: &Quarantined) -> Value {
    let mut line = json!(entry.line);
    line["source"] = entry.source.as_str().into();
    line
}

/// `GET /api/failures`.
pub fn failures(server: &Server, page: &Paged) -> Answered {
    let (mut failures, next) = server.lake.failures_page(page.after.as_deref(), page.limit)?;
    failures.sort_by(|a, b| b.at.cmp(&a.at));
    ok(&json!({ "failures": failures, "next": next }))
}

fn name_of(uri: &str) -> &str {
    uri.rsplit('/').next().unwrap_or(uri)
}

fn ok(value: &Value) -> Answered {
    Ok(of_json(StatusCode::OK, value))
}

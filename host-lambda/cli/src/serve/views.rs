//! What the page shows of a lake: tables, contracts, commits, quarantine, failures.
//!
//! Not for changing any of it. The decision to know: everything is read anew from the records with each request,
//! as `lakegate status` does; so what another process commits beside this server shows as well.

use lakegate_base::Error;
use std::collections::BTreeMap;

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::serve::answer::{Answered, of_json};
use crate::serve::{Server, Told};
use crate::show::contract_view::{ContractView, Entry};
use crate::sums::{Table, sums};
use lakegate_lake::operate::quarantine::Quarantined;
use lakegate_lake::record::{CommitState, ReleaseRecord};

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
    ok(&json!({
        "version": env!("CARGO_PKG_VERSION"), "lake": server.lake.root(), "component": server.chosen.digest(),
        "spec": spec, "release": release, "releases": server.chosen.loader().is_some(), "upload": true,
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

/// `GET /api/tables`.
pub fn tables(server: &Server) -> Answered {
    let commits = server.lake.commits()?;
    let (sums, _) = sums(&server.lake, &commits)?;
    let tables: Result<Vec<Value>, Error> =
        sums.iter().map(|(name, sums)| table(server, name, sums)).collect();
    ok(&json!({ "tables": tables? }))
}

/// One table: the columns of its files in their order, and those that live in the path.
fn table(server: &Server, name: &str, sums: &Table) -> Result<Value, Error> {
    let live = server.lake.contract(name)?;
    let view = live.as_ref().map(|live| ContractView::parse(&live.text)).transpose()?;
    let named = |entry: &Entry| json!({"name": entry.name, "type": entry.ty});
    let (mut columns, mut partition_by) = (Vec::new(), Vec::new());
    if let Some(view) = &view {
        let in_path = |entry: &&Entry| view.partition_by.iter().any(|other| other.name == entry.name);
        columns.extend(view.columns.iter().filter(|entry| !in_path(entry)).map(named));
        partition_by.extend(view.partition_by.iter().map(named));
    }
    let changed = Some(&sums.latest).filter(|at| !at.is_empty());
    Ok(json!({
        "table": name, "rows": sums.rows, "files": sums.files, "bytes": sums.bytes,
        "contract": live.map(|live| live.digest), "columns": columns, "partition_by": partition_by,
        "changed": changed,
    }))
}

/// `GET /api/commits`.
pub fn commits(server: &Server, limit: usize) -> Answered {
    let mut commits = server.lake.commits()?;
    commits.sort_by(|a, b| {
        let order = |state: &CommitState| (state.record.committed.clone(), state.record.generation);
        order(b).cmp(&order(a))
    });
    let commits: Vec<Value> = commits.iter().take(limit).map(commit).collect();
    ok(&json!({ "commits": commits }))
}

fn commit(state: &CommitState) -> Value {
    let record = &state.record;
    json!({
        "pipeline": record.pipeline, "source": record.source.uri, "name": name_of(&record.source.uri),
        "generation": record.generation, "current": state.current, "done": state.done, "reason": record.reason,
        "committed": record.committed, "rows": record.parts.iter().map(|part| part.rows).sum::<u64>(),
        "rejected": record.report.rejected, "release": record.release.as_ref().map(ReleaseRecord::id),
        "as_previewed": record.as_previewed(),
    })
}

/// `GET /api/quarantine`: records that nobody has submitted again.
pub fn quarantine(server: &Server, limit: usize) -> Answered {
    let mut open = server.lake.quarantine_of_all()?;
    open.retain(|entry| entry.resolved_by.is_none());
    let mut reasons: BTreeMap<(&str, &str, &str, &str), u64> = BTreeMap::new();
    for entry in &open {
        let path = entry.line.path.as_deref().unwrap_or_default();
        let reason = (entry.pipeline.as_str(), entry.line.code.as_str(), path, entry.line.message.as_str());
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
    let records: Vec<Value> = open.iter().take(limit).map(record).collect();
    ok(&json!({"total": open.len(), "reasons": reasons, "records": records}))
}

fn record(entry: &Quarantined) -> Value {
    let mut line = json!(entry.line);
    line["source"] = entry.source.as_str().into();
    line
}

/// `GET /api/failures`.
pub fn failures(server: &Server) -> Answered {
    let mut failures = server.lake.failures()?;
    failures.sort_by(|a, b| b.at.cmp(&a.at));
    ok(&json!({ "failures": failures }))
}

fn name_of(uri: &str) -> &str {
    uri.rsplit('/').next().unwrap_or(uri)
}

fn ok(value: &Value) -> Answered {
    Ok(of_json(StatusCode::OK, value))
}

//! Uploads that wait, and what became of them.
//!
//! Kept in the lake are, for each upload, what came with it (name, digest, spec, promised receipt), its bytes until
//! its turn comes, and for each name the bytes that were taken last: see [`keys`](lakegate_lake::keys).
//!
//! Not for receiving (`receive`) nor for the flow. Decisions to know:
//!
//! * The record comes before the bytes have their name, and goes when the upload is through; so whatever was
//!   accepted is found again by the next server, and what was not, is told apart by the missing bytes.
//! * Bytes take their place under the raw name when their turn comes: two versions of a file that wait at once are
//!   two generations, in the order in which they came. They stay under the upload's own name as well until it is
//!   through, since another upload may take the raw name before this one can be tried again.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::serve::raw;
use crate::show::made::state_name;
use crate::show::problem;
use lakegate_base::{Code, Error, Fault, Result};
use lakegate_lake::keys::{UPLOADS, commit_key, upload_bytes_key, upload_key};
use lakegate_lake::lake::{Lake, to_json};
use lakegate_lake::record::{CommitRecord, Receipt, ReleaseRecord};
use lakegate_lake::run::{Outcome, Progress};
use lakegate_lake::source::now_ms;
use lakegate_lake::storage::Staged;

/// Uploads that are through and still told about; a page asks for its own within seconds.
const TOLD: usize = 1000;

/// An upload as it is kept until it is through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Version of this text: 1.
    pub version: u32,
    /// Names the upload; sorts by time.
    pub id: String,
    /// File name.
    pub name: String,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256 of them.
    pub digest: String,
    /// Digest of the spec that came along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<String>,
    /// Digest of the receipt that its preview showed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promised: Option<String>,
}

/// How far an upload is.
enum State {
    Waiting,
    Running { pass: u8, read: u64 },
    Done(Box<Done>),
    Failed(Error),
}

struct Done {
    result: &'static str,
    receipt: Receipt,
    passes: u8,
    commit: Value,
    /// The release that made it, in words.
    release: Option<String>,
    /// Whether it stands for all that came under its name before.
    replaces: bool,
}

/// Runs one upload through the flow.
type Take<'a> = &'a dyn Fn(&Waiting, &mut dyn FnMut(Progress)) -> std::result::Result<Outcome, Error>;

/// Uploads of this server, in their order.
pub struct Queue {
    lake: Lake,
    known: Mutex<BTreeMap<String, (Waiting, State)>>,
    next: Mutex<Ends>,
    stopping: AtomicBool,
}

struct Ends {
    /// Numbers the uploads of one millisecond.
    count: u32,
    sender: Option<Sender<String>>,
    /// Taken by the worker.
    receiver: Option<Receiver<String>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whole values are put in; a thread that panicked has left none half made.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Queue {
    /// An empty queue over a lake.
    pub fn new(lake: Lake) -> Self {
        let (sender, receiver) = channel();
        let next = Mutex::new(Ends { count: 0, sender: Some(sender), receiver: Some(receiver) });
        Self { lake, known: Mutex::default(), next, stopping: AtomicBool::new(false) }
    }

    /// Accepts bytes that are staged: durable with what came along, and last in the queue. Its id.
    ///
    /// # Errors
    /// The storage's; nothing is left then.
    pub fn accept(&self, mut waiting: Waiting, staged: Staged) -> std::result::Result<String, Error> {
        let token = staged.token.clone();
        let kept = self.keep(&mut waiting, staged);
        if let Err(error) = kept {
            // Left behind where even this fails: without a record, or without its bytes, it counts for nothing.
            let _bytes = self.lake.storage().abort(&token);
            let _record = self.lake.storage().delete(&upload_key(&waiting.id));
            return Err(error);
        }
        let id = waiting.id.clone();
        self.push(waiting)?;
        Ok(id)
    }

    fn keep(&self, waiting: &mut Waiting, mut staged: Staged) -> Result<()> {
        let storage = self.lake.storage();
        storage.settle(std::slice::from_ref(&staged))?;
        loop {
            waiting.id = self.new_id();
            if storage.put_if_absent(&upload_key(&waiting.id), &to_json(waiting)?)? {
                break;
            }
        }
        staged.key = upload_bytes_key(&waiting.id);
        storage.publish(&staged)?;
        Ok(storage.seal(&[staged.key])?)
    }

    fn new_id(&self) -> String {
        let mut next = lock(&self.next);
        next.count = next.count.wrapping_add(1) & 0xffff;
        format!("{:012x}-{:04x}", now_ms(), next.count)
    }

    fn push(&self, waiting: Waiting) -> std::result::Result<(), Error> {
        let id = waiting.id.clone();
        lock(&self.known).insert(id.clone(), (waiting, State::Waiting));
        let sent = lock(&self.next).sender.as_ref().is_some_and(|sender| sender.send(id).is_ok());
        if sent {
            return Ok(());
        }
        Err(Error::new(Code::ServerStops, "the server is about to stop")
            .with_hint("the upload is kept: the next `lakegate serve` on this lake takes it"))
    }

    /// Puts in what an earlier server accepted and did not get through.
    ///
    /// # Errors
    /// The storage's, or a record is damaged.
    pub fn resume(&self) -> Result<()> {
        for facts in self.lake.storage().list(UPLOADS)? {
            if !facts.key.ends_with(".json") {
                continue;
            }
            let Some(waiting) = self.lake.read_json::<Waiting>(&facts.key)? else { continue };
            let bytes = self.lake.storage().stat(&upload_bytes_key(&waiting.id))?;
            if bytes.is_some() || raw::is_in_place(&self.lake, &waiting) {
                // It is stopping already, and stays where it is.
                let _stops = self.push(waiting);
            } else {
                self.lake.storage().delete(&facts.key)?;
            }
        }
        Ok(())
    }

    /// Takes one upload after the other until [`Queue::stop`].
    pub fn work(&self, take: Take<'_>, say: &dyn Fn(&str)) {
        let Some(receiver) = lock(&self.next).receiver.take() else { return };
        for id in receiver {
            if self.stopping.load(Ordering::SeqCst) {
                return;
            }
            let waiting = lock(&self.known).get(&id).map(|(waiting, _)| waiting.clone());
            let Some(waiting) = waiting else { continue };
            let result = catch_unwind(AssertUnwindSafe(|| self.take(&waiting, take)))
                .unwrap_or_else(|_| Err(Error::new(Code::Panic, "Lakegate itself failed at this upload")));
            say(&told(&waiting, &result));
            // Passing trouble, or our own: the next server tries again, with the same promise.
            let again = |problem: &Error| matches!(problem.fault(), Fault::Environment | Fault::Internal);
            if !result.as_ref().err().is_some_and(again) {
                self.drop_kept(&id);
            }
            if let Ok(State::Done(done)) = &result
                && done.replaces
            {
                self.drop_older(&waiting);
            }
            self.set(&id, result.unwrap_or_else(State::Failed));
            self.forget();
        }
    }

    /// An upload is through. Left behind, it is taken once more by the next server, which finds nothing to do.
    fn drop_kept(&self, id: &str) {
        let _record = self.lake.storage().delete(&upload_key(id));
        let _bytes = self.lake.storage().delete(&upload_bytes_key(id));
    }

    /// Uploads of the same name that came before one that is in the tables, and could not be tried: their content is
    /// not wanted any more.
    fn drop_older(&self, newer: &Waiting) {
        let mut older = Vec::new();
        for (id, (waiting, state)) in &*lock(&self.known) {
            if waiting.name == newer.name && *id < newer.id && matches!(state, State::Failed(_)) {
                older.push(id.clone());
            }
        }
        older.iter().for_each(|id| self.drop_kept(id));
    }

    fn take(&self, waiting: &Waiting, take: Take<'_>) -> std::result::Result<State, Error> {
        self.set(&waiting.id, State::Running { pass: 0, read: 0 });
        raw::place(&self.lake, waiting)?;
        let (mut pass, total) = (0, waiting.bytes);
        let mut progress = |progress| {
            let read = match progress {
                Progress::Pass { number, .. } => {
                    pass = number;
                    0
                }
                Progress::Read(read) => read,
                Progress::Settled => return,
                Progress::Staged | Progress::Publishing => total,
            };
            self.set(&waiting.id, State::Running { pass, read });
        };
        let outcome = take(waiting, &mut progress)?;
        let commit = &outcome.commit;
        Ok(State::Done(Box::new(Done {
            result: state_name(&outcome.state),
            receipt: commit.receipt(),
            passes: outcome.passes,
            commit: commit_json(commit),
            release: commit.release.as_ref().map(ReleaseRecord::shown),
            replaces: commit.on_reupload == "replace",
        })))
    }

    /// Ends the worker after the upload that it has in hand.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        lock(&self.next).sender = None;
    }

    /// Uploads whose turn has not come.
    pub fn left(&self) -> usize {
        lock(&self.known).values().filter(|(_, state)| matches!(state, State::Waiting)).count()
    }

    fn set(&self, id: &str, state: State) {
        if let Some(entry) = lock(&self.known).get_mut(id) {
            entry.1 = state;
        }
    }

    /// Forgets the oldest uploads that are through.
    fn forget(&self) {
        let mut known = lock(&self.known);
        let through = |state: &State| matches!(state, State::Done(_) | State::Failed(_));
        let ids: Vec<String> =
            known.iter().filter(|(_, (_, state))| through(state)).map(|(id, _)| id.clone()).collect();
        for id in ids.iter().take(ids.len().saturating_sub(TOLD)) {
            known.remove(id);
        }
    }

    /// How far an upload is.
    ///
    /// # Errors
    /// `unknown_upload`.
    pub fn tell(&self, id: &str) -> std::result::Result<Value, Error> {
        let known = lock(&self.known);
        let (waiting, state) = known.get(id).ok_or_else(|| {
            Error::new(Code::UnknownUpload, "this server knows of no such upload").with_hint(
                "it was taken before the server started: GET /api/commits and /api/failures tell of it",
            )
        })?;
        let total = waiting.bytes;
        let (name, pass, read) = match state {
            State::Waiting => ("waiting", 0, 0),
            State::Running { pass, read } => ("running", *pass, *read),
            State::Done(done) => ("done", done.passes, total),
            State::Failed(_) => ("failed", 0, 0),
        };
        let mut told = json!({
            "state": name, "name": waiting.name, "pass": pass, "read": read, "total": total, "result": null,
            "receipt": null, "promised": waiting.promised, "matches": null, "commit": null, "problem": null,
        });
        match state {
            State::Done(done) => {
                told["result"] = done.result.into();
                told["receipt"] = json!(done.receipt);
                told["matches"] = waiting.promised.as_ref().map(|it| *it == done.receipt.digest()).into();
                told["commit"] = done.commit.clone();
            }
            State::Failed(problem) => told["problem"] = problem::json(problem),
            State::Waiting | State::Running { .. } => {}
        }
        Ok(told)
    }
}

/// One line about an upload that is through.
fn told(waiting: &Waiting, result: &std::result::Result<State, Error>) -> String {
    match result {
        Ok(State::Done(done)) => {
            let (rows, rejected) = (&done.commit["rows"], &done.commit["rejected"]);
            let by = done.release.as_ref().map(|release| format!(", by {release}")).unwrap_or_default();
            format!("{}: {}, {rows} rows, {rejected} rejected{by}\n", waiting.name, done.result)
        }
        Ok(_) => String::new(),
        Err(error) => format!("{}: {}\n", waiting.name, problem::plain(error)),
    }
}

fn commit_json(commit: &CommitRecord) -> Value {
    let (release, mut tables) = (commit.release.as_ref(), Map::new());
    for table in commit.contracts.keys() {
        let parts = || commit.parts.iter().filter(|part| part.table == *table);
        let (rows, bytes): (u64, u64) =
            (parts().map(|part| part.rows).sum(), parts().map(|part| part.bytes).sum());
        tables.insert(table.clone(), json!({"rows": rows, "files": parts().count(), "bytes": bytes}));
    }
    json!({
        "pipeline": commit.pipeline, "source": commit.source.uri, "generation": commit.generation, "reason": commit.reason,
        "key": commit_key(&commit.pipeline, &commit.source.uri, commit.generation),
        "committed": commit.committed, "rows": commit.parts.iter().map(|part| part.rows).sum::<u64>(),
        "rejected": commit.report.rejected, "tables": tables, "release": release.map(ReleaseRecord::id),
        "document": release.and_then(|release| release.sequence),
    })
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;

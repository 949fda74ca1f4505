//! The done mark, out of order: a crash before it, several who write it, one that is there.

use std::sync::{Arc, Mutex};

use crate::keys;
use crate::lake::{Lake, Load, Surroundings, Void, to_json};
use crate::record::{CommitRecord, PartRecord, QuarantineRecord, Resolved, SourceRecord};
use crate::run::commit::{Completed, Means, Rolled, complete, lose, roll_forward};
use crate::run::later_than;
use crate::source::Source;
use crate::storage::{LocalFolder, Published, Staged};
use lakegate_base::{Code, Error, Result};
use lakegate_sandbox::TableContract;

const URI: &str = "/in/x.json";
const AT: &str = "2025-01-01T11:59:59.999Z";

/// Told, in their order; each telling has a number of its own.
#[derive(Default)]
struct Told(Mutex<Vec<u32>>);

impl Surroundings for Told {
    fn published(
        &self,
        _lake: &Lake,
        record: &CommitRecord,
        _registered: serde_json::Value,
    ) -> Result<serde_json::Value> {
        let mut told = self.0.lock().unwrap();
        told.push(record.generation);
        Ok(told.len().into())
    }

    fn source(&self, record: &SourceRecord) -> Result<Source> {
        panic!("nothing vanishes here, but {} was asked for", record.uri)
    }
}

struct Fixture {
    folder: tempfile::TempDir,
    told: Arc<Told>,
}

impl Fixture {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), told: Arc::default() }
    }

    /// The lake as a process of its own sees it.
    fn lake(&self) -> Lake {
        Lake::over(Arc::new(LocalFolder::new(self.folder.path()).unwrap())).within(self.told.clone())
    }

    /// A commit with one part file, staged and not published.
    fn commit(
        &self,
        lake: &Lake,
        uri: &str,
        generation: u32,
        change: impl FnOnce(&mut CommitRecord),
    ) -> (String, CommitRecord) {
        let key = format!("t/{}-{generation}.parquet", keys::object_key(uri));
        let mut stage = lake.storage().stage(&key).unwrap();
        stage.write(b"rows").unwrap();
        let staged: Staged = stage.finish().unwrap();
        let part = PartRecord { key, table: "t".into(), staged, bytes: 4, rows: 1, ..PartRecord::default() };
        let mut record = CommitRecord {
            version: 1,
            pipeline: "p".into(),
            generation,
            parts: vec![part],
            contracts: [("t".to_owned(), "c".to_owned())].into(),
            started: AT.into(),
            committed: AT.into(),
            ..CommitRecord::default()
        };
        record.source.uri = uri.into();
        change(&mut record);
        lake.claim(&record).unwrap();
        let key = keys::commit_key("p", uri, generation);
        assert!(lake.storage().put_if_absent(&key, &to_json(&record).unwrap()).unwrap());
        (key, record)
    }

    fn marks(&self) -> Vec<Load> {
        let lake = self.lake();
        let listed = lake.storage().list(keys::LOADS).unwrap();
        listed.iter().map(|facts| lake.read_json(&facts.key).unwrap().unwrap()).collect()
    }

    fn files(&self) -> usize {
        self.lake().storage().list("t/").unwrap().len()
    }
}

#[test]
fn a_crash_between_publishing_and_the_mark_is_made_up_for() {
    let fixture = Fixture::new();
    let lake = fixture.lake();
    let (key, record) = fixture.commit(&lake, URI, 1, |_| {});
    // All is visible; whoever did it died before telling and marking.
    assert_eq!(lake.storage().publish(&record.parts[0].staged).unwrap(), Published::There);
    drop(lake);
    let lake = fixture.lake();
    let states = lake.generations("p", URI).unwrap();
    assert_eq!((states.len(), states[0].done), (1, false));
    assert_eq!(lake.commits().unwrap(), states);
    assert_eq!(roll_forward(&lake, &states, Means::default(), &|_| false).unwrap(), Rolled::Forward(1));
    let (marks, told) = (fixture.marks(), fixture.told.0.lock().unwrap().clone());
    assert_eq!((marks.len(), fixture.files(), told), (1, 1, vec![1]));
    assert_eq!(marks[0].commit_key(), key);
    assert_eq!((marks[0].rows, marks[0].files, marks[0].requests), (1, 1, None), "{marks:?}");
    assert!(marks[0].milliseconds > 0 && marks[0].done > marks[0].committed);
    assert!(lake.commits().unwrap()[0].done && lake.generations("p", URI).unwrap()[0].done);
    let states = lake.generations("p", URI).unwrap();
    assert_eq!(roll_forward(&lake, &states, Means::default(), &|_| false).unwrap(), Rolled::Forward(0));
}

#[test]
fn several_who_complete_a_commit_at_once_leave_one_mark() {
    for _ in 0..20 {
        let fixture = Fixture::new();
        let (key, record) = fixture.commit(&fixture.lake(), URI, 1, |_| {});
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| complete(&fixture.lake(), &key, &record, Means::default()).unwrap());
            }
        });
        let told = fixture.told.0.lock().unwrap().clone();
        assert_eq!((fixture.marks().len(), fixture.files()), (1, 1));
        assert!(
            !told.is_empty() && told.iter().all(|generation| *generation == 1),
            "at least once: {told:?}"
        );
    }
}

#[test]
fn a_mark_that_is_there_stays_as_it_was_written() {
    let fixture = Fixture::new();
    let lake = fixture.lake();
    let (key, record) = fixture.commit(&lake, URI, 1, |_| {});
    complete(&lake, &key, &record, Means::default()).unwrap();
    let first = fixture.marks();
    assert_eq!(first[0].told, 1);
    // A slow process that knows nothing of it.
    complete(&fixture.lake(), &key, &record, Means::default()).unwrap();
    assert_eq!(fixture.marks(), first);
    // It comes even later: a further generation is in place, and this one's files are gone.
    let (next, second) = fixture.commit(&lake, URI, 2, |record| {
        record.replaces = vec![1];
        record.committed = later_than([AT].into_iter());
    });
    complete(&lake, &next, &second, Means::default()).unwrap();
    complete(&fixture.lake(), &key, &record, Means::default()).unwrap();
    let states = fixture.lake().generations("p", URI).unwrap();
    assert_eq!(
        states.iter().map(|state| (state.done, state.current)).collect::<Vec<_>>(),
        [(true, false), (true, true)]
    );
    assert_eq!((fixture.marks().len(), fixture.files()), (2, 1));
}

#[test]
fn what_replaces_is_later_whatever_the_clocks_say() {
    let ahead = "2999-12-31T23:59:59.999Z";
    assert_eq!(later_than([AT, ahead].into_iter()), "3000-01-01T00:00:00.000Z");
    assert!(later_than([AT].into_iter()).as_str() > AT);
    assert!(later_than(["", "spoiled"].into_iter()).as_str() > AT);
}

#[test]
fn the_history_shows_what_counts_on_every_page() {
    let fixture = Fixture::new();
    let lake = fixture.lake();
    let mut at = AT.to_owned();
    for generation in 1..=4 {
        for uri in [URI, "/in/y.json", "/in/z.json"] {
            at = later_than([at.as_str()].into_iter());
            let (key, record) = fixture.commit(&lake, uri, generation, |record| {
                record.committed.clone_from(&at);
                record.replaces = (1..generation).collect();
            });
            if generation < 4 || uri != URI {
                complete(&lake, &key, &record, Means::default()).unwrap();
            }
        }
    }
    let whole = lake.history(None, 100).unwrap();
    assert_eq!((whole.entries.len(), whole.undone, whole.next.clone()), (12, Some(1), None));
    let states = lake.commits().unwrap();
    for entry in &whole.entries {
        let state = states.iter().find(|state| state.key == entry.key).unwrap();
        assert_eq!((entry.done, entry.current), (state.done, state.current), "{}", entry.key);
    }
    assert!(whole.entries.is_sorted_by(|a, b| a.load.committed > b.load.committed), "newest first");
    // The same in pages, without the one that is not done.
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let page = lake.history(after.as_deref(), 2).unwrap();
        assert!(page.entries.len() <= 2 && page.undone.is_none());
        paged.extend(page.entries.iter().map(|entry| entry.key.clone()));
        for entry in &page.entries {
            let newest = entry.load.generation == if entry.load.source == URI { 3 } else { 4 };
            // The third of the first is replaced by one that is not done: its record says so already.
            let replaced = after.is_some() && entry.load.source == URI;
            assert_eq!(entry.current, newest && !replaced, "{}", entry.key);
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let done = whole.entries.iter().filter(|entry| entry.done);
    assert_eq!(paged, done.map(|entry| entry.key.clone()).collect::<Vec<_>>());
    assert_eq!(lake.history(Some("nowhere"), 2).unwrap_err().name(), "cursor_unknown");
}

/// A rejected record of a source, quarantined.
fn rejecting(lake: &Lake, record: &mut CommitRecord) {
    let key = keys::quarantine_key("p", &record.source.uri, record.generation, "r");
    let mut stage = lake.storage().stage(&key).unwrap();
    stage.write(b"{\"record\":1,\"code\":\"x\"}\n").unwrap();
    let staged = stage.finish().unwrap();
    record.source.digest = "d".into();
    record.quarantine = Some(QuarantineRecord { key, records: 1, staged, ..QuarantineRecord::default() });
}

fn resolved(source: &str) -> Resolved {
    Resolved { source: source.into(), digest: "d".into(), records: vec![1], generation: 1 }
}

#[test]
fn a_resubmission_is_found_by_the_object_whose_records_it_holds() {
    let fixture = Fixture::new();
    let lake = fixture.lake();
    for uri in [URI, "/in/y.json"] {
        let (key, record) = fixture.commit(&lake, uri, 1, |record| rejecting(&lake, record));
        complete(&lake, &key, &record, Means::default()).unwrap();
    }
    let (again, record) = fixture.commit(&lake, "resubmit:1", 1, |record| {
        record.resolves = vec![resolved(URI), resolved("/in/y.json")];
    });
    complete(&lake, &again, &record, Means::default()).unwrap();
    assert_eq!(fixture.files(), 3);
    // Claimed, and then its process died: no commit, so it counts for nothing.
    let never = CommitRecord { resolves: vec![resolved(URI)], generation: 7, ..record.clone() };
    lake.claim(&never).unwrap();
    let keys = |uri: &str| -> Vec<String> {
        lake.resubmissions_of("p", uri).unwrap().into_iter().map(|state| state.key).collect()
    };
    assert_eq!(
        (keys(URI), keys("/in/y.json"), keys("/in/z.json")),
        (vec![again.clone()], vec![again.clone()], vec![])
    );
    let withdraws = |record: &mut CommitRecord| {
        record.withdraws = vec![again.clone()];
        record.replaces = vec![1];
    };
    let (key, newer) = fixture.commit(&lake, "/in/y.json", 2, withdraws);
    complete(&lake, &key, &newer, Means::default()).unwrap();
    assert_eq!((keys(URI), keys("/in/y.json")), (vec![], vec![]), "it is void for all of its sources");
    // The process that made it was slow, and does not bring its rows back.
    complete(&lake, &again, &record, Means::default()).unwrap();
    assert_eq!(fixture.files(), 2);
    assert!(!lake.commits().unwrap().iter().find(|state| state.key == again).unwrap().current);
}

#[test]
fn of_two_who_submit_one_record_again_the_second_sees_the_first() {
    let fixture = Fixture::new();
    let lake = fixture.lake();
    let (key, record) = fixture.commit(&lake, URI, 1, |record| rejecting(&lake, record));
    complete(&lake, &key, &record, Means::default()).unwrap();
    let submission = |uri: &str| {
        let source = SourceRecord { uri: uri.into(), ..SourceRecord::default() };
        CommitRecord {
            pipeline: "p".into(),
            generation: 1,
            source,
            resolves: vec![resolved(URI)],
            ..record.clone()
        }
    };
    let (first, second) = (submission("resubmit:1"), submission("resubmit:2"));
    lake.claim(&first).unwrap();
    // The first is slow, or gone: its place is taken, and it cannot commit any more.
    lake.claim(&second).unwrap();
    let place = keys::commit_key("p", "resubmit:1", 1);
    assert!(!lake.storage().put_if_absent(&place, &to_json(&first).unwrap()).unwrap());
    assert!(lake.commits_below(&keys::object_prefix("p", "resubmit:1")).unwrap()[0].record.is_void());
    let place = keys::commit_key("p", "resubmit:2", 1);
    assert!(lake.storage().put_if_absent(&place, &to_json(&second).unwrap()).unwrap());
    let late = CommitRecord { generation: 2, ..first };
    assert_eq!(lake.claim(&late).unwrap_err().name(), "records_taken");
}

#[test]
fn what_was_given_up_counts_for_nothing_and_its_slow_process_takes_it_back() {
    let fixture = Fixture::new();
    let lake = fixture.lake();
    let (key, record) = fixture.commit(&lake, URI, 1, |_| {});
    complete(&lake, &key, &record, Means::default()).unwrap();
    let (key, lost) = fixture.commit(&lake, URI, 2, |record| {
        record.replaces = vec![1];
        record.committed = later_than([AT].into_iter());
    });
    let error = Error::new(Code::CannotMakeAgain, "its source was overwritten");
    lose(&lake, &lost, &error).unwrap();
    let states = |lake: &Lake| -> Vec<(bool, bool, bool)> {
        let states = lake.generations("p", URI).unwrap();
        assert_eq!(lake.commits().unwrap(), states);
        states.iter().map(|state| (state.done, state.current, state.void)).collect()
    };
    // What it was to replace counts still.
    assert_eq!(states(&lake), [(true, true, false), (true, false, true)]);
    assert_eq!(complete(&lake, &key, &lost, Means::default()).unwrap(), Completed::GivenUp);
    assert_eq!(fixture.files(), 1, "the slow process took back what it brought");
    let failures = lake.failures().unwrap();
    assert_eq!((failures.len(), failures[0].code.as_str()), (1, "generation_lost"));
    let (key, next) = fixture.commit(&lake, URI, 3, |record| {
        record.replaces = vec![1];
        record.voids = vec![2];
        record.committed = later_than([lost.committed.as_str()].into_iter());
    });
    complete(&lake, &key, &next, Means::default()).unwrap();
    assert_eq!(states(&lake), [(true, false, false), (true, false, true), (true, true, false)]);
    assert_eq!((fixture.files(), lake.failures().unwrap().len()), (1, 1), "the loss stays on record");
    // One that is completed cannot be lost any more.
    lose(&lake, &next, &error).unwrap();
    assert_eq!((fixture.files(), lake.failures().unwrap().len()), (1, 1));
}

/// A catalog that has the new types already, and refuses the old ones.
struct Refusing;

impl Surroundings for Refusing {
    fn register(&self, _lake: &Lake, _record: &CommitRecord) -> Result<serde_json::Value> {
        Err(Error::new(Code::CatalogRequest, "a column has another type there"))
    }

    fn published(&self, _: &Lake, _: &CommitRecord, _: serde_json::Value) -> Result<serde_json::Value> {
        panic!("it is given up")
    }

    fn source(&self, record: &SourceRecord) -> Result<Source> {
        panic!("nothing vanishes here, but {} was asked for", record.uri)
    }
}

#[test]
fn a_commit_of_an_old_type_is_given_up_whatever_the_catalog_says() {
    let fixture = Fixture::new();
    let lake = fixture.lake().within(Arc::new(Refusing));
    let contract = |ty: &str| TableContract {
        table: "t".into(),
        text: format!(
            r#"{{"version":1,"table":"t","rows":null,"columns":[{{"name":"a","type":"{ty}","pointer":"/a"}}],"nulls":[],"partition_by":[]}}"#
        ),
    };
    assert!(lake.swap_contract(None, &contract("bigint"), "a load").unwrap());
    let old = lake.contract("t").unwrap();
    let (key, record) = fixture.commit(&lake, URI, 1, |record| {
        record.contracts = [("t".to_owned(), old.as_ref().unwrap().digest.clone())].into();
    });
    assert!(lake.swap_contract(old.as_ref(), &contract("double"), "a change").unwrap());
    assert_eq!(complete(&lake, &key, &record, Means::default()).unwrap(), Completed::GivenUp);
    assert_eq!((fixture.files(), fixture.marks()[0].void), (0, Some(Void::Contract)));
}

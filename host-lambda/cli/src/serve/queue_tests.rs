//! Tests of the queue: order, what survives a server, and what a failure leaves.

use super::*;
use lakegate_base::{Code, Error};
use lakegate_lake::keys::raw_key;
use std::cell::RefCell;
use std::fs;
use std::io::Write;

struct Fixture {
    folder: tempfile::TempDir,
    lake: Lake,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::local(folder.path()).unwrap();
        Self { folder, lake }
    }

    fn accept(&self, queue: &Queue, name: &str, text: &str) -> String {
        let mut stage = self.lake.storage().stage(name).unwrap();
        stage.write(text.as_bytes()).unwrap();
        let waiting = Waiting {
            version: 1,
            name: name.into(),
            bytes: text.len() as u64,
            digest: lakegate_lake::lake::sha256(text.as_bytes()),
            promised: Some("p".into()),
            ..Waiting::default()
        };
        queue.accept(waiting, stage.finish().unwrap()).unwrap()
    }

    fn raw(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.folder.path().join(raw_key(name))).ok()
    }

    fn uploads(&self) -> Vec<String> {
        self.lake.storage().list(UPLOADS).unwrap().into_iter().map(|facts| facts.key).collect()
    }
}

/// Works until `until` uploads were tried; what the raw file held when its turn came, and the promise.
fn work(
    fixture: &Fixture,
    queue: &Queue,
    until: usize,
    answer: &dyn Fn() -> Error,
) -> Vec<(String, Option<String>)> {
    let seen = RefCell::new(Vec::new());
    let take = |waiting: &Waiting, progress: &mut dyn FnMut(Progress)| {
        progress(Progress::Pass { number: 1, total_bytes: waiting.bytes });
        progress(Progress::Read(1));
        assert_eq!(queue.tell(&waiting.id).unwrap()["read"], 1);
        seen.borrow_mut().push((fixture.raw(&waiting.name).unwrap_or_default(), waiting.promised.clone()));
        if seen.borrow().len() == until {
            queue.stop();
        }
        Err(answer())
    };
    queue.work(&take, &|_| {});
    seen.into_inner()
}

fn input() -> Error {
    Error::new(Code::SyntaxError, "no")
}

#[test]
fn two_versions_of_a_file_are_taken_one_after_the_other() {
    let fixture = Fixture::new();
    let queue = Queue::new(fixture.lake.clone());
    let first = fixture.accept(&queue, "a.json", "1");
    let second = fixture.accept(&queue, "a.json", "22");
    assert!(first < second);
    assert_eq!(fixture.raw("a.json"), None, "its turn has not come");
    assert_eq!((queue.left(), queue.tell(&first).unwrap()["state"].as_str()), (2, Some("waiting")));
    let taken = work(&fixture, &queue, 2, &input);
    assert_eq!(taken.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>(), ["1", "22"]);
    let told = queue.tell(&second).unwrap();
    assert_eq!(
        (told["state"].as_str(), told["problem"]["code"].as_str()),
        (Some("failed"), Some("syntax_error"))
    );
    assert!(fixture.uploads().is_empty(), "{:?}", fixture.uploads());
    assert_eq!(queue.tell("no").unwrap_err().name(), "unknown_upload");
}

#[test]
fn what_was_accepted_is_taken_by_the_next_server_with_its_promise() {
    let fixture = Fixture::new();
    let killed = Queue::new(fixture.lake.clone());
    fixture.accept(&killed, "a.json", "1");
    fixture.accept(&killed, "b.json", "2");
    let passing = || Error::new(Code::DiskFull, "no");
    // Tried, and in its place; but not through.
    work(&fixture, &killed, 1, &passing);
    drop(killed);
    // A record whose bytes never came was never accepted.
    let lost =
        Waiting { id: "000000000000-0001".into(), name: "c.json".into(), bytes: 1, ..Waiting::default() };
    fixture.lake.overwrite(&upload_key(&lost.id), &to_json(&lost).unwrap()).unwrap();

    let queue = Queue::new(fixture.lake.clone());
    queue.resume().unwrap();
    assert_eq!(queue.left(), 2);
    let promised = Some("p".to_string());
    assert_eq!(work(&fixture, &queue, 2, &input), [("1".into(), promised.clone()), ("2".into(), promised)]);
    assert!(fixture.uploads().is_empty(), "{:?}", fixture.uploads());
}

#[test]
fn an_upload_that_cannot_be_kept_leaves_nothing() {
    let fixture = Fixture::new();
    let queue = Queue::new(fixture.lake.clone());
    // A file where the folder has to be.
    fixture.lake.overwrite(&raw_key("some.json"), b"{}").unwrap();
    let mut file = fs::File::create(fixture.folder.path().join("_lakegate/uploads")).unwrap();
    file.write_all(b"x").unwrap();
    let stage = fixture.lake.storage().stage("a.json").unwrap();
    assert!(queue.accept(Waiting::default(), stage.finish().unwrap()).is_err());
    let staging = fixture.lake.storage().list("_lakegate/staging/").unwrap();
    assert!(staging.is_empty(), "{staging:?}");
    assert_eq!(queue.left(), 0);
}

#[test]
fn a_stopping_server_keeps_what_it_does_not_take() {
    let fixture = Fixture::new();
    let queue = Queue::new(fixture.lake.clone());
    queue.stop();
    let stage = fixture.lake.storage().stage("a.json").unwrap();
    let waiting = Waiting { name: "a.json".into(), ..Waiting::default() };
    assert_eq!(queue.accept(waiting, stage.finish().unwrap()).unwrap_err().name(), "server_stops");
    assert_eq!(fixture.uploads().len(), 2, "record and bytes");
}

#[test]
fn a_panic_is_one_uploads_failure() {
    let fixture = Fixture::new();
    let queue = Queue::new(fixture.lake.clone());
    let first = fixture.accept(&queue, "a.json", "1");
    let second = fixture.accept(&queue, "b.json", "1");
    let count = RefCell::new(0);
    let take = |_: &Waiting, _: &mut dyn FnMut(Progress)| {
        *count.borrow_mut() += 1;
        if *count.borrow() == 2 {
            queue.stop();
            return Err(input());
        }
        panic!("on purpose");
    };
    queue.work(&take, &|_| {});
    let code = |id: &str| queue.tell(id).unwrap()["problem"]["code"].as_str().unwrap_or_default().to_owned();
    assert_eq!([code(&first), code(&second)], ["panic", "syntax_error"]);
}

#[test]
fn what_failed_on_its_surroundings_is_kept_when_its_name_comes_again() {
    let fixture = Fixture::new();
    let queue = Queue::new(fixture.lake.clone());
    fixture.accept(&queue, "a.json", "1");
    fixture.accept(&queue, "a.json", "22");
    let first = RefCell::new(true);
    let answer = || if first.replace(false) { Error::new(Code::DiskFull, "no") } else { input() };
    work(&fixture, &queue, 2, &answer);
    assert_eq!(fixture.raw("a.json").as_deref(), Some("22"));
    // The second failed on its content; the first was never tried in earnest, and is there for the next server.
    assert_eq!(fixture.uploads().len(), 2, "record and bytes: {:?}", fixture.uploads());
    let next = Queue::new(fixture.lake.clone());
    next.resume().unwrap();
    let taken = work(&fixture, &next, 1, &input);
    assert_eq!(taken.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>(), ["1"]);
    assert!(fixture.uploads().is_empty(), "{:?}", fixture.uploads());
}

#[test]
fn an_older_upload_is_not_tried_again_behind_a_newer_one() {
    let fixture = Fixture::new();
    let queue = Queue::new(fixture.lake.clone());
    fixture.accept(&queue, "a.json", "1");
    fixture.accept(&queue, "a.json", "22");
    let count = RefCell::new(0);
    let take = |_: &Waiting, _: &mut dyn FnMut(Progress)| {
        *count.borrow_mut() += 1;
        if *count.borrow() == 1 {
            return Err(Error::new(Code::DiskFull, "no"));
        }
        queue.stop();
        let commit = CommitRecord { on_reupload: "replace".into(), ..CommitRecord::default() };
        let report = commit.report.clone();
        let state = lakegate_lake::run::State::Made;
        let rejected = lakegate_model::Rejected::default();
        Ok(Outcome { state, commit, report, passes: 1, milliseconds: 1, warnings: Vec::new(), rejected })
    };
    queue.work(&take, &|_| {});
    assert!(fixture.uploads().is_empty(), "{:?}", fixture.uploads());
}

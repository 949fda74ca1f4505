//! One id in all that the flow leaves: records, marks, failures and the lines of a quarantine; with the transform.

use std::path::PathBuf;

use super::*;
use crate::keys::{self, QUARANTINE};
use crate::record::{FailedRecord, KeptLine};
use crate::run_id::RunId;
use crate::storage::Facts;
use lakegate_sandbox::{GuestTime, Limits, Sandbox};

/// Two records that are taken, and one that is none; and too many of those.
const GOOD: &str = "{\"id\":1}\n{\"id\":2}\nnonsense\n";
const BAD: &str = "{\"id\":1}\nnonsense\nnonsense\n";

struct Scene {
    _folder: tempfile::TempDir,
    lake: Lake,
    file: PathBuf,
    transform: Transform,
    plan: Plan,
}

impl Scene {
    fn new() -> Option<Self> {
        let Ok(transform) = Transform::shipped(&Sandbox::new(Limits::default()).unwrap()) else {
            return None; // this build carries no component
        };
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::local(&folder.path().join("lake")).unwrap();
        let file = folder.path().join("orders.ndjson");
        let plan = Plan::new("", Some("orders".into())).unwrap();
        Some(Self { _folder: folder, lake, file, transform, plan })
    }

    fn take(&self, text: &str) -> Result<Outcome> {
        std::fs::write(&self.file, text).unwrap();
        run(&self.lake, &self.transform, &Source::file(&self.file).unwrap(), &self.plan, &mut |_| {})
    }

    fn id(&self, generation: u32) -> RunId {
        RunId::of("orders", Source::file(&self.file).unwrap().uri(), generation)
    }

    fn kept(&self) -> Vec<Facts> {
        self.lake.storage().list(QUARANTINE).unwrap()
    }

    fn lines(&self, key: &str) -> Vec<KeptLine<'static>> {
        let text = self.lake.storage().get(key).unwrap().unwrap().bytes;
        let lines = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
    }
}

#[test]
fn a_commit_its_mark_and_its_quarantine_have_one_id() {
    let Some(scene) = Scene::new() else { return };
    for generation in [1, 2] {
        let record = scene.take(&GOOD.replace('1', &generation.to_string())).unwrap().commit;
        let id = scene.id(generation);
        assert_eq!((record.id.as_str(), record.run_id()), (id.to_string().as_str(), id));
        assert_eq!(scene.lake.load_of(&record).unwrap().unwrap().id, record.id);
        let found = scene.lake.commit_of_id(id).unwrap().unwrap();
        assert_eq!((&found.record, found.current), (&record, true));
        let kept = record.quarantine.as_ref().unwrap();
        let [line] = &scene.lines(&kept.key)[..] else { panic!("one line") };
        assert_eq!((line.line.record, &*line.line.raw, &*line.id), (3, "nonsense", &*record.id));
        assert_eq!((&*line.source, line.generation, line.failed), (&*record.source.uri, generation, false));
        assert_eq!(line.time.as_deref(), record.source.loaded_ms.map(rfc3339).as_deref());
        let listed = scene.lake.quarantine("orders").unwrap();
        assert_eq!(listed.iter().map(|entry| &entry.run_id).collect::<Vec<_>>(), [&record.id]);
    }
}

#[test]
fn a_failure_has_the_id_that_the_object_would_have_and_its_lines_say_that_it_failed() {
    let Some(scene) = Scene::new() else { return };
    assert_eq!(scene.take(BAD).unwrap_err().name(), "too_many_rejected");
    let failed: FailedRecord = scene.lake.failures().unwrap().remove(0);
    assert_eq!(failed.id, scene.id(1).to_string());
    assert_eq!(scene.lake.failure_of_id(scene.id(1)).unwrap().as_ref(), Some(&failed));
    let key = failed.quarantine.clone().unwrap();
    assert_eq!(scene.kept().iter().map(|facts| &facts.key).collect::<Vec<_>>(), [&key]);
    assert_eq!(keys::Named::of_quarantine(&key).unwrap().generation, 1);
    let lines = scene.lines(&key);
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| line.failed && *line.id == *failed.id && line.generation == 1));
    // Mended and run again: the same run, of which nothing says any more that it failed.
    let record = scene.take(GOOD).unwrap().commit;
    assert_eq!((&record.id, record.generation), (&failed.id, 1));
    assert_eq!(scene.lake.failure_of_id(scene.id(1)).unwrap(), None);
    // What fails before it is read says what would have come next.
    let source = Source::file(&scene.file).unwrap();
    let error = Error::new(Code::ObjectTooLarge, "it is too large");
    refuse(&scene.lake, &scene.transform, &source, &scene.plan, &error).unwrap();
    assert_eq!(scene.lake.failure_of_id(scene.id(2)).unwrap().unwrap().code, "object_too_large");
}

#[test]
fn a_quarantine_that_is_made_again_is_the_same_and_that_of_an_old_record_as_it_was() {
    let Some(scene) = Scene::new() else { return };
    let record = scene.take(GOOD).unwrap().commit;
    let kept = record.quarantine.clone().unwrap();
    let text = |key: &str| scene.lake.storage().get(key).unwrap().unwrap().bytes;
    let (before, key) = (text(&kept.key), kept.key.clone());
    scene.lake.storage().delete(&key).unwrap();
    let means = Means { transform: Some(&scene.transform), ..Means::default() };
    commit::make_again(&scene.lake, &record, std::slice::from_ref(&key), means).unwrap();
    assert_eq!(text(&key), before);
    // A record from before there were ids: its lines are those of the transform alone.
    let end = before.windows(6).position(|at| at == b",\"id\":").unwrap();
    let plain = [&before[..end], b"}\n"].concat();
    let digest = sha256(&plain);
    let quarantine = Some(crate::record::QuarantineRecord { digest, ..kept });
    let old = CommitRecord { id: String::new(), quarantine, ..record };
    scene.lake.storage().delete(&key).unwrap();
    commit::make_again(&scene.lake, &old, std::slice::from_ref(&key), means).unwrap();
    assert_eq!(text(&key), plain);
}

#[test]
fn the_time_in_the_guest_is_that_alone() {
    let Some(scene) = Scene::new() else { return };
    std::fs::write(&scene.file, GOOD).unwrap();
    let (time, begun) = (GuestTime::default(), Instant::now());
    let transform =
        scene.transform.clone().timed(&time).until(Some(begun + std::time::Duration::from_secs(600)));
    let source = Source::file(&scene.file).unwrap();
    let outcome = run(&scene.lake, &transform, &source, &scene.plan, &mut |progress| {
        if progress == Progress::Staged {
            std::thread::sleep(std::time::Duration::from_millis(300));
        }
    });
    outcome.unwrap();
    let took = time.so_far();
    assert!(!took.is_zero() && took + std::time::Duration::from_millis(300) <= begun.elapsed(), "{took:?}");
}

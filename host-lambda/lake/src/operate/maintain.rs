//! Rolls closed days of the load history into one file each, for SQL over months and years.
//!
//! Not for writing Parquet: whoever links a writer of it hands one over ([`DayFormat`]). Decisions to know:
//!
//! * The lines stay. A line is the done mark of its commit: without it the commit would be completed, and told, once more,
//!   by a host that can read no Parquet. What many small objects cost is the time of whoever reads them all, and that is
//!   what a rolled day spares.
//! * So there is nothing to lose and nothing to see twice: lines and rolled days are two tables, each of them whole by
//!   itself, up to now and up to the day that was rolled last.
//! * A day is closed when it is over in UTC. A commit of that day may still be completed later, and its line comes late: a
//!   rolled day that holds less than there are lines is made again, whole, and put in the place of the old one in one step.
//! * A line never changes. So a rolled day with as many loads as there are lines holds just those.

use serde::Serialize;

use crate::keys;
use crate::lake::{Lake, Load};
use lakegate_base::{Code, Error, Result};

/// Lines that are read at once.
const AT_ONCE: usize = 64;

/// How the loads of a day become a file.
pub trait DayFormat {
    /// The file of these loads.
    ///
    /// # Errors
    /// The writer's.
    fn file(&self, loads: &[Load]) -> Result<Vec<u8>>;

    /// How many loads such a file holds; `None` where it is none, and is to be made anew.
    fn loads(&self, file: &[u8]) -> Option<u64>;
}

/// A closed day of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RolledDay {
    /// Pipeline.
    pub pipeline: String,
    /// Day, in UTC.
    pub day: String,
    /// Loads.
    pub loads: u64,
    /// Bytes of the file; 0 where it is to be made.
    pub bytes: u64,
    /// How it stands.
    pub state: DayState,
}

/// How a day stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DayState {
    /// It was rolled before.
    There,
    /// It is rolled now.
    Rolled,
    /// It is to be rolled.
    Due,
}

/// Rolls the days before a day, `YYYY-MM-DD`; only tells which are due where it is not to `write`.
///
/// # Errors
/// The storage's, the writer's, or a line cannot be read.
pub fn roll_days(lake: &Lake, before: &str, write: bool, format: &dyn DayFormat) -> Result<Vec<RolledDay>> {
    let storage = lake.storage();
    let mut found = Vec::new();
    for folder in storage.folders(keys::LOADS)? {
        let Some(pipeline) = keys::pipeline_of_loads(&folder) else { continue };
        for folder in storage.folders(&keys::days_prefix(pipeline))? {
            let Some(day) = keys::day_of_loads(&folder).filter(|day| *day < before) else { continue };
            found.push(roll(lake, pipeline, day, write, format)?);
        }
    }
    Ok(found)
}

fn roll(lake: &Lake, pipeline: &str, day: &str, write: bool, format: &dyn DayFormat) -> Result<RolledDay> {
    let (storage, key) = (lake.storage(), keys::rolled_key(pipeline, day));
    let lines: Vec<String> =
        storage.list(&keys::day_prefix(pipeline, day))?.into_iter().map(|facts| facts.key).collect();
    let loads = lines.len() as u64;
    let there = storage.get(&key)?.map(|file| file.bytes);
    let rolled = |bytes: usize, state| RolledDay {
        pipeline: pipeline.into(),
        day: day.into(),
        loads,
        bytes: bytes as u64,
        state,
    };
    if let Some(file) = there.filter(|file| format.loads(file) == Some(loads)) {
        return Ok(rolled(file.len(), DayState::There));
    }
    if !write {
        return Ok(rolled(0, DayState::Due));
    }
    let file = format.file(&read(lake, &lines)?)?;
    lake.overwrite(&key, &file)?;
    Ok(rolled(file.len(), DayState::Rolled))
}

fn read(lake: &Lake, lines: &[String]) -> Result<Vec<Load>> {
    let mut loads = Vec::with_capacity(lines.len());
    for some in lines.chunks(AT_ONCE) {
        for (key, found) in some.iter().zip(lake.storage().get_all(some)?) {
            let wrong = |what: String| Error::new(Code::LakeDamaged, format!("{key} {what}"));
            let found = found.ok_or_else(|| wrong("went while it was read".into()))?;
            let load = serde_json::from_slice(&found.bytes);
            loads.push(load.map_err(|error| wrong(format!("cannot be read: {error}")))?);
        }
    }
    Ok(loads)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lake::to_json;

    /// A day as JSON, which is enough to see what is in it.
    struct Json;

    impl DayFormat for Json {
        fn file(&self, loads: &[Load]) -> Result<Vec<u8>> {
            to_json(&loads)
        }

        fn loads(&self, file: &[u8]) -> Option<u64> {
            serde_json::from_slice::<Vec<Load>>(file).ok().map(|loads| loads.len() as u64)
        }
    }

    fn put(lake: &Lake, pipeline: &str, at: &str, source: &str) {
        let load = Load {
            pipeline: pipeline.into(),
            source: source.into(),
            committed: at.into(),
            ..Load::default()
        };
        lake.overwrite(&keys::load_key(pipeline, at, source, 1), &to_json(&load).unwrap()).unwrap();
    }

    fn told(days: &[RolledDay]) -> Vec<(&str, &str, u64, DayState)> {
        days.iter().map(|day| (&*day.pipeline, &*day.day, day.loads, day.state)).collect()
    }

    #[test]
    fn closed_days_are_rolled_once_and_the_lines_stay() {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::local(folder.path()).unwrap();
        assert_eq!(roll_days(&lake, "2025-01-03", true, &Json).unwrap(), []);
        put(&lake, "a", "2025-01-01T00:00:01.000Z", "x");
        put(&lake, "a", "2025-01-01T00:00:02.000Z", "y");
        put(&lake, "a", "2025-01-02T00:00:00.000Z", "z");
        put(&lake, "b", "2025-01-01T23:59:59.999Z", "x");
        put(&lake, "a", "2025-01-03T00:00:00.000Z", "open");
        let lines = lake.storage().list(keys::LOADS).unwrap();
        let due = roll_days(&lake, "2025-01-03", false, &Json).unwrap();
        let days = [("a", "2025-01-01", 2), ("a", "2025-01-02", 1), ("b", "2025-01-01", 1)];
        let all = |state| days.map(|(pipeline, day, loads)| (pipeline, day, loads, state)).to_vec();
        assert_eq!(told(&due), all(DayState::Due));
        assert_eq!(lake.storage().list(keys::HISTORY).unwrap(), []);
        assert_eq!(told(&roll_days(&lake, "2025-01-03", true, &Json).unwrap()), all(DayState::Rolled));
        assert_eq!(told(&roll_days(&lake, "2025-01-03", true, &Json).unwrap()), all(DayState::There));
        assert_eq!(lake.storage().list(keys::LOADS).unwrap(), lines, "they are the done marks");
        let file = lake.storage().get(&keys::rolled_key("a", "2025-01-01")).unwrap().unwrap();
        let sources: Vec<String> = serde_json::from_slice::<Vec<Load>>(&file.bytes)
            .unwrap()
            .into_iter()
            .map(|load| load.source)
            .collect();
        assert_eq!(sources, ["y", "x"], "the newest first, as the lines");
    }

    #[test]
    fn a_late_line_and_a_damaged_file_make_the_day_anew() {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::local(folder.path()).unwrap();
        let state = || roll_days(&lake, "2025-01-02", true, &Json).unwrap()[0].state;
        put(&lake, "a", "2025-01-01T00:00:01.000Z", "x");
        assert_eq!((state(), state()), (DayState::Rolled, DayState::There));
        put(&lake, "a", "2025-01-01T00:00:00.000Z", "late");
        assert_eq!((state(), state()), (DayState::Rolled, DayState::There));
        lake.overwrite(&keys::rolled_key("a", "2025-01-01"), b"half of").unwrap();
        assert_eq!((state(), state()), (DayState::Rolled, DayState::There));
        lake.overwrite(&keys::load_key("a", "2025-01-01T00:00:03.000Z", "w", 1), b"{").unwrap();
        let error = roll_days(&lake, "2025-01-02", true, &Json).unwrap_err();
        assert_eq!(error.code(), Code::LakeDamaged);
    }
}

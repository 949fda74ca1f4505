//! A Glue crawler that makes the tables: started after each commit or as part files arrive, and once more where it was
//! running.
//!
//! Not for what the crawler looks at. Decisions to know:
//!
//! * A run that began after the files were published sees them, whoever started it. A run that began before may have
//!   passed their folder already, so there must be another.
//! * There is no server here to wait for the end of a run. If the pipeline waits (`wait`), this process does, and
//!   starts the next run itself. Otherwise it leaves a mark in the lake (see [`crawler_key`]): the next
//!   commit's start clears it, and [`catch_up`] starts the crawler for it, as the event that a run has ended
//!   ("Glue Crawler State Change", by an EventBridge rule that invokes the function) asks for.
//! * Where the arrival of part files starts it, whoever publishes only looks ([`watch`]), and never asks for a run. Many
//!   files that arrive while it runs set one mark, and so cost one more run.
//! * The mark is changed by compare-and-swap only, and has other bytes each time it is set: a start clears exactly the
//!   marks that were set before it.

use std::time::{Duration, Instant};

use aws_sdk_glue::types::{CrawlerState, LastCrawlStatus};
use serde::{Deserialize, Serialize};

use crate::catalog::refusal;
use crate::client::{Aws, Fault};
use lakegate_base::time::rfc3339;
use lakegate_base::{Code, Error, Result};
use lakegate_config::{Catalog, Pipeline, Wait};
use lakegate_lake::keys::crawler_key;
use lakegate_lake::lake::{Lake, to_json};
use lakegate_lake::record::CommitRecord;
use lakegate_lake::source::now_ms;

/// Between two looks at a crawler; a run takes a minute or more, and looks are throttled per account.
const FIRST_LOOK: Duration = Duration::from_secs(1);
const LAST_LOOK: Duration = Duration::from_secs(15);
/// Where there is no deadline; as long as an invocation can last.
const LONGEST_WAIT: Duration = Duration::from_secs(900);
/// Kept free for the notice and the done mark.
const AFTER: Duration = Duration::from_secs(5);
/// How exact the service tells for how long a run has been going on.
const COARSE: Duration = Duration::from_secs(2);
/// Swaps of the mark that somebody else may win in a row.
const SWAPS: u32 = 32;

/// Which run of a crawler will have seen a commit's files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Run {
    /// The one started now.
    Started,
    /// One that somebody else started after the files were published.
    Joined,
    /// The one after the present one; a mark in the lake asks for it.
    #[default]
    Again,
    /// One that somebody else is to start: a state machine, or the event that the files arrived.
    Left,
}

/// What came of a crawler.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Crawled {
    /// Its name.
    pub crawler: String,
    /// Which run counts.
    pub run: Run,
    /// Whether that run has ended: what was committed can be queried.
    pub ready: bool,
}

/// Starts the crawler for a commit that is published, and waits as configured.
pub(super) fn crawl(
    aws: &Aws,
    lake: &Lake,
    record: &CommitRecord,
    crawler: &str,
    wait: Wait,
) -> Result<Crawled> {
    let (published, until) = (Instant::now(), Instant::now() + budget(aws, wait));
    let crawler = Crawler { aws, name: crawler };
    let mut crawled = Crawled { crawler: crawler.name.into(), run: Run::Started, ready: false };
    loop {
        if crawler.start_marked(lake)? {
            break;
        }
        let seen = crawler.look()?;
        if seen.running && seen.elapsed > Duration::ZERO && seen.elapsed + COARSE < published.elapsed() {
            crawled.run = Run::Joined;
            break;
        }
        if crawler.end(until)? == End::Late {
            Mark::set(lake, crawler.name, &by(record))?;
            // The run may have ended before the mark was there, and its end be told by now.
            if crawler.start_marked(lake)? {
                break;
            }
            return Ok(Crawled { run: Run::Again, ..crawled });
        }
    }
    if wait != Wait::No {
        crawled.ready = crawler.end(until)?.ended_well(crawler.name)?;
    }
    Ok(crawled)
}

/// For a commit that is published, and whose part files start the crawler as they arrive: waits as configured until a
/// run has ended that began since.
pub(super) fn watch(aws: &Aws, crawler: &str, wait: Wait) -> Result<Crawled> {
    let (published_ms, until) = (now_ms(), Instant::now() + budget(aws, wait));
    let crawler = Crawler { aws, name: crawler };
    let mut crawled = Crawled { crawler: crawler.name.into(), run: Run::Left, ready: false };
    if wait != Wait::No {
        let first = crawler.look()?;
        let through = crawler.look_until(until, |seen| seen.has_run_since(&first, published_ms))?;
        crawled.ready = End::of(through).ended_well(crawler.name)?;
    }
    Ok(crawled)
}

/// Starts the crawler for part files that arrived; where it runs, a mark asks for another run.
///
/// # Errors
/// The lake's or the service's.
pub fn arrived(aws: &Aws, lake: &Lake, crawler: &str) -> Result<Crawled> {
    let (name, crawler) = (crawler, Crawler { aws, name: crawler });
    let mut started = crawler.start_marked(lake)?;
    if !started {
        Mark::set(lake, name, "arrival")?;
        // Its run may have ended before the mark was there, and its end be told by now.
        started = crawler.start_marked(lake)?;
    }
    let run = if started { Run::Started } else { Run::Again };
    Ok(Crawled { crawler: name.into(), run, ready: false })
}

/// Which run of Lakegate asks for another one of the crawler.
fn by(record: &CommitRecord) -> String {
    format!("{} {}", record.run, record.generation)
}

/// Starts the crawler if a commit asked for another run of it and none was started since; for the event that
/// a run has ended. `None` where nobody asked.
///
/// # Errors
/// The lake's or the service's.
pub fn catch_up(aws: &Aws, pipeline: &Pipeline, lake: &Lake) -> Result<Option<Crawled>> {
    let Catalog::Crawler { crawler: name, .. } = &pipeline.catalog else { return Ok(None) };
    if !Mark::read(lake, name)?.again {
        return Ok(None);
    }
    let started = Crawler { aws, name }.start_marked(lake)?;
    let run = if started { Run::Started } else { Run::Again };
    Ok(Some(Crawled { crawler: name.clone(), run, ready: false }))
}

fn budget(aws: &Aws, wait: Wait) -> Duration {
    let most = match wait {
        Wait::No => return Duration::ZERO,
        Wait::WhileTimeLasts => LONGEST_WAIT,
        Wait::Seconds(seconds) => Duration::from_secs(seconds.into()),
    };
    aws.time_left().map_or(most, |left| most.min(left.saturating_sub(AFTER)))
}

struct Crawler<'a> {
    aws: &'a Aws,
    name: &'a str,
}

struct Seen {
    running: bool,
    elapsed: Duration,
    /// Why the last run came to nothing.
    failed: Option<String>,
    /// When the last run that has ended began, in milliseconds since 1970-01-01 UTC.
    last_began: Option<i64>,
}

impl Seen {
    /// Whether a run has ended that began after a moment. `first` was seen right after it: whatever run came to be known
    /// since a crawler was at rest then began later, however coarse the service's times are. Of one that ran, only its
    /// times tell; in doubt it began before.
    fn has_run_since(&self, first: &Self, moment_ms: i64) -> bool {
        let Some(began) = self.last_began.filter(|_| !self.running) else { return false };
        began >= moment_ms || (!first.running && self.last_began != first.last_began)
    }
}

/// How waiting for a run ended.
#[derive(PartialEq, Eq)]
enum End {
    /// It is running still.
    Late,
    Good,
    Failed(String),
}

impl End {
    fn of(seen: Option<Seen>) -> Self {
        seen.map_or(Self::Late, |seen| seen.failed.map_or(Self::Good, Self::Failed))
    }

    /// Whether it has ended, and well.
    fn ended_well(self, crawler: &str) -> Result<bool> {
        match self {
            Self::Late => Ok(false),
            Self::Good => Ok(true),
            Self::Failed(why) => {
                let message = format!("the crawler {crawler} failed: {why}");
                Err(Error::new(Code::CrawlerFailed, message)
                    .with_hint("the files are published; mend the crawler or its role, then start it"))
            }
        }
    }
}

impl Crawler<'_> {
    /// Starts it and clears the mark, if there is one; false if it is running.
    fn start_marked(&self, lake: &Lake) -> Result<bool> {
        let mark = Mark::read(lake, self.name)?;
        let started = self.start()?;
        if started {
            mark.clear(lake)?;
        }
        Ok(started)
    }

    /// False if it is running.
    fn start(&self) -> Result<bool> {
        let call = self.aws.glue().start_crawler().name(self.name);
        let call = async {
            match call.send().await {
                Err(error)
                    if error.as_service_error().is_some_and(|error| error.is_crawler_running_exception()) =>
                {
                    Ok(false)
                }
                answer => answer.map(|_| true),
            }
        };
        match self.aws.wait(self.aws.ask("glue:StartCrawler", self.name, call)) {
            // It is stopping, or somebody edits it: as good as running.
            Err(error) if error.fault == Fault::Conflict => Ok(false),
            answer => answer.map_err(|error| refusal::of_crawler(self.aws, &error, self.name)),
        }
    }

    fn look(&self) -> Result<Seen> {
        let call = self.aws.glue().get_crawler().name(self.name).send();
        let answer = self.aws.wait(self.aws.ask("glue:GetCrawler", self.name, call));
        let answer = answer.map_err(|error| refusal::of_crawler(self.aws, &error, self.name))?;
        let crawler = answer.crawler();
        let state = crawler.and_then(|crawler| crawler.state());
        let elapsed = crawler.map_or(0, |crawler| crawler.crawl_elapsed_time());
        let last = crawler.and_then(|crawler| crawler.last_crawl());
        let failed = last.filter(|last| last.status() == Some(&LastCrawlStatus::Failed)).map(|last| {
            let said = last.error_message().unwrap_or("no message");
            let log = (last.log_group().unwrap_or_default(), last.log_stream().unwrap_or_default());
            format!("{said} (log {} {})", log.0, log.1)
        });
        Ok(Seen {
            running: state.is_some_and(|state| *state != CrawlerState::Ready),
            elapsed: Duration::from_millis(u64::try_from(elapsed).unwrap_or_default()),
            failed,
            last_began: last.and_then(|last| last.start_time()?.to_millis().ok()),
        })
    }

    /// Waits until it is ready, at most until `until`.
    fn end(&self, until: Instant) -> Result<End> {
        self.look_until(until, |seen| !seen.running).map(End::of)
    }

    /// Looks until it is seen as it should be; `None` where `until` comes first.
    fn look_until(&self, until: Instant, is_so: impl Fn(&Seen) -> bool) -> Result<Option<Seen>> {
        let mut pause = FIRST_LOOK;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            std::thread::sleep(pause.min(left));
            pause = pause.mul_f64(1.5).min(LAST_LOOK);
            let seen = self.look()?;
            if is_so(&seen) {
                return Ok(Some(seen));
            }
        }
    }
}

/// Whether somebody asks for another run.
#[derive(Default)]
struct Mark {
    key: String,
    tag: Option<String>,
    again: bool,
}

#[derive(Serialize, Deserialize)]
struct MarkText {
    version: u32,
    crawler: String,
    again: bool,
    /// The run of Lakegate that asks, or `arrival`, and when.
    #[serde(default)]
    by: String,
    at: String,
}

impl Mark {
    fn read(lake: &Lake, crawler: &str) -> Result<Self> {
        let key = crawler_key(crawler);
        let Some(found) = lake.storage().get(&key)? else { return Ok(Self { key, ..Self::default() }) };
        // One run too many costs little; one that is missing hides rows.
        let again = serde_json::from_slice::<MarkText>(&found.bytes).map_or(true, |text| text.again);
        Ok(Self { key, tag: Some(found.tag), again })
    }

    /// Of a mark that was read before the crawler was started. One that was set since stays.
    fn clear(&self, lake: &Lake) -> Result<()> {
        if self.again {
            let text = MarkText {
                version: 1,
                crawler: String::new(),
                again: false,
                by: String::new(),
                at: rfc3339(now_ms()),
            };
            lake.storage().replace_if_unchanged(&self.key, &to_json(&text)?, self.tag.as_deref())?;
        }
        Ok(())
    }

    fn set(lake: &Lake, crawler: &str, by: &str) -> Result<()> {
        let first = Self::read(lake, crawler)?;
        let mut tag = first.tag.clone();
        for _ in 0..SWAPS {
            let text = MarkText {
                version: 1,
                crawler: crawler.into(),
                again: true,
                by: by.into(),
                at: rfc3339(now_ms()),
            };
            if lake.storage().replace_if_unchanged(&first.key, &to_json(&text)?, tag.as_deref())? {
                return Ok(());
            }
            let now = Self::read(lake, crawler)?;
            // Set by another since this one looked: the start that clears it comes after both.
            if now.again && now.tag != first.tag {
                return Ok(());
            }
            tag = now.tag;
        }
        Err(Error::new(Code::CatalogBusy, format!("the mark {} is being changed by too many", first.key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lake() -> (tempfile::TempDir, Lake) {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::local(&folder.path().join("lake")).unwrap();
        (folder, lake)
    }

    #[test]
    fn a_start_clears_what_was_asked_before_it() {
        let (_folder, lake) = lake();
        assert!(!Mark::read(&lake, "c").unwrap().again);
        Mark::set(&lake, "c", "a").unwrap();
        let before = Mark::read(&lake, "c").unwrap();
        assert!(before.again);
        before.clear(&lake).unwrap();
        assert!(!Mark::read(&lake, "c").unwrap().again);
        assert!(!Mark::read(&lake, "d").unwrap().again);
    }

    #[test]
    fn a_mark_set_after_the_start_outlives_it() {
        let (_folder, lake) = lake();
        Mark::set(&lake, "c", "a").unwrap();
        let before = Mark::read(&lake, "c").unwrap();
        Mark::set(&lake, "c", "b").unwrap();
        before.clear(&lake).unwrap();
        assert!(Mark::read(&lake, "c").unwrap().again);
    }

    #[test]
    fn many_may_ask_at_once() {
        let (_folder, lake) = lake();
        std::thread::scope(|scope| {
            for number in 0..8 {
                let lake = &lake;
                scope.spawn(move || Mark::set(lake, "c", &number.to_string()).unwrap());
            }
        });
        assert!(Mark::read(&lake, "c").unwrap().again);
    }

    #[test]
    fn a_mark_that_cannot_be_read_asks() {
        let (_folder, lake) = lake();
        lake.overwrite(&crawler_key("c"), b"{").unwrap();
        assert!(Mark::read(&lake, "c").unwrap().again);
    }

    #[test]
    fn a_run_counts_if_it_began_after_the_moment() {
        let seen = |running: bool, last_began: Option<i64>| Seen {
            running,
            elapsed: Duration::ZERO,
            failed: None,
            last_began,
        };
        // (running at first, last run then, running now, last run now, has one run since 1,000?)
        let cases = [
            (false, None, true, None, false),
            (false, None, false, None, false),
            (false, None, false, Some(1_500), true),
            // The service cut its time to seconds.
            (false, Some(0), false, Some(900), true),
            (false, Some(0), false, Some(0), false),
            (true, Some(0), false, Some(900), false),
            (true, Some(0), true, Some(900), false),
            (true, Some(0), false, Some(1_500), true),
        ];
        for (number, (first, before, now, last, has)) in cases.into_iter().enumerate() {
            let found = seen(now, last).has_run_since(&seen(first, before), 1_000);
            assert_eq!(found, has, "case {number}");
        }
    }

    #[test]
    fn keys_are_plain_and_tell_names_apart() {
        assert!(crawler_key("sales crawler/1").starts_with("_lakegate/crawler/sales_crawler_1-"));
        assert_ne!(crawler_key("a b"), crawler_key("a_b"));
    }
}

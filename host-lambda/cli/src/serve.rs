//! `lakegate serve`: the browser page, and uploads into a lake in a folder, over HTTP on this machine alone.
//!
//! ```text
//! request → guard → page | views | releases | following    answered at once
//!                 → receive → queue → the flow        one upload after the other, on one thread
//! ```
//!
//! Not for other machines: there is no login, so only this machine's own browser may write (`guard`). Decisions
//! to know: an upload that was accepted is durable, with all that it came with, and a server that starts goes on
//! with those that still wait; it takes its place under its raw name when its turn comes, so that each version
//! of a file is taken. The flow is that of `lakegate run` and not a copy of it.

mod again;
mod answer;
mod events;
mod following;
mod guard;
mod listen;
mod page;
mod policy;
mod queue;
mod raw;
mod receive;
mod releases;
mod route;
mod target;
mod views;

use lakegate_base::{Code, Error};
use std::path::PathBuf;

use tokio::sync::Semaphore;

use crate::args::lake::NamedLake;
use crate::args::plans::{Plans, read_spec};
use crate::args::transform::Chosen;
use crate::place::Place;
use crate::taking::Taking;
use lakegate_lake::lake::{Lake, sha256};
use lakegate_lake::run::{Outcome, Progress};

pub use events::Events;
pub use listen::{bind, serve};
pub use page::Page;
pub use policy::check_origin;
use queue::{Queue, Waiting};

/// Uploads that are received at once; more wait. Each holds a thread and a file.
const RECEIVING: usize = 8;

/// What every request and the worker know.
pub struct Server {
    lake: Lake,
    /// Folder of the lake as the person named it.
    folder: PathBuf,
    chosen: Chosen,
    /// The spec of all uploads.
    spec: Option<Place>,
    page: Page,
    /// What happened to the channel.
    events: Events,
    queue: Queue,
    receiving: Semaphore,
}

/// What an upload is told.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    /// The same for all, by a file or a release: texts that may be meant.
    Fixed(Vec<String>),
    /// What each upload brings.
    Own,
}

impl Server {
    /// A server over a lake; `events` are those of the channel that it chose to follow, if it follows one.
    pub fn new(lake: &NamedLake, chosen: Chosen, spec: Option<&Place>, page: Page, events: Events) -> Self {
        let (folder, spec) = (lake.shown.clone(), spec.cloned());
        let lake = lake.lake();
        let queue = Queue::new(lake.clone());
        Self { lake, folder, chosen, spec, page, events, queue, receiving: Semaphore::new(RECEIVING) }
    }

    /// Puts uploads into the queue that wait since an earlier server.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn resume(&self) -> Result<(), Error> {
        self.queue.resume()
    }

    /// Takes uploads one after the other until [`Server::stop`]; `say` gets a line for each. How many still wait.
    pub fn work(&self, say: &dyn Fn(&str)) -> usize {
        self.queue.work(&|waiting, progress| self.take(waiting, progress), say);
        self.queue.left()
    }

    /// Takes nothing more: the worker ends with the upload that it has in hand, the others wait for the next server.
    pub fn stop(&self) {
        self.queue.stop();
    }

    /// The flow of one upload, which has its place in the raw folder.
    fn take(&self, waiting: &Waiting, progress: &mut dyn FnMut(Progress)) -> Result<Outcome, Error> {
        let key = lakegate_lake::keys::raw_key(&waiting.name);
        let name = self.folder.join(&key).display().to_string();
        let source = raw::source_of(&self.lake, waiting).map_err(|error| error.in_file(&*name))?;
        let source = source.promised(waiting.promised.clone());
        self.check_spec(waiting.spec.as_deref())?;
        let plans = self.plans(waiting.spec.as_deref())?;
        let spec = self.spec.as_ref().map(Place::shown);
        let taking = Taking {
            lake: &self.lake,
            folder: &self.folder,
            chosen: &self.chosen,
            plans: &plans,
            spec: spec.as_deref(),
            again: false,
            host: "serve",
        };
        taking.one(&source, &name, progress)
    }

    fn plans(&self, spec: Option<&str>) -> Result<Plans, Error> {
        if self.spec.is_some() {
            return Plans::new(self.spec.as_ref(), None, false);
        }
        let text = match spec {
            Some(digest) => self.kept_spec(digest)?,
            None => String::new(),
        };
        Plans::of_text(text, None, None, false)
    }

    /// The specs that this server prescribes now.
    ///
    /// # Errors
    /// The file of the spec cannot be read.
    fn told(&self) -> Result<Told, Error> {
        if let Some(path) = &self.spec {
            return read_spec(Some(path)).map(|text| Told::Fixed(vec![text]));
        }
        let releases = self.chosen.releases();
        if releases.is_empty() {
            return Ok(Told::Own);
        }
        Ok(Told::Fixed(releases.iter().map(|release| release.spec.clone()).collect()))
    }

    /// Refuses an upload's spec that is unknown, or not the one that this server prescribes.
    ///
    /// # Errors
    /// It is.
    fn check_spec(&self, digest: Option<&str>) -> Result<(), Error> {
        let Some(digest) = digest else { return Ok(()) };
        match self.told()? {
            Told::Own => self.kept_spec(digest).map(drop),
            Told::Fixed(texts) if texts.iter().any(|text| sha256(text.as_bytes()) == digest) => Ok(()),
            Told::Fixed(_) => Err(Error::new(
                Code::SpecDiffers,
                "this server takes all uploads under one spec, and the upload names another",
            )
            .with_hint("load the page again: it shows the spec in use (GET /api/about)")),
        }
    }

    fn kept_spec(&self, digest: &str) -> Result<String, Error> {
        self.lake.spec_text(digest)?.ok_or_else(|| {
            Error::new(Code::SpecUnknown, format!("the lake has no spec {digest}"))
                .with_hint("send its text first: POST /api/specs")
        })
    }
}

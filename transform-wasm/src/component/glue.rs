//! The component's glue: WIT types to the crate's own and back, nothing else.

use std::cell::RefCell;
use std::hint;
use std::marker::PhantomData;
use std::panic;
use std::sync::{Mutex, Once};

use lakegate_model::last_words::LastWords;

use crate::transform::Transform;
use crate::{error, job};

wit_bindgen::generate!({ path: "wit", world: "lakegate-traced", pub_export_macro: true });

use exports::lakegate::transform::trace;
use exports::lakegate::transform::transform as wit;

/// Text of the last panic, for the host to find.
static LAST_WORDS: Mutex<LastWords> = Mutex::new(LastWords::none());

/// From now on a panic leaves its text.
fn keep_last_words() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        panic::set_hook(Box::new(|panic| {
            // Held only where a panic's own text panics.
            if let Ok(mut words) = LAST_WORDS.try_lock() {
                words.keep(panic);
                // Nothing here reads it, which must not make the compiler leave it out.
                hint::black_box(&mut *words);
            }
        }));
    });
}

/// A transform as a component.
pub struct Component<T>(PhantomData<T>);

/// One of its jobs.
pub struct JobResource<T>(RefCell<T>);

/// What a large object takes in any case.
const ROOM: usize = 24 << 20;

impl<T: Transform> wit::Guest for Component<T> {
    type Job = JobResource<T>;

    fn describe() -> wit::Description {
        keep_last_words();
        let description = T::describe();
        wit::Description {
            name: description.name,
            version: description.version,
            spec_version: description.spec_version,
            limits: description.limits,
        }
    }
}

impl<T: Transform> wit::GuestJob for JobResource<T> {
    fn open(options: wit::Options) -> Result<wit::Job, wit::Failure> {
        keep_last_words();
        let options = job::Options {
            spec: options.spec,
            table: options.table,
            contracts: options
                .contracts
                .into_iter()
                .map(|c| job::TableContract { table: c.table, text: c.text })
                .collect(),
            learned: options.learned,
            footer: options.footer,
            source: job::SourceFacts::parse(&options.source).map_err(failure)?,
            final_pass: options.final_,
            propose: options.propose,
        };
        if options.source.is_large() {
            // Grown at once and given back to the allocator: a host can then put it into large pages, which it cannot
            // where memory comes in small steps.
            drop(hint::black_box(Vec::<u8>::with_capacity(ROOM)));
        }
        let job = T::open(options).map_err(failure)?;
        Ok(wit::Job::new(Self(RefCell::new(job))))
    }

    fn push(&self, chunk: Vec<u8>) {
        self.0.borrow_mut().push(chunk);
    }

    fn end(&self) {
        self.0.borrow_mut().end();
    }

    fn step(&self) -> Result<wit::Step, wit::Failure> {
        self.0.borrow_mut().step().map(step).map_err(failure)
    }
}

impl<T: Transform> trace::Guest for Component<T> {
    fn start(job: wit::JobBorrow<'_>) {
        job.get::<JobResource<T>>().0.borrow_mut().trace();
    }

    fn take(job: wit::JobBorrow<'_>, part: u32) -> Vec<u8> {
        job.get::<JobResource<T>>().0.borrow_mut().take_trace(part)
    }
}

fn step(step: job::Step) -> wit::Step {
    match step {
        job::Step::NeedInput => wit::Step::NeedInput,
        job::Step::Working => wit::Step::Working,
        job::Step::PartOpened { id, table, partition } => {
            wit::Step::PartOpened(wit::PartOpened { id, table, partition })
        }
        job::Step::PartBytes { id, bytes } => wit::Step::PartBytes(wit::PartBytes { id, bytes }),
        job::Step::PartClosed { id, rows, bytes } => {
            wit::Step::PartClosed(wit::PartClosed { id, rows, bytes })
        }
        job::Step::Quarantine(lines) => wit::Step::QuarantineBytes(lines),
        job::Step::Widen(widened) => wit::Step::Widen(wit::Widened {
            contracts: widened
                .contracts
                .into_iter()
                .map(|c| wit::TableContract { table: c.table, text: c.text })
                .collect(),
            spec: widened.spec,
            learned: widened.learned,
            report: widened.report,
        }),
        job::Step::Done(report) => wit::Step::Done(report),
    }
}

fn failure(failure: error::Failure) -> wit::Failure {
    let place = failure.place;
    wit::Failure {
        fault: match failure.fault {
            error::Fault::Input => wit::Fault::Input,
            error::Fault::Spec => wit::Fault::Spec,
            error::Fault::Limit => wit::Fault::Limit,
            error::Fault::Internal => wit::Fault::Internal,
        },
        code: failure.code.into(),
        message: failure.message,
        hint: failure.hint,
        place: wit::Place {
            line: place.line,
            column: place.column,
            offset: place.offset,
            record_number: place.record,
            path: place.path,
        },
    }
}

/// The component that ships.
#[cfg(feature = "component")]
type Shipped = Component<job::Job>;
#[cfg(feature = "component")]
export!(Shipped with_types_in self);

//! A thread of its own for a guest that nothing can stop from outside.
//!
//! For: the component that this build carries, whose code has no checks for a deadline in its loops: it is as trusted as
//! the host that it is linked into, and those checks cost a sixth of its time. Not for anybody else's. Decisions to know:
//!
//! * A deadline is kept by whoever waits. Between calls it ends a job as every other guest's does; inside of one it
//!   leaves the thread behind, with all that the guest has, since taking memory away from running code is not safe.
//! * A thread that was left behind is a bug of ours and takes a processor for itself: the process should be replaced, see
//!   [`runaways`].

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crate::error::SandboxError;
use lakegate_base::Result;

/// Stack of the thread: wasmtime gives the guest 512 KiB of it.
const STACK_BYTES: usize = 4 << 20;

static RUNAWAYS: AtomicU64 = AtomicU64::new(0);

/// Guests of this process that did not come back from a call. They go on, each on a processor: the process answers what it
/// has begun, begins nothing that can be had elsewhere, and ends.
pub fn runaways() -> u64 {
    RUNAWAYS.load(Ordering::Relaxed)
}

type Task<B> = Box<dyn FnOnce(&mut B) + Send>;

/// A thread that owns a `B` and works on it.
pub(super) struct Apart<B> {
    tasks: Option<Sender<Task<B>>>,
    thread: Option<JoinHandle<()>>,
}

impl<B: Default + 'static> Apart<B> {
    /// # Errors
    /// No thread can be started.
    pub(super) fn start() -> Result<Self> {
        let (tasks, came): (Sender<Task<B>>, Receiver<Task<B>>) = channel();
        let thread = Builder::new().name("lakegate-guest".into()).stack_size(STACK_BYTES).spawn(move || {
            let mut body = B::default();
            while let Ok(task) = came.recv() {
                task(&mut body);
            }
        });
        let thread =
            thread.map_err(|error| SandboxError::Engine(format!("no thread for the guest: {error}")))?;
        Ok(Self { tasks: Some(tasks), thread: Some(thread) })
    }

    /// What a piece of work comes to; `None` if it does not end in time, or at all: the thread is left behind then.
    pub(super) fn within<T: Send + 'static>(
        &mut self,
        time: Duration,
        work: impl FnOnce(&mut B) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = channel();
        let task: Task<B> = Box::new(move |body| {
            // Nobody is left to hear of it.
            let _late = answer.send(work(body));
        });
        self.tasks.as_ref()?.send(task).ok()?;
        match answered.recv_timeout(time) {
            Ok(result) => Some(result),
            Err(RecvTimeoutError::Timeout) => {
                RUNAWAYS.fetch_add(1, Ordering::Relaxed);
                self.tasks = None;
                self.thread = None;
                None
            }
            // The work panicked: its thread has ended.
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    /// Whether the thread was left behind.
    pub(super) fn is_lost(&self) -> bool {
        self.thread.is_none()
    }
}

impl<B> Drop for Apart<B> {
    fn drop(&mut self) {
        self.tasks = None;
        if let Some(thread) = self.thread.take() {
            // What it has is given back before the seat is. One that panicked has nothing left to say.
            let _ended = thread.join();
        }
    }
}

/// Never comes back from a call of this name if `LAKEGATE_SPIN_AT` says so, for tests only: in every build, so that
/// the tests see the very program that ships.
pub(super) fn spin_at(call: &str) {
    static WANTED: OnceLock<Option<String>> = OnceLock::new();
    let wanted = WANTED.get_or_init(|| std::env::var("LAKEGATE_SPIN_AT").ok());
    while wanted.as_deref() == Some(call) {
        std::hint::spin_loop();
    }
}

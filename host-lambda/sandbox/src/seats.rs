//! How many guests there are at once, where memory bounds it.
//!
//! Not for a guest's own limits. Decisions to know:
//!
//! * A seat is held as long as its guest has memory, whatever the guest is for, so that the sum of all guests' limits is
//!   a number that a host can be given.
//! * After a guest that did not come back nobody sits down any more: what waits is told at once, and is taken by the next
//!   process.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::SandboxError;
use lakegate_base::Result;

/// Seats for guests; engines may share them.
#[derive(Debug)]
pub struct Seats {
    free: Mutex<Free>,
    left: Condvar,
}

#[derive(Debug)]
struct Free {
    seats: usize,
    closed: bool,
}

impl Seats {
    /// So many, at least one.
    pub fn new(count: usize) -> Arc<Self> {
        let free = Free { seats: count.max(1), closed: false };
        Arc::new(Self { free: Mutex::new(free), left: Condvar::new() })
    }

    /// Waits for a seat: whoever has one leaves it by its own deadline.
    ///
    /// # Errors
    /// `process_replaced`, of kind passing: a guest did not come back.
    pub(super) fn take(self: &Arc<Self>) -> Result<Seat> {
        let mut free = self.held();
        while free.seats == 0 && !free.closed {
            free = self.left.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        if free.closed {
            return Err(SandboxError::Replaced.into());
        }
        free.seats -= 1;
        Ok(Seat(self.clone()))
    }

    /// Both are changed whole.
    fn held(&self) -> MutexGuard<'_, Free> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A guest's seat, free again when it is dropped.
#[derive(Debug)]
pub(super) struct Seat(Arc<Seats>);

impl Seat {
    /// Its guest does not come back: nobody sits down any more.
    pub(super) fn close(&self) {
        self.0.held().closed = true;
        self.0.left.notify_all();
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.held().seats += 1;
        self.0.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[test]
    fn there_are_never_more_than_seats() {
        let (seats, now, most) = (Seats::new(3), AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    let _seat = seats.take().unwrap();
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(2));
                    now.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(most.into_inner(), 3);
        drop(Seats::new(0).take().unwrap());
    }

    #[test]
    fn nobody_waits_for_a_guest_that_does_not_come_back() {
        let seats = Seats::new(1);
        let seat = seats.take().unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| seats.take().map(drop));
            std::thread::sleep(Duration::from_millis(10));
            seat.close();
            assert_eq!(waiting.join().unwrap().unwrap_err().name(), "process_replaced");
        });
        drop(seat);
        assert_eq!(seats.take().map(drop).unwrap_err().name(), "process_replaced");
    }
}

//! The objects of one event side by side: a small object is little work and many requests that wait for S3.
//!
//! Not for how many guests there are at once, see [`Seats`](lakegate_sandbox::Seats). Decisions to know:
//!
//! * An object takes a share of the host's memory by its size: its bytes, and those that it stages. Whoever needs a
//!   larger one than is free waits, and so do all behind it, so that a large object is not passed by for ever.
//! * Events of one key go on one after the other, as they came.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use tracing::{Span, dispatcher};

use crate::deployed::Deployed;
use crate::deployed::object::Request;
use crate::event::{ObjectAnswer, ObjectRef};
use lakegate_base::Result;

/// Shares there are: as many small objects at once. Each is a thread and a connection; a hundred need two turns.
const SHARES: u32 = 64;
/// Stored bytes that one share is enough for: read whole, they are in memory beside what they become.
const SHARE_BYTES: u64 = 128 << 10;
/// Shares of an object up to a MiB, which is read whole too.
const SEVERAL: u32 = 8;
const SEVERAL_BYTES: u64 = 1 << 20;

/// An object's part of the memory that a host stages in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(u32);

impl Share {
    /// All of it: an object that is taken alone.
    pub const WHOLE: Self = Self(SHARES);

    /// By the size that the event tells; an object of unknown size is taken for a large one.
    fn of(object: &ObjectRef) -> Self {
        match object.size {
            Some(bytes) if bytes <= SHARE_BYTES => Self(1),
            Some(bytes) if bytes <= SEVERAL_BYTES => Self(SEVERAL),
            _ => Self::WHOLE,
        }
    }

    /// This part of so many bytes.
    pub(super) fn of_bytes(self, bytes: usize) -> usize {
        bytes / SHARES as usize * self.0 as usize
    }
}

/// Shares that are free.
struct Lanes {
    free: Mutex<u32>,
    left: Condvar,
}

/// A share in use; given back when it is dropped.
struct Taken<'a>(&'a Lanes, Share);

impl Lanes {
    fn take(&self, share: Share) -> Taken<'_> {
        let mut free = self.held();
        while *free < share.0 {
            free = self.left.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= share.0;
        Taken(self, share)
    }

    /// A number is never half changed.
    fn held(&self) -> MutexGuard<'_, u32> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *self.0.held() += self.1.0;
        self.0.left.notify_all();
    }
}

/// Objects of one key, in the order of their events; each with its place among all.
type OfOneKey<'a> = Vec<(usize, &'a ObjectRef)>;

fn by_key<'a>(objects: &[&'a ObjectRef]) -> Vec<OfOneKey<'a>> {
    let (mut keys, mut places): (Vec<OfOneKey<'a>>, BTreeMap<_, usize>) = (Vec::new(), BTreeMap::new());
    for (at, &object) in objects.iter().enumerate() {
        let place = *places.entry((&object.bucket, &object.key)).or_insert(keys.len());
        match keys.get_mut(place) {
            Some(known) => known.push((at, object)),
            None => keys.push(vec![(at, object)]),
        }
    }
    keys
}

impl Deployed {
    /// Takes all objects, each through its pipeline; the answers in order.
    pub(super) fn side_by_side(
        &self,
        objects: &[&ObjectRef],
        request: &Request,
    ) -> Vec<Result<ObjectAnswer>> {
        let keys = by_key(objects);
        let (here, log) = (Span::current(), dispatcher::get_default(Clone::clone));
        let work = |of_key: &OfOneKey<'_>, share: Share| -> Vec<(usize, Result<ObjectAnswer>)> {
            let request = Request { share, ..request.clone() };
            let take = |&(at, object): &(usize, &ObjectRef)| (at, self.object(object, &request));
            dispatcher::with_default(&log, || here.in_scope(|| of_key.iter().map(take).collect()))
        };
        let mut answers = match &keys[..] {
            [alone] => work(alone, Share::WHOLE),
            _ => in_lanes(&keys, &work),
        };
        answers.sort_by_key(|(at, _)| *at);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }
}

/// Does the work of each key on a thread of its own, as far as there are shares.
fn in_lanes<T: Send>(
    keys: &[OfOneKey<'_>],
    work: &(impl Fn(&OfOneKey<'_>, Share) -> Vec<T> + Sync),
) -> Vec<T> {
    let lanes = Lanes { free: Mutex::new(SHARES), left: Condvar::new() };
    thread::scope(|scope| {
        let (mut running, mut done) = (Vec::new(), Vec::new());
        for of_key in keys {
            let share = of_key.iter().map(|(_, object)| Share::of(object)).max_by_key(|share| share.0);
            let share = share.unwrap_or(Share::WHOLE);
            let taken = lanes.take(share);
            let lane = thread::Builder::new().name("lakegate-object".into());
            let started = lane.spawn_scoped(scope, move || {
                let _taken = taken;
                work(of_key, share)
            });
            match started {
                Ok(thread) => running.push(thread),
                // Without a thread of its own it is done here.
                Err(_) => done.extend(work(of_key, share)),
            }
        }
        for thread in running {
            match thread.join() {
                Ok(came) => done.extend(came),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(key: &str, size: Option<u64>) -> ObjectRef {
        ObjectRef { size, ..ObjectRef::named("raw", key) }
    }

    #[test]
    fn one_key_is_one_lane_in_the_order_of_its_events() {
        let all = [object("a", None), object("b", Some(1)), object("a", Some(2)), object("c", None)];
        let objects: Vec<&ObjectRef> = all.iter().collect();
        let places: Vec<Vec<usize>> =
            by_key(&objects).iter().map(|key| key.iter().map(|(at, _)| *at).collect()).collect();
        assert_eq!(places, [vec![0, 2], vec![1], vec![3]]);
    }

    #[test]
    fn a_share_is_by_size_and_of_the_same_whole() {
        let of = |size| Share::of(&object("a", size)).of_bytes(32 << 20);
        assert_eq!(of(Some(20_000)), 512 << 10);
        assert_eq!(of(Some(1 << 20)), 4 << 20);
        assert_eq!(of(Some(2 << 20)), 32 << 20);
        assert_eq!(of(None), 32 << 20);
    }

    #[test]
    fn a_large_one_waits_for_all_shares() {
        let lanes = Lanes { free: Mutex::new(SHARES), left: Condvar::new() };
        let small = lanes.take(Share(1));
        thread::scope(|scope| {
            let large = scope.spawn(|| drop(lanes.take(Share::WHOLE)));
            thread::sleep(std::time::Duration::from_millis(20));
            assert!(!large.is_finished());
            drop(small);
        });
        assert_eq!(*lanes.held(), SHARES);
    }
}

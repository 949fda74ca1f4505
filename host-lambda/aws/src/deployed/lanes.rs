//! The objects of one event side by side: a small object is little work and many requests that wait for S3.
//!
//! Not for how many guests there are at once, see [`Seats`](lakegate_sandbox::Seats). Decisions to know:
//!
//! * An object takes a share of the host's memory by its size: its bytes, and those that it stages. Whoever needs a
//!   larger one than is free waits, and so do all behind it, so that a large object is not passed by for ever.
//! * Events of one key go on one after the other, as they came.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;

use tokio::sync::Semaphore;
use tracing::{Span, dispatcher};

use crate::client::Aws;
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
            _ => in_lanes(&self.aws, &keys, &work),
        };
        answers.sort_by_key(|(at, _)| *at);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }
}

/// Does the work of each key on a thread of its own, as far as there are shares.
fn in_lanes<T: Send>(
    aws: &Aws,
    keys: &[OfOneKey<'_>],
    work: &(impl Fn(&OfOneKey<'_>, Share) -> Vec<T> + Sync),
) -> Vec<T> {
    let lanes = Arc::new(Semaphore::new(SHARES as usize));
    thread::scope(|scope| {
        let (mut running, mut done) = (Vec::new(), Vec::new());
        for of_key in keys {
            let share = of_key.iter().map(|(_, object)| Share::of(object)).max_by_key(|share| share.0);
            let share = share.unwrap_or(Share::WHOLE);
            // In turn, as tokio's is; it is never closed.
            let taken = aws.wait(lanes.clone().acquire_many_owned(share.0));
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
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::s3::suite::peers::runtime;

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
        let all: Vec<ObjectRef> = (0..9)
            .map(|number| object(&number.to_string(), Some(if number == 4 { 2 << 20 } else { 1 })))
            .collect();
        let objects: Vec<&ObjectRef> = all.iter().collect();
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = |of_key: &OfOneKey<'_>, share: Share| {
            let beside = now.fetch_add(1, Ordering::SeqCst);
            most.fetch_max(beside + 1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(20));
            let left = now.fetch_sub(1, Ordering::SeqCst);
            let alone = beside == 0 && left == 1;
            vec![(of_key[0].0, share == Share::WHOLE && alone)]
        };
        let aws = Aws::of_tests(runtime().handle().clone(), "http://127.0.0.1:9");
        let mut done = in_lanes(&aws, &by_key(&objects), &work);
        done.sort_by_key(|(at, _)| *at);
        assert_eq!(done.iter().map(|(at, _)| *at).collect::<Vec<_>>(), (0..9).collect::<Vec<_>>());
        assert!(done[4].1, "the large one has no other beside it");
        assert!(most.into_inner() > 1, "small ones have");
    }
}

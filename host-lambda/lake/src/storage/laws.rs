//! What every storage must do, as laws: the tests of each backend run them all.
//!
//! For the folder's tests beside it, and those of backends in other crates (feature `laws`). A backend that cannot
//! keep a law says so by name, with its reason; nothing is skipped in silence, and the closing line counts it.
#![allow(clippy::unwrap_used)] // a law that cannot begin has failed

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use crate::storage::{Facts, Fresh, Page, Published, Staged, Storage};

/// A backend with a place of its own.
pub trait Peer {
    /// A storage over the place, as another process would make it.
    fn storage(&self) -> Box<dyn Storage>;

    /// Asserts that nothing staged is left, where the backend can tell.
    fn no_left_overs(&self);
}

/// Hands the names of all laws to a macro, which makes a test of each.
#[macro_export]
macro_rules! storage_laws {
    ($with:ident) => {
        $with!(
            staged_bytes_are_invisible_until_published,
            a_dropped_stage_leaves_nothing,
            a_free_key_is_taken_once,
            put_if_absent_is_won_by_one_of_sixteen,
            only_what_is_unchanged_is_replaced,
            what_is_unchanged_is_not_read_again,
            replace_if_unchanged_loses_no_update,
            a_large_object_is_read_as_it_was_written,
            a_pinned_version_that_changed_is_not_read,
            several_are_published_in_order,
            another_process_publishes,
            racing_stages_of_one_key_leave_one_whole_object,
            an_aborted_stage_vanishes,
            odd_keys_are_listed_as_they_are,
            a_listing_has_no_last_page_at_a_thousand,
            a_page_begins_after_a_key_and_says_whether_there_is_more,
            folders_are_named_without_looking_into_them,
        );
    };
}

/// Above the parts of the tests, and no multiple of anything.
pub const LARGE: usize = (11 << 20) + 12_345;

/// Stages an object, written in odd pieces.
pub fn stage(storage: &dyn Storage, key: &str, bytes: &[u8]) -> Staged {
    let mut stage = storage.stage(key).unwrap();
    // Odd pieces: neither parts nor chunks end where a write does.
    for piece in bytes.chunks(777_777) {
        stage.write(piece).unwrap();
    }
    stage.finish().unwrap()
}

/// Keys of a listing.
pub fn keys(storage: &dyn Storage, prefix: &str) -> Vec<String> {
    storage.list(prefix).unwrap().into_iter().map(|facts| facts.key).collect()
}

/// Bytes that differ everywhere, so that a swapped or repeated range shows.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..length).map(|_| next()).collect()
}

/// The whole of a pinned object.
pub fn read(storage: &dyn Storage, facts: &Facts) -> super::Result<Vec<u8>> {
    let mut chunks = storage.open(facts)?;
    let mut whole = Vec::new();
    loop {
        let chunk = chunks.next()?;
        assert!(chunk.len() <= 1 << 20, "at most what the sandbox takes");
        if chunk.is_empty() {
            return Ok(whole);
        }
        whole.extend_from_slice(chunk);
    }
}

/// See its name.
pub fn staged_bytes_are_invisible_until_published(peer: &dyn Peer) {
    let storage = peer.storage();
    let staged = stage(&*storage, "orders/d=1/a.parquet", b"rows");
    assert_eq!(keys(&*storage, "orders/"), Vec::<String>::new());
    storage.settle(std::slice::from_ref(&staged)).unwrap();
    assert_eq!(storage.publish(&staged).unwrap(), Published::There);
    assert_eq!(storage.publish(&staged).unwrap(), Published::There, "publishing is idempotent");
    assert_eq!(keys(&*storage, "orders/"), ["orders/d=1/a.parquet"]);
    storage.seal(&["orders/d=1/a.parquet".into()]).unwrap();
    storage.delete("orders/d=1/a.parquet").unwrap();
    storage.delete("orders/d=1/a.parquet").unwrap();
    assert_eq!(storage.publish(&staged).unwrap(), Published::Vanished);
    assert_eq!(keys(&*storage, ""), Vec::<String>::new(), "locks are not listed");
}

/// See its name.
pub fn a_dropped_stage_leaves_nothing(peer: &dyn Peer) {
    let storage = peer.storage();
    for bytes in [&b"x"[..], &noise(LARGE, 1)] {
        let mut stage = storage.stage("t/a").unwrap();
        stage.write(bytes).unwrap();
        drop(stage);
        assert_eq!(keys(&*storage, ""), Vec::<String>::new());
    }
    peer.no_left_overs();
}

/// See its name.
pub fn what_is_unchanged_is_not_read_again(peer: &dyn Peer) {
    let storage = peer.storage();
    assert_eq!(storage.get_unless("c/1.json", "").unwrap(), Fresh::Gone);
    assert_eq!(storage.get_unless("c/1.json", "\"0\"").unwrap(), Fresh::Gone);
    assert!(storage.put_if_absent("c/1.json", b"first").unwrap());
    let Fresh::Changed(first) = storage.get_unless("c/1.json", "").unwrap() else { panic!("it is there") };
    assert_eq!(first.bytes, b"first");
    assert_eq!(storage.get_unless("c/1.json", &first.tag).unwrap(), Fresh::Unchanged);
    assert!(storage.replace_if_unchanged("c/1.json", b"second", Some(&first.tag)).unwrap());
    let Fresh::Changed(second) = storage.get_unless("c/1.json", &first.tag).unwrap() else {
        panic!("changed")
    };
    assert_eq!(second.bytes, b"second");
}

/// See its name.
pub fn a_free_key_is_taken_once(peer: &dyn Peer) {
    let storage = peer.storage();
    assert!(storage.stat("c/1.json").unwrap().is_none());
    assert!(storage.get("c/1.json").unwrap().is_none());
    assert!(storage.put_if_absent("c/1.json", b"first").unwrap());
    assert!(!storage.put_if_absent("c/1.json", b"second").unwrap());
    assert!(!storage.put_if_absent("c/1.json", b"first").unwrap(), "the same bytes of somebody else");
    assert_eq!(storage.get("c/1.json").unwrap().unwrap().bytes, b"first");
    assert_eq!(storage.stat("c/1.json").unwrap().unwrap().bytes, 5);
    assert!(storage.put_if_absent("c/empty", b"").unwrap());
    let empty = storage.stat("c/empty").unwrap().unwrap();
    assert_eq!(read(&*storage, &empty).unwrap(), b"");
}

/// See its name.
pub fn put_if_absent_is_won_by_one_of_sixteen(peer: &dyn Peer) {
    let storage = peer.storage();
    for round in 0..5 {
        let key = format!("_lakegate/commits/{round}.json");
        let winners = AtomicU32::new(0);
        thread::scope(|scope| {
            for n in 0..16u8 {
                let (storage, key, winners) = (&storage, &key, &winners);
                scope.spawn(move || {
                    if storage.put_if_absent(key, &[n; 4096]).unwrap() {
                        winners.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(winners.into_inner(), 1);
        let found = storage.get(&key).unwrap().unwrap().bytes;
        assert_eq!(found, vec![found[0]; 4096]);
    }
}

/// See its name.
pub fn only_what_is_unchanged_is_replaced(peer: &dyn Peer) {
    let storage = peer.storage();
    assert!(!storage.replace_if_unchanged("h", b"0", Some("\"00000000000000000000000000000000\"")).unwrap());
    assert!(storage.replace_if_unchanged("h", b"1", None).unwrap());
    assert!(!storage.replace_if_unchanged("h", b"2", None).unwrap());
    let first = storage.get("h").unwrap().unwrap();
    assert!(storage.replace_if_unchanged("h", b"2", Some(&first.tag)).unwrap());
    assert!(!storage.replace_if_unchanged("h", b"3", Some(&first.tag)).unwrap());
    assert_eq!(storage.get("h").unwrap().unwrap().bytes, b"2");
}

/// See its name.
pub fn replace_if_unchanged_loses_no_update(peer: &dyn Peer) {
    let storage = peer.storage();
    let add_one = || loop {
        let now = storage.get("counter").unwrap();
        let text = now.as_ref().map_or("0".into(), |t| String::from_utf8(t.bytes.clone()).unwrap());
        let next = (text.parse::<u32>().unwrap() + 1).to_string();
        let tag = now.map(|tagged| tagged.tag);
        if storage.replace_if_unchanged("counter", next.as_bytes(), tag.as_deref()).unwrap() {
            break;
        }
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..5).for_each(|_| add_one()));
        }
    });
    assert_eq!(storage.get("counter").unwrap().unwrap().bytes, b"20");
}

/// See its name.
pub fn a_large_object_is_read_as_it_was_written(peer: &dyn Peer) {
    let storage = peer.storage();
    let bytes = noise(LARGE, 2);
    let staged = stage(&*storage, "in/large", &bytes);
    assert_eq!(staged.bytes, bytes.len() as u64);
    assert_eq!(storage.publish(&staged).unwrap(), Published::There);
    let facts = storage.stat("in/large").unwrap().unwrap();
    assert_eq!(facts.bytes, bytes.len() as u64);
    assert!(facts.modified_ms > 1_700_000_000_000, "milliseconds since 1970");
    assert!(read(&*storage, &facts).unwrap() == bytes);
    assert!(storage.get("in/large").unwrap().unwrap().bytes == bytes);
}

/// See its name.
pub fn a_pinned_version_that_changed_is_not_read(peer: &dyn Peer) {
    let storage = peer.storage();
    assert!(storage.put_if_absent("in.json", &noise(3 << 20, 3)).unwrap());
    let facts = storage.stat("in.json").unwrap().unwrap();
    assert_eq!(read(&*storage, &facts).unwrap().len(), 3 << 20);
    let tag = storage.get("in.json").unwrap().unwrap().tag;
    assert!(storage.replace_if_unchanged("in.json", &noise(3 << 20, 4), Some(&tag)).unwrap());
    let error = read(&*storage, &facts).unwrap_err();
    assert_eq!(error.code().name(), "source_changed", "{error}");
    storage.delete("in.json").unwrap();
    assert_eq!(read(&*storage, &facts).unwrap_err().code().name(), "source_changed");
}

/// See its name.
pub fn several_are_published_in_order(peer: &dyn Peer) {
    let storage = peer.storage();
    let mut staged: Vec<_> =
        (0..40).map(|n| stage(&*storage, &format!("t/d={n:02}/a"), &noise(1000 + n, n as u64))).collect();
    let gone = Staged { key: "t/gone".into(), ..staged[7].clone() };
    storage.abort(&gone.token).unwrap();
    staged[7] = gone;
    let answers = storage.publish_all(&staged).unwrap();
    assert_eq!(answers.iter().position(|answer| *answer == Published::Vanished), Some(7));
    assert_eq!(answers.iter().filter(|answer| **answer == Published::There).count(), 39);
    let found: Vec<u64> = storage.list("t/").unwrap().iter().map(|facts| facts.bytes).collect();
    assert_eq!(found, (1000..1040).filter(|bytes| *bytes != 1007).collect::<Vec<_>>());
}

/// See its name.
pub fn another_process_publishes(peer: &dyn Peer) {
    let (one, other) = (peer.storage(), peer.storage());
    let bytes = noise(LARGE, 5);
    let staged = stage(&*one, "t/d=1/a.parquet", &bytes);
    assert_eq!(other.publish(&staged).unwrap(), Published::There);
    assert!(one.get("t/d=1/a.parquet").unwrap().unwrap().bytes == bytes);
    assert_eq!(one.publish(&staged).unwrap(), Published::There, "the process that staged comes late");
    let small = stage(&*one, "t/d=1/b.parquet", b"rows");
    // In memory it is the maker's alone; both answers are lawful, and there is no third.
    match other.publish(&small).unwrap() {
        Published::There => {}
        Published::Vanished => assert_eq!(one.publish(&small).unwrap(), Published::There),
    }
    assert_eq!(other.publish(&small).unwrap(), Published::There);
    assert_eq!(other.get("t/d=1/b.parquet").unwrap().unwrap().bytes, b"rows");
}

/// See its name.
pub fn racing_stages_of_one_key_leave_one_whole_object(peer: &dyn Peer) {
    let storage = peer.storage();
    let inputs: Vec<_> = (0..4).map(|n| noise(LARGE + n, 10 + n as u64)).collect();
    thread::scope(|scope| {
        for bytes in &inputs {
            let storage = &storage;
            scope.spawn(move || {
                let staged = stage(&**storage, "t/one", bytes);
                assert_eq!(storage.publish(&staged).unwrap(), Published::There);
            });
        }
    });
    let found = storage.get("t/one").unwrap().unwrap().bytes;
    assert!(inputs.contains(&found), "one of them, whole");
    peer.no_left_overs();
}

/// See its name.
pub fn an_aborted_stage_vanishes(peer: &dyn Peer) {
    let storage = peer.storage();
    for bytes in [&b"rows"[..], &noise(LARGE, 6)] {
        let staged = stage(&*storage, "t/a", bytes);
        storage.abort(&staged.token).unwrap();
        storage.abort(&staged.token).unwrap();
        assert_eq!(storage.publish(&staged).unwrap(), Published::Vanished);
        assert!(storage.stat("t/a").unwrap().is_none());
    }
    peer.no_left_overs();
}

/// See its name.
pub fn odd_keys_are_listed_as_they_are(peer: &dyn Peer) {
    let storage = peer.storage();
    let mut expected = vec!["t/a b+c=d%41&e.txt", "t/d=1%2F2/x.parquet", "t/é/ü.txt", "u/x"];
    for key in &expected {
        assert!(storage.put_if_absent(key, b"x").unwrap());
    }
    assert_eq!(keys(&*storage, ""), expected);
    expected.pop();
    assert_eq!(keys(&*storage, "t/"), expected);
    assert_eq!(keys(&*storage, "none/"), Vec::<String>::new());
    for facts in storage.list("t/").unwrap() {
        assert_eq!(read(&*storage, &facts).unwrap(), b"x", "{}: what is listed can be opened", facts.key);
    }
}

/// See its name.
pub fn a_listing_has_no_last_page_at_a_thousand(peer: &dyn Peer) {
    let storage = peer.storage();
    let expected: Vec<String> = (0..1007).map(|n| format!("p/{n:05}")).collect();
    thread::scope(|scope| {
        for share in expected.chunks(130) {
            let storage = &storage;
            scope.spawn(move || {
                share.iter().for_each(|key| assert!(storage.put_if_absent(key, b"").unwrap()));
            });
        }
    });
    assert_eq!(keys(&*storage, "p/"), expected);
}

/// A page is what comes after a key, and no more than was asked for.
pub fn a_page_begins_after_a_key_and_says_whether_there_is_more(peer: &dyn Peer) {
    let storage = peer.storage();
    // `-` and `.` come before the slash, digits after it.
    let all = ["p/a-b", "p/a.json", "p/a/1/x", "p/a/2", "p/a0", "p/b/c/d/e", "p/z", "q/a"];
    for key in all {
        assert!(storage.put_if_absent(key, b"x").unwrap());
    }
    let of_p = &all[..7];
    for start in 0..=of_p.len() {
        for limit in 1..=8 {
            let after = start.checked_sub(1).map(|last| of_p[last]);
            let page = storage.list_page("p/", after, limit).unwrap();
            let found: Vec<&str> = page.found.iter().map(|facts| facts.key.as_str()).collect();
            let expected = &of_p[start..(start + limit).min(of_p.len())];
            assert_eq!(
                (found.as_slice(), page.more),
                (expected, start + limit < of_p.len()),
                "{after:?} {limit}"
            );
            assert!(page.found.iter().all(|facts| facts.bytes == 1));
        }
    }
    // A key that is not there is a place like any other; none is below a prefix that comes before it.
    let page = storage.list_page("p/", Some("p/a/"), 2).unwrap();
    assert_eq!(page.found.iter().map(|facts| &*facts.key).collect::<Vec<_>>(), ["p/a/1/x", "p/a/2"]);
    assert_eq!(storage.list_page("none/", None, 2).unwrap(), Page::default());
    assert_eq!(storage.list_page("p/", Some("p/zz"), 2).unwrap(), Page::default());
}

/// Folders are what lies between a prefix and the next slash.
pub fn folders_are_named_without_looking_into_them(peer: &dyn Peer) {
    let storage = peer.storage();
    for key in ["p/day=2/x", "p/day=1/a/b", "p/day=1/y", "p/file", "q/x"] {
        assert!(storage.put_if_absent(key, b"x").unwrap());
    }
    assert_eq!(storage.folders("p/").unwrap(), ["day=1", "day=2"]);
    assert_eq!(storage.folders("p/day=1/").unwrap(), ["a"]);
    assert_eq!(storage.folders("none/").unwrap(), Vec::<String>::new());
}

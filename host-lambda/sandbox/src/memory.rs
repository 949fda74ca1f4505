//! Linear memory in large pages, for guests that will use much of it.
//!
//! For: the objects whose guest touches tens of MiB, each page of which is a fault: a tenth of their time. Not for small
//! ones, which touch a little of many large pages, and each is zeroed whole. Decisions to know:
//!
//! * Only the kernel's advice differs from what wasmtime would map itself: address space is reserved with its guard, and
//!   what a guest has grown to is readable and writable, to the byte.
//! * A kernel that knows no large pages, or gives none, is no reason to fail.

use std::cell::Cell;
use std::ptr::{NonNull, null_mut};

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};
use wasmtime::{LinearMemory, MemoryCreator, MemoryType, Result};

/// A large page of x86_64 and of most kernels for arm64; where it is another, the advice is worth less.
const LARGE: usize = 2 << 20;

thread_local! {
    /// Whether the guest that this thread starts is to have large pages: wasmtime asks for memory on the way.
    static WANTED: Cell<bool> = const { Cell::new(false) };
}

/// Starts a guest whose memory is in large pages, or not.
pub(super) fn in_large_pages<T>(wanted: bool, start: impl FnOnce() -> T) -> T {
    WANTED.set(wanted);
    let started = start();
    WANTED.set(false);
    started
}

/// No swap is kept for what is only reserved, where a kernel can be told so.
#[cfg(target_os = "linux")]
const FLAGS: MapFlags = MapFlags::PRIVATE.union(MapFlags::NORESERVE);
#[cfg(not(target_os = "linux"))]
const FLAGS: MapFlags = MapFlags::PRIVATE;

/// Asks for large pages.
#[cfg(target_os = "linux")]
fn advise(base: NonNull<u8>, bytes: usize) {
    // SAFETY: within the mapping; advice changes no byte.
    let _as_it_is =
        unsafe { rustix::mm::madvise(base.as_ptr().cast(), bytes, rustix::mm::Advice::LinuxHugepage) };
}

/// Other kernels choose by themselves.
#[cfg(not(target_os = "linux"))]
fn advise(_: NonNull<u8>, _: usize) {}

/// Makes memories.
pub(super) struct Memories;

/// Reserved address space, the front of which is in use.
struct Reserved {
    base: NonNull<u8>,
    /// Of the whole mapping, guard included.
    whole: (NonNull<u8>, usize),
    size: usize,
    capacity: usize,
}

// SAFETY: plain address space, which any thread may use; whoever uses it is wasmtime's to order.
unsafe impl Send for Reserved {}
// SAFETY: as above.
unsafe impl Sync for Reserved {}

// SAFETY: zeroed, at one place for good, `reserved` and `guard` bytes of it mapped without access beyond what has grown.
unsafe impl MemoryCreator for Memories {
    fn new_memory(
        &self,
        _: MemoryType,
        minimum: usize,
        maximum: Option<usize>,
        reserved: Option<usize>,
        guard: usize,
    ) -> std::result::Result<Box<dyn LinearMemory>, String> {
        let capacity = reserved.or(maximum).unwrap_or(minimum).max(minimum);
        let length = capacity
            .checked_add(guard)
            .and_then(|bytes| bytes.checked_add(LARGE))
            .ok_or_else(|| "a memory is larger than all there is".to_owned())?;
        // SAFETY: a new mapping, wherever the kernel puts it.
        let mapped = unsafe { mmap_anonymous(null_mut(), length, ProtFlags::empty(), FLAGS) };
        let mapped = mapped.map_err(|error| format!("no address space for a memory: {error}"))?;
        let missing = mapped.addr().next_multiple_of(LARGE) - mapped.addr();
        let start = mapped.cast::<u8>();
        // SAFETY: `missing` is less than LARGE, which the mapping is longer by.
        let base = unsafe { start.add(missing) };
        let (Some(base), Some(start)) = (NonNull::new(base), NonNull::new(start)) else {
            return Err("a memory at address 0".into());
        };
        let mut memory = Reserved { base, whole: (start, length), size: 0, capacity };
        if WANTED.get() {
            advise(base, capacity);
        }
        memory.grow_to(minimum).map_err(|error| format!("{error:#}"))?;
        Ok(Box::new(memory))
    }
}

// SAFETY: as `new_memory` says.
unsafe impl LinearMemory for Reserved {
    fn byte_size(&self) -> usize {
        self.size
    }

    fn byte_capacity(&self) -> usize {
        self.capacity
    }

    fn grow_to(&mut self, new_size: usize) -> Result<()> {
        if new_size > self.capacity {
            return Err(wasmtime::Error::msg("a memory grows beyond what is reserved for it"));
        }
        let more = new_size.saturating_sub(self.size);
        if more > 0 {
            // SAFETY: from the old size up to the new one, both within the capacity, which is mapped.
            let grown = unsafe {
                let from = self.base.as_ptr().add(self.size);
                mprotect(from.cast(), more, MprotectFlags::READ | MprotectFlags::WRITE)
            };
            grown?;
        }
        self.size = self.size.max(new_size);
        Ok(())
    }

    fn as_ptr(&self) -> *mut u8 {
        self.base.as_ptr()
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let (start, length) = self.whole;
        // SAFETY: the whole mapping, which nobody uses any more.
        let _gone = unsafe { munmap(start.as_ptr().cast(), length) };
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::{Config, Engine, Instance, Memory, MemoryType, Module, Store};

    use super::*;

    fn engine() -> Engine {
        let mut config = Config::new();
        config.with_host_memory(std::sync::Arc::new(Memories)).memory_init_cow(false);
        Engine::new(&config).unwrap()
    }

    #[test]
    fn a_memory_is_zeroed_and_stays_where_it_is_while_it_grows() {
        for large in [false, true] {
            let mut store = Store::new(&engine(), ());
            let memory = in_large_pages(large, || Memory::new(&mut store, MemoryType::new(1, None))).unwrap();
            let at = memory.data_ptr(&store);
            memory.data_mut(&mut store)[65_535] = 7;
            memory.grow(&mut store, 99).unwrap();
            assert_eq!((memory.data_ptr(&store), memory.data_size(&store)), (at, 100 << 16));
            assert_eq!(memory.data(&store).iter().map(|byte| u64::from(*byte)).sum::<u64>(), 7);
        }
    }

    #[test]
    fn what_lies_beyond_a_memory_is_out_of_its_guest_s_reach() {
        let engine = engine();
        let text = r#"(module (memory 1) (data (i32.const 8) "abc")
            (func (export "at") (param i32) (result i32) (i32.load8_u (local.get 0))))"#;
        let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
        for large in [false, true] {
            let mut store = Store::new(&engine, ());
            let instance = in_large_pages(large, || Instance::new(&mut store, &module, &[])).unwrap();
            let at = instance.get_typed_func::<i32, i32>(&mut store, "at").unwrap();
            assert_eq!(at.call(&mut store, 9).unwrap(), i32::from(b'b'));
            assert_eq!(at.call(&mut store, 65_535).unwrap(), 0);
            assert!(at.call(&mut store, 65_536).is_err() && at.call(&mut store, -1).is_err());
        }
    }

    #[test]
    fn a_memory_ends_where_its_reservation_does() {
        let mut memory =
            Memories.new_memory(MemoryType::new(1, Some(2)), 1 << 16, Some(2 << 16), None, 1 << 16).unwrap();
        assert_eq!((memory.byte_size(), memory.byte_capacity()), (1 << 16, 2 << 16));
        memory.grow_to(2 << 16).unwrap();
        assert!(memory.grow_to(3 << 16).is_err());
        assert_eq!(memory.byte_size(), 2 << 16);
    }
}

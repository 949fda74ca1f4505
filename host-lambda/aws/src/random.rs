//! Random cases for the tests of laws.

/// Xorshift: the same cases on every run, so a failure can be looked at again.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// One of the numbers below a bound.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

//! Maps and sets, built in place.
//!
//! The decision to know: `collect` sorts what is to become a tree first, and brings a sort of its own for each type
//! there is: some seven kilobytes of the component each. What has a few hundred members gains nothing by it.

/// All of `items` in a map or set; of equal keys the last one stays.
pub fn tree<T, C: Default + Extend<T>>(items: impl IntoIterator<Item = T>) -> C {
    let mut all = C::default();
    all.extend(items);
    all
}

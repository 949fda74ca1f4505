//! Which files of a large folder a contract is learned from.
//!
//! The decision to know: the same files whoever asks and in whatever order they came, spread evenly over their names,
//! since names tell of time and kind. The first and the last are always among them.

use super::Member;

/// All of them as long as they have no more bytes than `most`, else some, in their order.
pub(super) fn of(members: Vec<&Member>, most: u64) -> Vec<&Member> {
    if members.iter().map(|member| member.bytes).sum::<u64>() <= most {
        return members;
    }
    let mut room = most;
    let mut kept: Vec<&Member> = Vec::new();
    for (turn, at) in spread(members.len()).into_iter().enumerate() {
        let member = members[at];
        if turn < 2 || member.bytes <= room {
            room = room.saturating_sub(member.bytes);
            kept.push(member);
        }
    }
    kept.sort();
    kept
}

/// The places below `count`: first, last, and then always the middle of what lies between two that were named.
fn spread(count: usize) -> Vec<usize> {
    let mut order = match count {
        0 => return Vec::new(),
        1 => return vec![0],
        _ => vec![0, count - 1],
    };
    let mut gaps = std::collections::VecDeque::from([(0usize, count - 1)]);
    while let Some((from, to)) = gaps.pop_front() {
        let middle = from.midpoint(to);
        if middle == from {
            continue;
        }
        order.push(middle);
        gaps.extend([(from, middle), (middle, to)]);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(bytes: &[u64]) -> Vec<Member> {
        let member = |(at, bytes): (usize, &u64)| Member { name: format!("{at:04}"), bytes: *bytes, at };
        bytes.iter().enumerate().map(member).collect()
    }

    fn places(members: &[Member], most: u64) -> Vec<usize> {
        of(members.iter().collect(), most).iter().map(|member| member.at).collect()
    }

    #[test]
    fn every_place_comes_once_and_the_ends_first() {
        for count in 0..40 {
            let order = spread(count);
            assert_eq!(
                order.iter().take(2).copied().collect::<Vec<_>>(),
                match count {
                    0 => vec![],
                    1 => vec![0],
                    _ => vec![0, count - 1],
                }
            );
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_sample_is_spread_and_holds_the_ends() {
        assert_eq!(places(&members(&[1; 10]), 10), (0..10).collect::<Vec<_>>());
        assert_eq!(places(&members(&[1; 9]), 5), [0, 2, 4, 6, 8]);
        assert_eq!(places(&members(&[9, 1, 1, 1, 9]), 4), [0, 4], "the ends whatever they hold");
        assert_eq!(places(&members(&[1, 1, 9, 1, 1]), 4), [0, 1, 3, 4], "what is too large is left out");
        assert_eq!(places(&members(&[9]), 4), [0]);
    }
}

//! Trying again what may pass, on top of what the SDK tries again by itself.
//!
//! For the answers of S3 that only mean «not now»: another write to the key is under way, a body broke off.

use std::time::Duration;

/// Runs `attempt` until it succeeds, fails for good, or `pauses` pauses are used up, each twice as long as the
/// one before.
pub(super) async fn again<T, E, F: Future<Output = Result<T, E>>>(
    pauses: u32,
    first: Duration,
    passes: impl Fn(&E) -> bool,
    mut attempt: impl FnMut() -> F,
) -> Result<T, E> {
    for pause in 0..pauses {
        match attempt().await {
            Err(error) if passes(&error) => tokio::time::sleep(first * 2u32.saturating_pow(pause)).await,
            answer => return answer,
        }
    }
    attempt().await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    async fn tries(pauses: u32, good_at: u32) -> (Result<u32, &'static str>, u32) {
        let count = Cell::new(0);
        let answer = again(
            pauses,
            Duration::ZERO,
            |error| *error == "busy",
            || async {
                let now = count.get() + 1;
                count.set(now);
                if now == good_at { Ok(now) } else { Err(if now == 9 { "gone" } else { "busy" }) }
            },
        )
        .await;
        (answer, count.get())
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        assert_eq!(runtime.block_on(tries(3, 1)), (Ok(1), 1));
        assert_eq!(runtime.block_on(tries(3, 4)), (Ok(4), 4));
        assert_eq!(runtime.block_on(tries(3, 5)), (Err("busy"), 4));
        assert_eq!(runtime.block_on(tries(20, 12)), (Err("gone"), 9));
    }
}

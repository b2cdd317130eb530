//! When to try a failed call again, and how long to wait before.

use std::time::Duration;

use loci_api::chat::ChatError;

/// How often and how long a call is repeated. Only calls that failed before their first event are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, the first included.
    pub max_attempts: u32,
    /// Waited after the first failure; doubled after each further one.
    pub first_delay: Duration,
    /// The longest wait of our own choosing. A provider's `retry-after` may be longer.
    pub max_delay: Duration,
    /// No attempt begins later than this after the first one began.
    pub total: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 4,
            first_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(16),
            total: Duration::from_secs(60),
        }
    }
}

impl RetryPolicy {
    /// One attempt, whatever happens.
    #[must_use]
    pub fn never() -> Self {
        Self { max_attempts: 1, ..Self::default() }
    }

    /// The same attempts without waiting of our own, for tests.
    #[must_use]
    pub fn immediate() -> Self {
        Self { first_delay: Duration::ZERO, max_delay: Duration::ZERO, ..Self::default() }
    }

    /// How long to wait after attempt `number` (from 1) failed, `elapsed` after the first began; `None` gives up.
    /// `jitter` is in 0..1 and spreads clients that failed together.
    pub(crate) fn delay(
        &self,
        number: u32,
        elapsed: Duration,
        error: &ChatError,
        jitter: f64,
    ) -> Option<Duration> {
        if number >= self.max_attempts || !error.kind.is_transient() {
            return None;
        }
        let doubled = self.first_delay.saturating_mul(1 << (number - 1).min(16)).min(self.max_delay);
        let own = doubled.mul_f64(0.75 + jitter.clamp(0.0, 1.0) / 2.0);
        let asked = error.retry_after_ms.map(Duration::from_millis);
        let delay = asked.map_or(own, |asked| asked.max(own));
        (elapsed.saturating_add(delay) <= self.total).then_some(delay)
    }
}

#[cfg(test)]
mod tests {
    use loci_api::chat::ChatErrorKind;

    use super::*;

    fn error(kind: ChatErrorKind, retry_after_ms: Option<u64>) -> ChatError {
        ChatError { kind, message: String::new(), detail: None, status: None, retry_after_ms, trace: None }
    }

    #[test]
    fn waits_grow_are_spread_and_bounded() {
        let policy = RetryPolicy::default();
        let busy = error(ChatErrorKind::LlmOverloaded, None);
        let at = |number, jitter| policy.delay(number, Duration::ZERO, &busy, jitter);
        assert_eq!(at(1, 0.5), Some(Duration::from_millis(500)));
        assert_eq!(at(1, 0.0), Some(Duration::from_millis(375)));
        assert_eq!(at(3, 0.5), Some(Duration::from_secs(2)));
        assert_eq!(at(4, 0.5), None);
        assert_eq!(policy.delay(1, Duration::from_secs(60), &busy, 0.5), None);
    }

    #[test]
    fn the_provider_is_heard_and_hopeless_errors_are_not_repeated() {
        let policy = RetryPolicy::default();
        let limited = |ms| error(ChatErrorKind::LlmRateLimit, Some(ms));
        assert_eq!(policy.delay(1, Duration::ZERO, &limited(7000), 0.5), Some(Duration::from_secs(7)));
        assert_eq!(policy.delay(1, Duration::ZERO, &limited(61_000), 0.5), None);
        let refused = error(ChatErrorKind::LlmAuthentication, Some(1));
        assert_eq!(policy.delay(1, Duration::ZERO, &refused, 0.5), None);
    }
}

//! Reading what a process prints, to its end, keeping only so much.

use tokio::io::{AsyncRead, AsyncReadExt};

/// What was kept of one stream.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Captured {
    bytes: Vec<u8>,
    /// All bytes that came.
    total: u64,
}

impl Captured {
    /// The text, with a note of both sizes if it was cut; None if nothing came.
    pub(super) fn into_text(self) -> Option<String> {
        if self.total == 0 {
            return None;
        }
        let kept = self.bytes.len();
        let mut text = String::from_utf8_lossy(&self.bytes).into_owned();
        if self.total > kept as u64 {
            text.push_str(&format!("\n[output cut: {kept} of {} bytes kept]", self.total));
        }
        Some(text)
    }
}

/// Reads until the end of the stream and keeps the first `limit` bytes. A broken pipe is an end.
pub(super) async fn drain(
    mut stream: impl AsyncRead + Unpin,
    limit: usize,
    into: &tokio::sync::Mutex<Captured>,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => count,
        };
        let mut captured = into.lock().await;
        let room = limit.saturating_sub(captured.bytes.len()).min(count);
        captured.bytes.extend_from_slice(&buffer[..room]);
        captured.total += count as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_too_much_is_read_and_dropped() {
        let captured = tokio::sync::Mutex::new(Captured::default());
        drain(&b"0123456789"[..], 4, &captured).await;
        assert_eq!(
            captured.into_inner().into_text().as_deref(),
            Some("0123\n[output cut: 4 of 10 bytes kept]")
        );
        assert_eq!(Captured::default().into_text(), None);
    }
}

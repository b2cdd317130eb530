//! Reading what a process prints, to its end, keeping only so much.

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    sync::mpsc,
};

use super::RunEvent;

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

/// Reads until the end of the stream and keeps the first `limit` bytes, telling a watcher of those. A broken pipe is
/// an end.
pub(super) async fn drain(
    mut stream: impl AsyncRead + Unpin,
    limit: usize,
    into: &tokio::sync::Mutex<Captured>,
    watcher: Option<&mpsc::Sender<RunEvent>>,
    event: fn(String) -> RunEvent,
) {
    let mut buffer = vec![0; 64 * 1024];
    let mut begun = Vec::new();
    loop {
        let count = match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(count) => count,
        };
        let room = {
            let mut captured = into.lock().await;
            let room = limit.saturating_sub(captured.bytes.len()).min(count);
            captured.bytes.extend_from_slice(&buffer[..room]);
            captured.total += count as u64;
            room
        };
        if let Some(watcher) = watcher {
            begun.extend_from_slice(&buffer[..room]);
            let text = whole_characters(&mut begun);
            if !text.is_empty() {
                // Err: nobody watches any more.
                let _unwatched = watcher.send(event(text)).await;
            }
        }
    }
    if let Some(watcher) = watcher
        && !begun.is_empty()
    {
        let _unwatched = watcher.send(event(String::from_utf8_lossy(&begun).into_owned())).await;
    }
}

/// Takes what can be shown; a character of which only the beginning has come stays.
fn whole_characters(bytes: &mut Vec<u8>) -> String {
    let keep = match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => bytes.len() - error.valid_up_to(),
        Ok(_) | Err(_) => 0,
    };
    let rest = bytes.split_off(bytes.len() - keep);
    String::from_utf8_lossy(&std::mem::replace(bytes, rest)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_too_much_is_read_and_dropped() {
        let captured = tokio::sync::Mutex::new(Captured::default());
        drain(&b"0123456789"[..], 4, &captured, None, RunEvent::Stdout).await;
        assert_eq!(
            captured.into_inner().into_text().as_deref(),
            Some("0123\n[output cut: 4 of 10 bytes kept]")
        );
        assert_eq!(Captured::default().into_text(), None);
    }

    #[tokio::test]
    async fn a_watcher_sees_whole_characters() {
        let captured = tokio::sync::Mutex::new(Captured::default());
        let (watcher, mut seen) = mpsc::channel(16);
        let halves = tokio::io::AsyncReadExt::chain(&b"a\xc3"[..], &b"\xbcb\xff"[..]);
        drain(halves, 100, &captured, Some(&watcher), RunEvent::Stderr).await;
        drop(watcher);
        let mut text = String::new();
        while let Some(RunEvent::Stderr(piece)) = seen.recv().await {
            text.push_str(&piece);
        }
        assert_eq!(text, "a\u{fc}b\u{fffd}");
    }
}

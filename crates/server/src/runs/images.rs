//! Images given by address: fetched here and kept with the message, so that history does not depend on them.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use loci_api::{
    error::ApiError,
    message::{Approval, ContentPart, ImageSource, ReturnContent},
    request::InputMessage,
};

use crate::{App, error::Answer, outbound};

/// The largest image, bytes.
const LIMIT: usize = 20 << 20;
const TIMEOUT: Duration = Duration::from_secs(20);
/// Images one request may have fetched.
const MOST: usize = 20;

/// Replaces every image address by the image.
///
/// # Errors
/// 400 saying which image could not be had and why.
pub async fn fetch(app: &App, items: &mut [InputMessage]) -> Answer<()> {
    let mut fetched = 0_usize;
    for source in items.iter_mut().flat_map(sources) {
        let ImageSource::Url { url } = source else { continue };
        fetched += 1;
        if fetched > MOST {
            return Err(ApiError::bad_request(format!(
                "A request can have at most {MOST} images by address."
            ))
            .into());
        }
        *source = load(app, url).await?;
    }
    Ok(())
}

fn sources(item: &mut InputMessage) -> Vec<&mut ImageSource> {
    match item {
        InputMessage::Message { content, .. } => images(content),
        InputMessage::Approval { approvals, .. } => approvals
            .iter_mut()
            .flat_map(|answer| match answer {
                Approval::Tool(result) => match &mut result.content {
                    ReturnContent::Parts(parts) => images(parts),
                    ReturnContent::Value(_) => Vec::new(),
                },
                Approval::Approval { .. } => Vec::new(),
            })
            .collect(),
    }
}

fn images(parts: &mut [ContentPart]) -> Vec<&mut ImageSource> {
    parts
        .iter_mut()
        .filter_map(|part| match part {
            ContentPart::Image { source } => Some(source),
            ContentPart::Text { .. }
            | ContentPart::Reasoning { .. }
            | ContentPart::RedactedReasoning { .. } => None,
        })
        .collect()
}

async fn load(app: &App, url: &str) -> Answer<ImageSource> {
    let shown: String = url.chars().take(200).collect();
    let refuse =
        |why: &str| ApiError::bad_request(format!("The image at '{shown}' could not be used: {why}."));
    // Browsers put images into addresses; there is nothing to fetch then.
    if let Some((_, data)) = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) {
        let bytes = STANDARD.decode(data).map_err(|_| refuse("it is not base64"))?;
        let media_type = kind(&bytes).ok_or_else(|| refuse("it is not a PNG, JPEG, GIF or WebP"))?;
        return Ok(ImageSource::Base64 { media_type: media_type.to_owned(), data: data.to_owned() });
    }
    let allow_private = app.options().allow_private_callbacks;
    let bytes = outbound::get(url, allow_private, LIMIT, TIMEOUT)
        .await
        .map_err(|error| refuse(&error.to_string()))?;
    let media_type = kind(&bytes).ok_or_else(|| refuse("it is not a PNG, JPEG, GIF or WebP"))?;
    Ok(ImageSource::Base64 { media_type: media_type.to_owned(), data: STANDARD.encode(&bytes) })
}

/// What the bytes are; servers often call images by wrong names.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

//! What can be in the way of a request to a server elsewhere, as an answer in the API's shape.

use std::time::Duration;

use loci_api::error::ApiError;
use loci_server::error::Failure;
use serde_json::json;

use super::{Limits, Remote, chain};

/// Why there is no answer to pass on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("no answer within {} s", waited.as_secs())]
    Slow {
        waited: Duration,
        /// The request changes something, and may have been received.
        write: bool,
    },
    #[error("no connection: {0}")]
    Unreachable(String),
    #[error("the certificate is not accepted: {0}")]
    Certificate(String),
    #[error("the answer broke off or is not HTTP: {cause}")]
    Broken { cause: String, write: bool },
    #[error("a redirect to {0}")]
    Redirect(String),
    #[error("not an answer of the API: {0}")]
    Garbage(String),
    #[error("a path outside the API")]
    NotTheApi,
    #[error("a path that means another one")]
    OddPath,
    #[error("the request is too large")]
    TooLarge,
}

/// A problem as the interface tells them apart: `detail.code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProblemKind {
    Timeout,
    Unreachable,
    Certificate,
    BadAnswer,
    Refused,
}

impl ProblemKind {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Timeout => "CONNECTION_TIMEOUT",
            Self::Unreachable => "CONNECTION_UNREACHABLE",
            Self::Certificate => "CONNECTION_CERTIFICATE",
            Self::BadAnswer => "CONNECTION_BAD_ANSWER",
            Self::Refused => "CONNECTION_REFUSED_HERE",
        }
    }
}

impl Problem {
    /// A request that got no answer.
    pub(super) fn unreached(error: reqwest::Error, limits: &Limits, write: bool) -> Self {
        let error = error.without_url();
        if let Some(tls) = find_tls(&error) {
            return match tls {
                rustls::Error::InvalidCertificate(bad) => Self::Certificate(objection(bad).to_owned()),
                other => Self::Unreachable(format!("no encrypted connection ({other})")),
            };
        }
        if error.is_connect() {
            let text = chain(&error);
            if error.is_timeout() {
                return Self::Unreachable(format!("no connection within {} s", limits.connect.as_secs()));
            }
            return Self::Unreachable(last_part(&text));
        }
        if error.is_timeout() {
            return Self::Slow { waited: limits.read, write };
        }
        Self::Broken { cause: last_part(&chain(&error)), write }
    }

    pub(crate) fn kind(&self) -> ProblemKind {
        match self {
            Self::Slow { .. } => ProblemKind::Timeout,
            Self::Unreachable(_) => ProblemKind::Unreachable,
            Self::Certificate(_) => ProblemKind::Certificate,
            Self::Broken { .. } | Self::Redirect(_) | Self::Garbage(_) => ProblemKind::BadAnswer,
            Self::NotTheApi | Self::OddPath | Self::TooLarge => ProblemKind::Refused,
        }
    }

    /// What happened and what to do.
    pub(crate) fn sentence(&self, name: &str) -> String {
        let unsure = |write: &bool| {
            if *write { " It may have received the request: look before you repeat it." } else { "" }
        };
        match self {
            Self::Slow { waited, write } => format!(
                "{name} did not answer within {} seconds. It may be busy or gone; try again.{}",
                waited.as_secs_f32().ceil(),
                unsure(write)
            ),
            Self::Unreachable(cause) => format!(
                "{name} cannot be reached: {cause}. Check that it runs and that its address is right."
            ),
            Self::Certificate(cause) => format!(
                "The certificate of {name} is not accepted ({cause}). If it is your own, name its file in the connection."
            ),
            Self::Broken { cause, write } => {
                format!("{name} broke off its answer, or does not speak HTTP ({cause}).{}", unsure(write))
            }
            Self::Redirect(place) => format!(
                "{name} sends requests on to {place}. They are not followed, as the key would go along: enter that address in the connection if it is right."
            ),
            Self::Garbage(what) => format!(
                "{name} does not answer as a Letta server does: {what}. Check the address of the connection."
            ),
            Self::NotTheApi => "Not Found".to_owned(),
            Self::OddPath => "The path holds parts that mean another path.".to_owned(),
            Self::TooLarge => "The request is too large to be passed on.".to_owned(),
        }
    }

    /// The answer the person's own request gets.
    pub(super) fn failure(&self, remote: &Remote) -> Failure {
        let text = self.sentence(&remote.name);
        let mut error = match self {
            Self::NotTheApi => return ApiError::not_found(text).into(),
            Self::OddPath => return ApiError::bad_request(text).into(),
            Self::TooLarge => return ApiError::too_large(text).into(),
            Self::Slow { .. } => ApiError { status: 504, ..ApiError::unavailable(text) },
            Self::Unreachable(_)
            | Self::Certificate(_)
            | Self::Broken { .. }
            | Self::Redirect(_)
            | Self::Garbage(_) => ApiError { status: 502, ..ApiError::unavailable(text) },
        };
        error.should_retry = Some(false);
        error.body = json!({"detail": {
            "code": self.kind().code(),
            "message": error.message,
            "connection_id": remote.id,
        }});
        error.into()
    }
}

/// What TLS objects to, however deep it is wrapped.
fn find_tls<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(tls);
    }
    // The source of an I/O error is its content's source: the content itself would be skipped.
    let content = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    if let Some(found) = content.and_then(|content| find_tls(content)) {
        return Some(found);
    }
    error.source().and_then(find_tls)
}

/// What is wrong with a certificate, for a person.
fn objection(error: &rustls::CertificateError) -> &'static str {
    use rustls::CertificateError as Bad;
    match error {
        Bad::Expired | Bad::ExpiredContext { .. } => "it has expired",
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => "it is not valid yet",
        Bad::Revoked => "it was revoked",
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => "it was made for another name",
        Bad::UnknownIssuer => "nobody this computer trusts has signed it",
        // A certificate that signed itself is taken for an authority's.
        _ => "it is signed by itself, or not made for a server",
    }
}

/// The cause at the bottom says what happened; those above say only that something did.
fn last_part(text: &str) -> String {
    text.rsplit(": ").next().unwrap_or(text).trim_end_matches('.').to_owned()
}

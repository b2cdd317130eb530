//! What can be in the way of a request to a server elsewhere, as an answer in the API's shape.

use std::{io::ErrorKind, time::Duration};

use loci_api::{error::ApiError, said::Said};
use loci_server::error::Failure;
use serde_json::json;

use super::{Limits, Remote, chain};
use crate::sentences::Connecting;

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
    Unreachable(Said),
    #[error("the certificate is not accepted: {0}")]
    Certificate(Said),
    #[error("the answer broke off or is not HTTP: {cause}")]
    Broken { cause: String, write: bool },
    #[error("a redirect to {0}")]
    Redirect(String),
    #[error("not an answer of the API: {0}")]
    Garbage(Said),
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
                rustls::Error::InvalidCertificate(bad) => Self::Certificate(objection(bad).into()),
                other => Self::Unreachable(Connecting::CauseNoEncryption { said: other.to_string() }.into()),
            };
        }
        if error.is_connect() {
            if error.is_timeout() {
                let seconds = limits.connect.as_secs();
                return Self::Unreachable(Connecting::CauseNotInTime { seconds }.into());
            }
            return Self::Unreachable(obstacle(&error).into());
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
    pub(crate) fn said(&self, name: &str) -> Said {
        let name = name.to_owned();
        match self {
            Self::Slow { waited, write } => {
                let seconds = waited.as_secs_f32().ceil() as u64;
                match write {
                    true => Connecting::ConnectionSlowWrite { name, seconds },
                    false => Connecting::ConnectionSlow { name, seconds },
                }
            }
            Self::Unreachable(cause) => Connecting::ConnectionUnreachable { name, cause: cause.clone() },
            Self::Certificate(cause) => Connecting::ConnectionCertificate { name, cause: cause.clone() },
            Self::Broken { cause, write: true } => {
                Connecting::ConnectionBrokenWrite { name, cause: cause.clone() }
            }
            Self::Broken { cause, write: false } => {
                Connecting::ConnectionBroken { name, cause: cause.clone() }
            }
            Self::Redirect(place) => Connecting::ConnectionRedirect { name, place: place.clone() },
            Self::Garbage(what) => Connecting::ConnectionGarbage { name, what: what.clone() },
            // The last three say nothing of the server: the request is not one to pass on.
            Self::NotTheApi => return "Not Found".into(),
            Self::OddPath => return "The path holds parts that mean another path.".into(),
            Self::TooLarge => Connecting::ConnectionTooLarge,
        }
        .into()
    }

    /// The answer the person's own request gets.
    pub(super) fn failure(&self, remote: &Remote) -> Failure {
        let said = self.said(&remote.name);
        let text = said.message.clone();
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
        }, "said": said});
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
fn objection(error: &rustls::CertificateError) -> Connecting {
    use rustls::CertificateError as Bad;
    match error {
        Bad::Expired | Bad::ExpiredContext { .. } => Connecting::CertificateExpired,
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => Connecting::CertificateTooEarly,
        Bad::Revoked => Connecting::CertificateRevoked,
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => Connecting::CertificateOtherName,
        Bad::UnknownIssuer => Connecting::CertificateUnknownIssuer,
        // A certificate that signed itself is taken for an authority's.
        _ => Connecting::CertificateOwn,
    }
}

/// Why no connection came about, as far as the system says it in a way one can tell apart.
fn obstacle(error: &reqwest::Error) -> Connecting {
    let text = chain(error);
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        match inner.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
            Some(ErrorKind::ConnectionRefused) => return Connecting::CauseRefused,
            Some(ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable) => {
                return Connecting::CauseNoWay;
            }
            _ if inner.to_string() == "dns error" => return Connecting::CauseUnknownHost,
            Some(_) | None => cause = inner.source(),
        }
    }
    Connecting::CauseOther { said: last_part(&text) }
}

/// The cause at the bottom says what happened; those above say only that something did.
fn last_part(text: &str) -> String {
    text.rsplit(": ").next().unwrap_or(text).trim_end_matches('.').to_owned()
}

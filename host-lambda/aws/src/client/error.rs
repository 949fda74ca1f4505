//! What a service can answer that is no result: whose fault, which call on which resource, what to do.
//!
//! Not for deciding what a 404 or a 412 means to the flow: callers look at the [`Fault`]. The decision to
//! know: error codes are read before status numbers, since one service says 400 where another says 403,
//! and numbers only where there is no code (a HEAD has no body).

use std::error::Error as StdError;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use lakegate_base::{Code, Error, Kind};
use lakegate_lake::storage::StorageError;

/// What kind of no it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The caller may not do that.
    Denied,
    /// The object's KMS key may not be used, is disabled or gone.
    KeyDenied,
    /// No credentials, or refused ones.
    Credentials,
    /// The bucket does not exist.
    NoBucket,
    /// The object, upload, table or topic does not exist.
    Missing,
    /// An upload vanished while it was written.
    Swept,
    /// A condition of the request does not hold.
    Precondition,
    /// Somebody else changes the same thing at this moment.
    Conflict,
    /// The range lies outside the object.
    Range,
    /// Too many requests.
    Throttled,
    /// No answer in time.
    TimedOut,
    /// The invocation's time is used up.
    Deadline,
    /// No connection, or one that broke.
    Unreachable,
    /// No region is set, or the resource lives in another.
    Region,
    /// The service failed by itself.
    Broken,
    /// Anything else that the same again would not change.
    Refused,
}

/// A call that came to nothing.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{call} on {resource} {}: {message}", .fault.verb())]
pub struct AwsError {
    /// What kind of no.
    pub fault: Fault,
    /// `service:Operation`.
    pub call: &'static str,
    /// What it was about: a URI, a table, a topic.
    pub resource: String,
    /// The service's own words.
    pub message: String,
    hint: Option<String>,
}

impl AwsError {
    pub(super) fn of<E>(call: &'static str, resource: &str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let status = error.raw_response().map(|response| response.status().as_u16());
        let meta = error.as_service_error();
        let code = meta.and_then(ProvideErrorMetadata::code);
        let said = meta.and_then(ProvideErrorMetadata::message);
        let (fault, message) = match error {
            SdkError::ServiceError(_) => {
                let fault = fault_of(code, said, status);
                let code =
                    code.map_or_else(|| format!("HTTP {}", status.unwrap_or_default()), str::to_string);
                (fault, said.map_or_else(|| code.clone(), |said| format!("{said} ({code})")))
            }
            SdkError::TimeoutError(_) => (Fault::TimedOut, chain(error)),
            SdkError::DispatchFailure(failure) => {
                let message = chain(error);
                let fault = match () {
                    () if failure.is_timeout() => Fault::TimedOut,
                    () if message.to_lowercase().contains("credential") => Fault::Credentials,
                    () => Fault::Unreachable,
                };
                (fault, message)
            }
            SdkError::ConstructionFailure(_) => {
                let message = chain(error);
                let text = message.to_lowercase();
                let fault = match () {
                    () if text.contains("credential") => Fault::Credentials,
                    () if text.contains("region") => Fault::Region,
                    () => Fault::Refused,
                };
                (fault, message)
            }
            _ => (Fault::Unreachable, chain(error)),
        };
        Self::new(fault, call, resource, message)
    }

    /// A fault found on this side: a body that broke off, a task that ended.
    pub(crate) fn new(fault: Fault, call: &'static str, resource: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let hint = hint(fault, call, resource, &message);
        Self { fault, call, resource: resource.into(), message, hint }
    }

    pub(super) fn late(call: &'static str, resource: &str) -> Self {
        Self::new(Fault::Deadline, call, resource, "the invocation's time is used up")
    }

    /// What a caller can do about it. What is missing or denied is named by the configuration, not by the
    /// source object: whoever runs the host has to mend it, and the object is delivered again.
    pub fn kind(&self) -> Kind {
        match self.fault {
            Fault::Denied
            | Fault::KeyDenied
            | Fault::Credentials
            | Fault::NoBucket
            | Fault::Missing
            | Fault::Region
            | Fault::Refused => Kind::Own,
            Fault::Swept
            | Fault::Precondition
            | Fault::Conflict
            | Fault::Range
            | Fault::Throttled
            | Fault::TimedOut
            | Fault::Deadline
            | Fault::Unreachable
            | Fault::Broken => Kind::Passing,
        }
    }

    /// Stable name.
    pub fn code(&self) -> Code {
        match self.fault {
            Fault::Denied => Code::AccessDenied,
            Fault::KeyDenied => Code::KmsDenied,
            Fault::Credentials => Code::CredentialsMissing,
            Fault::NoBucket => Code::BucketMissing,
            Fault::Missing => Code::ResourceMissing,
            Fault::Swept => Code::UploadGone,
            Fault::Precondition | Fault::Range => Code::PreconditionFailed,
            Fault::Conflict => Code::Conflict,
            Fault::Throttled => Code::Throttled,
            Fault::TimedOut => Code::TimedOut,
            Fault::Deadline => Code::Deadline,
            Fault::Unreachable => Code::Unreachable,
            Fault::Region => Code::WrongRegion,
            Fault::Broken => Code::ServiceFailed,
            Fault::Refused => Code::RequestRefused,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl From<AwsError> for Error {
    fn from(error: AwsError) -> Self {
        let made = Self::new(error.code(), error.to_string()).of_kind(error.kind());
        let made = match error.hint() {
            Some(hint) => made.with_hint(hint),
            None => made,
        };
        made.because(error)
    }
}

impl From<AwsError> for StorageError {
    fn from(error: AwsError) -> Self {
        Self::Service(Box::new(error.into()))
    }
}

impl Fault {
    fn verb(self) -> &'static str {
        match self {
            Self::Denied => "was denied",
            Self::KeyDenied => "was denied by the KMS key",
            Self::Throttled => "was throttled",
            Self::TimedOut | Self::Deadline => "did not end in time",
            Self::Unreachable => "did not come through",
            _ => "failed",
        }
    }
}

const DENIALS: [&str; 6] = [
    "AccessDenied",
    "AccessDeniedException",
    "AllAccessDisabled",
    "AuthorizationError",
    "AuthorizationErrorException",
    "Forbidden",
];

fn is_denial(code: &str, status: Option<u16>) -> bool {
    DENIALS.contains(&code) || (code.is_empty() && status == Some(403))
}

fn fault_of(code: Option<&str>, message: Option<&str>, status: Option<u16>) -> Fault {
    let code = code.unwrap_or_default();
    match code {
        _ if code.contains("Throttl") => Fault::Throttled,
        // `KMS.DisabledException` of S3, `KMSDisabledException` of SNS.
        _ if code.starts_with("KMS") => Fault::KeyDenied,
        _ if is_denial(code, status) && message.is_some_and(|said| said.contains("kms:")) => Fault::KeyDenied,
        _ if DENIALS.contains(&code) => Fault::Denied,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "InvalidToken"
        | "RequestTimeTooSkewed"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => Fault::Credentials,
        "NoSuchBucket" => Fault::NoBucket,
        "EntityNotFoundException"
        | "NoSuchKey"
        | "NoSuchUpload"
        | "NoSuchVersion"
        | "NotFound"
        | "NotFoundException" => Fault::Missing,
        "NotModified" | "PreconditionFailed" => Fault::Precondition,
        "ConcurrentModificationException" | "ConditionalRequestConflict" | "OperationAborted" => {
            Fault::Conflict
        }
        "InvalidRange" => Fault::Range,
        "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException" | "PermanentRedirect" => {
            Fault::Region
        }
        // Glue answers 400 for its own time-outs and for a catalog that is still being made.
        "OperationTimeoutException" | "RequestTimeout" | "ResourceNotReadyException" => Fault::TimedOut,
        "RequestLimitExceeded" | "SlowDown" | "TooManyRequestsException" => Fault::Throttled,
        _ => match status {
            Some(301 | 307) => Fault::Region,
            Some(401 | 403) => Fault::Denied,
            // A delete marker answers 405 to who asks for it by its version.
            Some(404 | 405) => Fault::Missing,
            Some(409) => Fault::Conflict,
            Some(304 | 412) => Fault::Precondition,
            Some(416) => Fault::Range,
            Some(429 | 503) => Fault::Throttled,
            Some(500..) => Fault::Broken,
            _ => Fault::Refused,
        },
    }
}

/// The permission that a call needs, where it is not named like the call.
fn permission(call: &str) -> &str {
    match call {
        "s3:HeadObject" => "s3:GetObject",
        "s3:CreateMultipartUpload" | "s3:UploadPart" | "s3:CompleteMultipartUpload" => "s3:PutObject",
        "s3:HeadBucket" | "s3:ListObjectsV2" => "s3:ListBucket",
        "s3:ListMultipartUploads" => "s3:ListBucketMultipartUploads",
        other => other,
    }
}

fn hint(fault: Fault, call: &str, resource: &str, message: &str) -> Option<String> {
    let place = resource.strip_prefix("s3://");
    let bucket = place.map(|place| place.split('/').next().unwrap_or(place));
    Some(match fault {
        Fault::Denied => {
            let permission = permission(call);
            let arn = match (permission, place, bucket) {
                ("s3:ListBucket" | "s3:ListBucketMultipartUploads", _, Some(bucket)) => {
                    format!("arn:aws:s3:::{bucket}")
                }
                (_, Some(place), _) => format!("arn:aws:s3:::{place}"),
                _ => resource.to_string(),
            };
            let listing = match (permission, bucket) {
                // Without it S3 does not tell a missing object from a forbidden one.
                ("s3:GetObject" | "s3:GetObjectVersion", Some(bucket)) => {
                    format!(
                        ", and s3:ListBucket on arn:aws:s3:::{bucket} so that a missing object is told from a denied one"
                    )
                }
                _ => String::new(),
            };
            format!("allow {permission} on {arn}{listing}")
        }
        Fault::KeyDenied => key_hint(call, bucket.unwrap_or(resource), message),
        Fault::Credentials => {
            "log in (aws sso login) or set AWS_PROFILE; in Lambda, give the function a role".into()
        }
        Fault::NoBucket => format!(
            "create the bucket {} or correct its name; it must be in the account and region in use",
            bucket.unwrap_or(resource)
        ),
        Fault::Region => "set AWS_REGION to the region where it lives".into(),
        Fault::Swept | Fault::Throttled | Fault::TimedOut | Fault::Unreachable | Fault::Broken => {
            "try again; nothing half-written is visible".into()
        }
        _ => return None,
    })
}

/// A key that may not be used, is switched off or gone: three different things to do.
fn key_hint(call: &str, owner: &str, message: &str) -> String {
    let quoted = |c: char| c.is_whitespace() || ",;'\"()".contains(c);
    let named = message.split(quoted).find(|word| word.contains(":key/") || word.contains(":alias/"));
    let key = named.map_or_else(
        || format!("the KMS key of {owner} (`kms_key` in the pipeline's `output`, or the resource's own)"),
        |key| key.trim_end_matches('.').to_string(),
    );
    let action = match permission(call) {
        "s3:GetObject" | "s3:GetObjectVersion" => "kms:Decrypt",
        _ => "kms:GenerateDataKey and kms:Decrypt",
    };
    match message {
        _ if message.contains("Disabled") => format!("enable {key}"),
        _ if message.contains("NotFound") => format!(
            "name a KMS key that is there, in the region of {owner}, and allow {action} on it: {key} is not"
        ),
        _ if message.contains("InvalidState") => {
            format!("see that {key} is enabled and not about to be deleted")
        }
        _ => format!("allow {action} on {key}, in the role's policy and in the key's"),
    }
}

/// An error with its causes, each once.
fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;

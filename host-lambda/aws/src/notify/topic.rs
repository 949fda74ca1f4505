//! Which topic a name in the configuration means.
//!
//! Not for whether it is there: SNS says that. The decision to know: a name without an ARN is a topic of the account and
//! region that the host runs in. A function is told both by [`ENVIRONMENT`], so that it asks nobody for what whoever
//! deployed it knew; elsewhere the account is asked of STS, once a process.

use crate::client::Aws;
use lakegate_base::{Code, Error, Result};

/// Environment variable with what stands before the name of a topic: `arn:aws:sns:REGION:ACCOUNT:`.
pub const ENVIRONMENT: &str = "LAKEGATE_TOPICS";

/// The ARN of a topic that a configuration names.
///
/// # Errors
/// It is a name, and the account cannot be told.
pub async fn arn(aws: &Aws, topic: &str) -> Result<String> {
    named(aws, topic, std::env::var(ENVIRONMENT).ok().as_deref()).await
}

async fn named(aws: &Aws, topic: &str, before: Option<&str>) -> Result<String> {
    if topic.contains(':') {
        return Ok(topic.to_owned());
    }
    if let Some(before) =
        before.map(|before| before.trim().trim_end_matches(':')).filter(|text| !text.is_empty())
    {
        return Ok(format!("{before}:{topic}"));
    }
    let untold = |error: &Error| {
        let message =
            format!("the topic `{topic}` is a name, and its account and region cannot be told: {error}");
        let hint = error.hint().map(|hint| format!("{hint}; or ")).unwrap_or_default();
        Error::new(error.code(), message).of_kind(error.kind()).with_hint(format!(
            "{hint}write the topic's ARN, or set {ENVIRONMENT}=arn:aws:sns:REGION:ACCOUNT:"
        ))
    };
    let account = aws.account().await.map_err(|error| untold(&error.into()))?;
    let region = aws.config().region().map(|region| region.as_ref());
    let region = region.ok_or_else(|| untold(&Error::new(Code::WrongRegion, "no region is set")))?;
    Ok(format!("arn:{}:sns:{region}:{}:{topic}", account.partition, account.id))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Says to each request, with these texts one after the other, who asks; where it listens.
    fn saying(answers: Vec<(&'static str, String)>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for (status, body) in answers {
                let (stream, _) = listener.accept().unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut line = String::new();
                while reader.read_line(&mut line).unwrap() > 0 && line != "\r\n" {
                    line.clear();
                }
                let mut stream = reader.into_inner();
                write!(
                    stream,
                    "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                )
                .unwrap();
            }
        });
        format!("http://{address}")
    }

    fn identity(account: &str) -> String {
        format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
             <Arn>arn:aws:iam::{account}:user/x</Arn><UserId>x</UserId><Account>{account}</Account>\
             </GetCallerIdentityResult></GetCallerIdentityResponse>"
        )
    }

    fn denied() -> String {
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>InvalidClientTokenId</Code><Message>no</Message></Error></ErrorResponse>"
            .to_owned()
    }

    fn resolved(aws: &Aws, topic: &str, before: Option<&str>) -> Result<String> {
        aws.wait(named(aws, topic, before))
    }

    #[test]
    fn an_arn_and_what_the_environment_says_ask_nobody() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let aws = Aws::of_tests(runtime.handle().clone(), "http://127.0.0.1:9");
        let arn = "arn:aws:sns:eu-central-1:111122223333:done";
        assert_eq!(resolved(&aws, arn, Some("arn:aws:sns:us-east-1:1:")).unwrap(), arn);
        assert_eq!(resolved(&aws, "done", Some("arn:aws:sns:eu-central-1:111122223333:")).unwrap(), arn);
        assert_eq!(aws.calls().len(), 0);
    }

    #[test]
    fn the_account_is_asked_once() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let aws =
            Aws::of_tests(runtime.handle().clone(), &saying(vec![("200 OK", identity("111122223333"))]));
        for topic in ["done", "failed"] {
            let arn = resolved(&aws, topic, None).unwrap();
            assert_eq!(arn, format!("arn:aws:sns:us-east-1:111122223333:{topic}"));
        }
        assert_eq!(aws.calls().into_iter().collect::<Vec<_>>(), [("sts:GetCallerIdentity".to_owned(), 1)]);
    }

    #[test]
    fn an_account_that_cannot_be_told_is_said_and_asked_again() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let answers = vec![("403 Forbidden", denied()), ("200 OK", identity("111122223333"))];
        let aws = Aws::of_tests(runtime.handle().clone(), &saying(answers));
        let error = resolved(&aws, "done", None).unwrap_err();
        assert_eq!(error.code(), Code::CredentialsMissing);
        assert!(error.message().starts_with("the topic `done` is a name, and its account"), "{error}");
        assert!(error.hint().unwrap().contains("LAKEGATE_TOPICS"), "{error:?}");
        assert!(resolved(&aws, "done", None).is_ok());
    }
}

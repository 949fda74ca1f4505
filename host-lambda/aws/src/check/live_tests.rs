//! What is said of what AWS lacks or denies, against a server that knows a few names.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use crate::check::{Checked, check};
use crate::client::Aws;
use lakegate_base::{Code, Error};
use lakegate_config::Origin;
use tokio::runtime::Runtime;

/// Who asks, as STS says it.
const WHO: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
                   <GetCallerIdentityResult><Account>111122223333</Account></GetCallerIdentityResult>\
                   </GetCallerIdentityResponse>";

/// Has what is called `there…`, denies what is called `denied…`, takes whoever asks for `stranger…` for one, and lacks
/// the rest.
fn serve(stream: &TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if let Some(bytes) = line.to_lowercase().strip_prefix("content-length:") {
                length = bytes.trim().parse().unwrap();
            }
            head.push_str(&line);
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let body = String::from_utf8(body).unwrap();
        let (glue, sns) = (head.contains("AWSGlue."), body.contains("GetTopicAttributes"));
        let asked = if glue || sns { &body } else { head.lines().next().unwrap() };
        if body.contains("GetCallerIdentity") {
            write!(reader.get_ref(), "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{WHO}", WHO.len())?;
            continue;
        }
        let (status, code) = match () {
            () if asked.contains("there") => ("200 OK", ""),
            () if asked.contains("denied") => ("403 Forbidden", "AccessDenied"),
            () if asked.contains("stranger") => ("403 Forbidden", "InvalidAccessKeyId"),
            () if glue => ("400 Bad Request", "EntityNotFoundException"),
            () if sns => ("404 Not Found", "NotFound"),
            () if asked.contains(".toml") => ("404 Not Found", "NoSuchKey"),
            () => ("404 Not Found", "NoSuchBucket"),
        };
        let answer = match () {
            () if head.starts_with("HEAD ") => String::new(),
            () if glue && code.is_empty() => "{}".to_owned(),
            () if glue => format!("{{\"__type\":\"{code}\",\"Message\":\"no\"}}"),
            () if sns && code.is_empty() => {
                "<GetTopicAttributesResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
                 <GetTopicAttributesResult/></GetTopicAttributesResponse>"
                    .to_owned()
            }
            () if sns => format!(
                "<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
            ),
            () if asked.contains("/there.toml") => "[[table]]\nname = 'x'\n".to_owned(),
            () if code.is_empty() => "<ListBucketResult></ListBucketResult>".to_owned(),
            () => format!("<Error><Code>{code}</Code><Message>no</Message></Error>"),
        };
        let mut stream = reader.get_ref();
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{answer}", answer.len())?;
    }
}

fn endpoint() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(&stream));
        }
    });
    format!("http://{address}")
}

fn checked(text: &str, endpoint: &str) -> Result<(Checked, Vec<String>), Error> {
    let runtime = Runtime::new().unwrap();
    let aws = Aws::of_tests(runtime.handle().clone(), endpoint);
    let origin = Origin::File("/etc/lakegate.toml".into());
    let none = || Err(Error::new(Code::NotFound, "no transform is needed"));
    let checked = check(text, &origin, &none, Some(&aws))?;
    Ok((checked, aws.calls().into_keys().collect()))
}

fn config(name: &str) -> String {
    format!(
        "[pipeline.a]\nsource = 's3://{name}-raw/a/'\nlake = 's3://{name}-lake/'\nchannel = 'c'\n\
         registry = 's3://{name}-releases/'\ntrust = ['s3://{name}-keys/k.pub']\n\
         failed.copy_to = 's3://{name}-failed/'\nlineage.write_to = 's3://{name}-lineage/'\n\
         catalog = {{ kind = 'glue', database = '{name}_db' }}\n\
         notify.success = 'arn:aws:sns:us-east-1:111122223333:{name}'\n"
    )
}

#[test]
fn what_is_not_there_or_denied_is_a_finding_at_its_key() {
    let endpoint = endpoint();
    let said = |name: &str| {
        let (checked, calls) = checked(&config(name), &endpoint).unwrap();
        let line = |one: &crate::check::Finding| {
            let hint = one.hint.clone().unwrap_or_default();
            (one.line.unwrap(), format!("{}; {hint}", one.message))
        };
        (checked.findings.iter().map(line).collect::<Vec<_>>(), calls)
    };
    let (gone, calls) = said("gone");
    let lines: Vec<u64> = gone.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 3, 5, 6, 7, 8, 9, 10], "{gone:#?}");
    assert!(gone[0].1.contains("create the bucket gone-raw or correct its name"), "{gone:#?}");
    assert!(gone[3].1.contains("gone-keys"), "{gone:#?}");
    assert!(
        gone[6].1.starts_with("Glue has no database gone_db; create it (aws glue create-database"),
        "{gone:#?}"
    );
    assert!(gone[7].1.starts_with("SNS has no topic arn:aws:sns:us-east-1:111122223333:gone; "), "{gone:#?}");
    let only_looks =
        ["glue:GetDatabase", "s3:GetObject", "s3:HeadBucket", "s3:ListObjectsV2", "sns:GetTopicAttributes"];
    assert_eq!(calls, only_looks);

    let (denied, _) = said("denied");
    let lines: Vec<u64> = denied.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 2, 3, 5, 6, 7, 8, 9, 10], "{denied:#?}");
    let hint = |at: usize, hint: &str| assert!(denied[at].1.contains(hint), "{hint} in {denied:#?}");
    hint(2, "allow s3:ListBucket on arn:aws:s3:::denied-lake");
    hint(4, "allow s3:GetObject on arn:aws:s3:::denied-keys/k.pub");
    hint(7, "allow glue:GetDatabase on arn:aws:glue:us-east-1:ACCOUNT:catalog and ");
    hint(8, "allow sns:GetTopicAttributes on arn:aws:sns:us-east-1:111122223333:denied");
}

#[test]
fn what_is_there_is_no_finding_and_its_spec_is_judged() {
    let endpoint = endpoint();
    let text = "[pipeline.a]\nsource = 's3://there-raw/a/'\nlake = 's3://there-lake/'\ncontract = 'learn'\n\
                spec = 's3://there-specs/there.toml'\ntable = 'other'\noutput.encryption = 'sse-kms'\n";
    let (checked, _) = checked(text, &endpoint).unwrap();
    let found: Vec<_> = checked.findings.iter().map(|one| (one.line, one.message.as_str())).collect();
    assert_eq!(found, [(Some(5), "the table other was named, but the spec names x already")]);
    assert!(checked.notes[0].contains("the KMS key for S3"), "{:?}", checked.notes);
}

#[test]
fn a_topic_by_name_is_one_of_the_caller_s_account_and_region() {
    let endpoint = endpoint();
    let text = "[pipeline.a]\nsource = 's3://there-raw/a/'\nlake = 's3://there-lake/'\ncontract = 'learn'\n\
                table = 'a'\nnotify.success = 'there'\nnotify.failure = 'gone'\n";
    let (checked, calls) = checked(text, &endpoint).unwrap();
    let found: Vec<_> = checked.findings.iter().map(|one| (one.line, one.message.as_str())).collect();
    assert_eq!(found, [(Some(7), "SNS has no topic arn:aws:sns:us-east-1:111122223333:gone")]);
    assert!(calls.contains(&"sts:GetCallerIdentity".to_owned()), "{calls:?}");
}

#[test]
fn whoever_is_not_known_to_aws_gets_no_findings() {
    let error = checked(&config("stranger"), &endpoint()).unwrap_err();
    assert_eq!(error.code(), Code::CredentialsMissing, "{error}");
    // Mistakes that are known are told all the same.
    let (checked, _) = checked(&format!("{}pausd = true\n", config("stranger")), &endpoint()).unwrap();
    let found: Vec<_> = checked.findings.iter().map(|one| one.line).collect();
    assert_eq!((found, checked.notes.len()), (vec![Some(11)], 1), "{:?}", checked.notes);
}

//! Which no is whose fault, and what each hint names.

use super::*;

#[test]
fn a_denial_names_the_permission_to_add() {
    let denied = AwsError::new(Fault::Denied, "s3:HeadObject", "s3://raw/orders/x.json", "HTTP 403");
    let hint = denied.hint().unwrap();
    assert!(hint.starts_with("allow s3:GetObject on arn:aws:s3:::raw/orders/x.json"), "{hint}");
    assert!(hint.contains("s3:ListBucket on arn:aws:s3:::raw "), "{hint}");
    assert!(denied.to_string().starts_with("s3:HeadObject on s3://raw/orders/x.json was denied"));
    // Of a named version S3 wants another permission.
    let version = AwsError::new(Fault::Denied, "s3:GetObjectVersion", "s3://raw/x.json", "HTTP 403");
    assert!(version.hint().unwrap().starts_with("allow s3:GetObjectVersion on arn:aws:s3:::raw/x.json"));
    let listing = AwsError::new(Fault::Denied, "s3:ListMultipartUploads", "s3://lake/t/", "no");
    assert_eq!(listing.hint(), Some("allow s3:ListBucketMultipartUploads on arn:aws:s3:::lake"));
}

#[test]
fn a_key_denial_names_the_key() {
    let said = "User: arn:aws:iam::1:role/r is not authorized to perform: kms:GenerateDataKey \
                on resource: arn:aws:kms:eu-west-1:1:key/ab-12 because";
    assert_eq!(fault_of(Some("AccessDenied"), Some(said), Some(403)), Fault::KeyDenied);
    let error = AwsError::new(Fault::KeyDenied, "s3:PutObject", "s3://lake/a", said);
    assert_eq!(
        error.hint(),
        Some(
            "allow kms:GenerateDataKey and kms:Decrypt on arn:aws:kms:eu-west-1:1:key/ab-12, in the role's policy and in the key's"
        )
    );
    assert_eq!((error.code().name(), error.kind()), ("kms_denied", Kind::Own));
    let read = AwsError::new(Fault::KeyDenied, "s3:GetObject", "s3://lake/a", "kms: no (AccessDenied)");
    let hint = read.hint().unwrap();
    assert!(hint.starts_with("allow kms:Decrypt on the KMS key of lake (`kms_key` in"), "{hint}");
}

#[test]
fn a_key_that_is_off_or_gone_is_told_from_one_that_is_denied() {
    let key = "arn:aws:kms:eu-west-1:1:key/ab-12";
    for code in ["KMS.DisabledException", "KMS.NotFoundException", "KMSDisabledException"] {
        assert_eq!(fault_of(Some(code), None, Some(400)), Fault::KeyDenied);
    }
    assert_eq!(fault_of(Some("KMSThrottlingException"), None, Some(400)), Fault::Throttled);
    let said = |message: &str| {
        let error = AwsError::new(Fault::KeyDenied, "s3:PutObject", "s3://lake/a", message);
        assert!(error.to_string().contains(key), "{error}");
        error.hint().unwrap().to_string()
    };
    assert_eq!(said(&format!("{key} is disabled. (KMS.DisabledException)")), format!("enable {key}"));
    let gone = said(&format!("Key '{key}' does not exist (KMS.NotFoundException)"));
    assert!(gone.starts_with("name a KMS key that is there, in the region of lake"), "{gone}");
    // A throttled call that mentions the key's service is no denial.
    assert_eq!(fault_of(Some("SlowDown"), Some("kms:Decrypt"), Some(503)), Fault::Throttled);
}

#[test]
fn only_what_may_pass_is_no_fault_of_the_set_up() {
    use Fault::{Broken, Credentials, Denied, Missing, NoBucket, Region, Swept, Throttled, TimedOut};
    let kind = |fault| AwsError::new(fault, "glue:GetTable", "Glue table d.t", "no").kind();
    assert!([Denied, Credentials, NoBucket, Missing, Region].map(kind).iter().all(|kind| *kind == Kind::Own));
    assert!([Broken, Swept, Throttled, TimedOut].map(kind).iter().all(|kind| *kind == Kind::Passing));
    assert_eq!(fault_of(Some("OperationTimeoutException"), None, Some(400)), TimedOut);
}

#[test]
fn codes_come_before_numbers_and_numbers_fill_in() {
    assert_eq!(fault_of(Some("NoSuchBucket"), None, Some(404)), Fault::NoBucket);
    assert_eq!(fault_of(None, None, Some(404)), Fault::Missing);
    assert_eq!(fault_of(Some("ThrottlingException"), None, Some(400)), Fault::Throttled);
    assert_eq!(fault_of(Some("SlowDown"), None, Some(503)), Fault::Throttled);
    assert_eq!(fault_of(Some("InternalError"), None, Some(500)), Fault::Broken);
    assert_eq!(fault_of(Some("ConditionalRequestConflict"), None, Some(409)), Fault::Conflict);
}

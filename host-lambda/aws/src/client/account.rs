//! In whose account this process is.
//!
//! Not for deciding what lies there. The decision to know: it is asked once a process, whatever credentials come and go
//! meanwhile, since they all are of the account that the process was started in; a question that failed is asked again.

use std::sync::PoisonError;

use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityOutput;

use crate::client::{Aws, AwsError, Fault};

/// GetCallerIdentity, which nobody needs a permission for.
const CALL: &str = "sts:GetCallerIdentity";

/// An account of AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// `aws`, or the name of another part of the world that AWS keeps apart.
    pub partition: String,
    /// Twelve digits.
    pub id: String,
}

impl Aws {
    /// The account of the credentials in use.
    ///
    /// # Errors
    /// There are none, they are refused, or the service does not answer.
    pub async fn account(&self) -> Result<Account, AwsError> {
        let known = || self.shared.account.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = known().clone() {
            return Ok(account);
        }
        let config = aws_sdk_sts::config::Builder::from(&self.shared.config)
            .interceptor(self.shared.calls.clone())
            .build();
        let call = aws_sdk_sts::Client::from_conf(config).get_caller_identity().send();
        let answer = self.ask(CALL, "the credentials in use", call).await?;
        let account = of(&answer).ok_or_else(|| {
            AwsError::new(Fault::Broken, CALL, "the credentials in use", "the answer names no account")
        })?;
        *known() = Some(account.clone());
        Ok(account)
    }
}

fn of(answer: &GetCallerIdentityOutput) -> Option<Account> {
    let id = answer.account().filter(|id| !id.is_empty())?;
    let partition =
        answer.arn().and_then(|arn| arn.split(':').nth(1)).filter(|partition| !partition.is_empty());
    Some(Account { partition: partition.unwrap_or("aws").to_owned(), id: id.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_of_the_world_is_that_of_the_caller() {
        let answer = |account: &str, arn: &str| {
            let made = GetCallerIdentityOutput::builder().account(account).arn(arn).build();
            of(&made).map(|account| format!("{} {}", account.partition, account.id))
        };
        assert_eq!(answer("111122223333", "arn:aws-cn:sts::111122223333:x").unwrap(), "aws-cn 111122223333");
        assert_eq!(answer("111122223333", "").unwrap(), "aws 111122223333");
        assert_eq!(answer("", "arn:aws:sts::1:x"), None);
    }
}

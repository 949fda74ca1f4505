//! One event, whatever its shape, to the answer that its sender understands.
//!
//! Not for single objects, whose trouble is logged where they are taken. The decision to know: senders differ in what
//! they take for a failure. SQS wants the list of messages to deliver again; Lambda delivers an event again when it ends
//! in an error, and Step Functions catches an error by its name.

use serde_json::Value;

use crate::deployed::checks::Checked;
use crate::deployed::crawler::Started;
use crate::deployed::object::{Request, ignored};
use crate::deployed::{Deployed, checks};
use crate::event;
use crate::event::{Answer, AnswerState, Item, ObjectAnswer, ObjectRef, Parsed, Shape, SqsAnswer};
use crate::observe::stage;
use lakegate_base::{Error, Kind};

/// An answer as it goes back.
#[derive(Clone, Debug, PartialEq)]
pub enum Answered {
    /// To everybody but SQS.
    Objects(Answer),
    /// To SQS.
    Sqs(SqsAnswer),
    /// To whoever asked for a check.
    Checked(Checked),
}

/// An event that failed, by a name that stays: what a Step Functions `Catch` or `Retry` matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What the sender can do about it.
    pub kind: Kind,
    /// What went wrong, for people.
    pub message: String,
}

impl Refusal {
    fn new(kind: Kind, message: String) -> Self {
        Self { kind, message }
    }

    /// `Lakegate.BadInput`, `Lakegate.PassingTrouble` or `Lakegate.OwnFault`.
    pub fn name(&self) -> &'static str {
        match self.kind {
            Kind::Input => "Lakegate.BadInput",
            Kind::Passing => "Lakegate.PassingTrouble",
            Kind::Own => "Lakegate.OwnFault",
        }
    }

    /// Of a function that cannot start: no input is to blame, whatever is wrong with a configuration.
    pub fn of_start(error: &Error) -> Self {
        refused(error)
    }

    /// The host's own fault.
    pub fn own(message: String) -> Self {
        Self::new(Kind::Own, message)
    }
}

impl Deployed {
    /// Takes all objects of an event, each by itself: one that fails does not hold up the others. Or answers a check.
    ///
    /// # Errors
    /// Something should be delivered again, or a single request has bad input.
    pub fn event(&self, event: &Value, request: &Request) -> Result<Answered, Refusal> {
        let span = stage::request(&request.id);
        let _entered = span.enter();
        if checks::is_check(event) {
            return self
                .check(event, request)
                .map(Answered::Checked)
                .map_err(|error| logged(refused(&error)));
        }
        let parsed = event::parse(event);
        let request = &Request { execution: parsed.execution.clone(), ..request.clone() };
        let (mut answer, mut sqs) = (Answer::default(), SqsAnswer::default());
        let mut trouble: Option<Refusal> = None;
        let mut came = self.objects(&parsed, request).into_iter();
        for delivery in &parsed.deliveries {
            let mut failed = delivery.error.clone().map(|why| logged(Refusal::new(Kind::Input, why)));
            for item in &delivery.items {
                match item {
                    Item::Ignored { why, uri } => {
                        stage::ignored(uri.as_deref(), why);
                        // A machine that asked for one object looks at the answer about it.
                        if parsed.shape == Shape::Task {
                            answer.objects.push(ignored(&ObjectRef::of_uri(uri.as_deref()), why));
                        }
                    }
                    Item::CrawlerEnded(crawler) => {
                        if let Err(error) = self.crawler_ended(crawler, request) {
                            failed = Some(logged(refusal(&format!("crawler {crawler}"), &error)));
                        }
                    }
                    Item::Object(object) => match came.next() {
                        Some(Ok(done)) => answer.objects.push(done),
                        Some(Err(error)) => failed = Some(refusal(&object.uri(), &error)),
                        None => {
                            failed = Some(logged(Refusal::own(format!("{} was not taken", object.uri()))))
                        }
                    },
                }
            }
            let Some(refusal) = failed else { continue };
            if let Some(id) = &delivery.message_id {
                sqs.fail(id);
            }
            // What may pass decides over what will not: only then is another delivery of use.
            if trouble.as_ref().is_none_or(|known| known.kind == Kind::Input) {
                trouble = Some(refusal);
            }
        }
        if parsed.shape == Shape::Sqs {
            return Ok(Answered::Sqs(sqs));
        }
        match trouble {
            Some(refusal) => Err(refusal),
            None if parsed.shape == Shape::Request => single(answer),
            None if parsed.shape == Shape::Task => single(of_task(answer)),
            None => Ok(Answered::Objects(answer)),
        }
    }

    /// What came of all objects of an event, in its order.
    fn objects(&self, parsed: &Parsed, request: &Request) -> Vec<Result<ObjectAnswer, Error>> {
        let objects =
            parsed.deliveries.iter().flat_map(|delivery| &delivery.items).filter_map(|item| match item {
                Item::Object(object) => Some(object),
                Item::Ignored { .. } | Item::CrawlerEnded(_) => None,
            });
        let mut crawlers = Started::default();
        let arrivals: Vec<_> =
            objects.map(|object| (object, self.arrived(object, request, &mut crawlers))).collect();
        let wanted: Vec<&ObjectRef> =
            arrivals.iter().filter(|(_, arrived)| arrived.is_none()).map(|(object, _)| *object).collect();
        let mut taken = self.side_by_side(&wanted, request).into_iter();
        arrivals.into_iter().filter_map(|(_, arrived)| arrived.or_else(|| taken.next())).collect()
    }
}

/// A machine finds the list of notices in each answer, however empty.
fn of_task(mut answer: Answer) -> Answer {
    for object in &mut answer.objects {
        object.notices.get_or_insert_default();
    }
    answer
}

/// A state machine asked for one object: what is wrong with it is an error that it can catch.
fn single(answer: Answer) -> Result<Answered, Refusal> {
    let failed = |object: &&ObjectAnswer| matches!(object.state, AnswerState::Failed | AnswerState::Refused);
    match answer.objects.iter().find(failed) {
        Some(object) => {
            let why = object.error.as_ref().map(|error| {
                let hint = error.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
                format!("{}: {}{hint}", error.code, error.message)
            });
            Err(Refusal::new(Kind::Input, why.unwrap_or_default()))
        }
        None => Ok(Answered::Objects(answer)),
    }
}

/// What is no object's.
fn logged(refusal: Refusal) -> Refusal {
    tracing::error!(error = refusal.name(), "{}", refusal.message);
    refusal
}

/// With what to do about it: for a denied call that is the permission to add.
fn refusal(uri: &str, error: &Error) -> Refusal {
    Refusal::new(error.kind(), format!("{uri}: {}", said(error)))
}

/// Where no object is concerned: no input is to blame, whatever is wrong.
fn refused(error: &Error) -> Refusal {
    let kind = if error.kind() == Kind::Passing { Kind::Passing } else { Kind::Own };
    Refusal::new(kind, said(error))
}

fn said(error: &Error) -> String {
    let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("{}: {error}{hint}", error.code())
}

#[cfg(test)]
#[path = "logged_tests.rs"]
mod logged_tests;
#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::AnswerError;
    use lakegate_base::Code;
    use lakegate_lake::storage::StorageError;

    #[test]
    fn a_denied_call_is_no_bad_input() {
        let denied = crate::client::AwsError::new(
            crate::client::Fault::Denied,
            "s3:PutObject",
            "s3://lake/t/a.parquet",
            "no (AccessDenied)",
        );
        let told = refusal("s3://raw/x.json", &StorageError::from(denied).into());
        assert_eq!(told.name(), "Lakegate.OwnFault");
        assert_eq!(
            told.message,
            "s3://raw/x.json: access_denied: s3:PutObject on s3://lake/t/a.parquet was denied: no (AccessDenied); \
             allow s3:PutObject on arn:aws:s3:::lake/t/a.parquet"
        );
    }

    #[test]
    fn a_start_that_fails_is_nobody_s_input() {
        let wrong = Error::new(Code::TypesOpen, "types are open").with_hint("say learn");
        let told = Refusal::of_start(&wrong);
        assert_eq!(
            (told.name(), told.message.as_str()),
            ("Lakegate.OwnFault", "types_open: types are open; say learn")
        );
        assert_eq!(Refusal::of_start(&Error::new(Code::Throttled, "no")).name(), "Lakegate.PassingTrouble");
    }

    #[test]
    fn a_single_request_is_told_what_to_do() {
        let error = AnswerError {
            code: "syntax_error".into(),
            message: "a comma is missing".into(),
            hint: Some("add it".into()),
        };
        let failed =
            ObjectAnswer { state: AnswerState::Failed, error: Some(error), ..ObjectAnswer::default() };
        let told = single(Answer { objects: vec![failed] }).unwrap_err();
        assert_eq!(told.message, "syntax_error: a comma is missing; add it");
        assert_eq!(told.name(), "Lakegate.BadInput");
    }
}

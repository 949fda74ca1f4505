//! One event, whatever its shape, to the answer that its sender understands.
//!
//! Not for single objects. The decision to know: senders differ in what they take for a failure. SQS wants
//! the list of messages to deliver again; Lambda delivers an event again when it ends in an error, and
//! Step Functions catches an error by its name.

use serde_json::Value;

use super::Deployed;
use super::object::Request;
use crate::error::{Error, Kind};
use crate::event::{self, Answer, AnswerState, Item, ObjectAnswer, Shape, SqsAnswer};
use crate::observe::stage;

/// An answer as it goes back.
#[derive(Clone, Debug, PartialEq)]
pub enum Answered {
    /// To everybody but SQS.
    Objects(Answer),
    /// To SQS.
    Sqs(SqsAnswer),
}

/// An event that failed, by a name that stays: what a Step Functions `Catch` or `Retry` matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// `Lakegate.BadInput`, `Lakegate.PassingTrouble` or `Lakegate.OwnFault`.
    pub name: &'static str,
    /// What went wrong, for people.
    pub message: String,
}

impl Refusal {
    fn new(kind: Kind, message: String) -> Self {
        let name = match kind {
            Kind::Input => "Lakegate.BadInput",
            Kind::Passing => "Lakegate.PassingTrouble",
            Kind::Own => "Lakegate.OwnFault",
        };
        Self { name, message }
    }

    /// The host's own fault.
    pub fn own(message: String) -> Self {
        Self::new(Kind::Own, message)
    }
}

impl Deployed {
    /// Takes all objects of an event, each by itself: one that fails does not hold up the others.
    ///
    /// # Errors
    /// Something should be delivered again, or a single request has bad input.
    pub fn event(&self, event: &Value, request: &Request) -> Result<Answered, Refusal> {
        let span = stage::request(&request.id);
        let _entered = span.enter();
        let parsed = event::parse(event);
        let (mut answer, mut sqs) = (Answer::default(), SqsAnswer::default());
        let mut trouble: Option<Refusal> = None;
        for delivery in &parsed.deliveries {
            let mut failed = delivery.error.clone().map(|why| Refusal::new(Kind::Input, why));
            for item in &delivery.items {
                match item {
                    Item::Ignored { why, uri } => {
                        stage::ignored(uri.as_deref(), why);
                    }
                    Item::Object(object) => match self.object(object, request) {
                        Ok(done) => answer.objects.push(done),
                        Err(error) => failed = Some(refusal(&object.uri(), &error)),
                    },
                }
            }
            let Some(refusal) = failed else { continue };
            tracing::error!(error = refusal.name, "{}", refusal.message);
            if let Some(id) = &delivery.message_id {
                sqs.fail(id);
            }
            // What may pass decides over what will not: only then is another delivery of use.
            if trouble.as_ref().is_none_or(|known| known.name == "Lakegate.BadInput") {
                trouble = Some(refusal);
            }
        }
        if parsed.shape == Shape::Sqs {
            return Ok(Answered::Sqs(sqs));
        }
        match trouble {
            Some(refusal) => Err(refusal),
            None if parsed.shape == Shape::Request => single(answer),
            None => Ok(Answered::Objects(answer)),
        }
    }
}

/// A state machine asked for one object: what is wrong with it is an error that it can catch.
fn single(answer: Answer) -> Result<Answered, Refusal> {
    let failed = |object: &&ObjectAnswer| matches!(object.state, AnswerState::Failed | AnswerState::Refused);
    match answer.objects.iter().find(failed) {
        Some(object) => {
            let why = object.error.as_ref().map(|error| format!("{}: {}", error.code, error.message));
            Err(Refusal::new(Kind::Input, why.unwrap_or_default()))
        }
        None => Ok(Answered::Objects(answer)),
    }
}

/// With what to do about it: for a denied call that is the permission to add.
fn refusal(uri: &str, error: &Error) -> Refusal {
    let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
    Refusal::new(error.kind(), format!("{uri}: {}: {error}{hint}", error.code()))
}

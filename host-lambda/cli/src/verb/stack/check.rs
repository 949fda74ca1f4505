//! `lakegate stack check`: what is deployed against what would be rendered now.
//!
//! For: an answer for people, and an exit code for a schedule. Not for deploying. The decision to know: three things are
//! asked, as each may differ alone: the template that CloudFormation keeps, how it says that its resources stand, and
//! what is really there of what somebody can change by hand.

use super::formation::{Part, Stack};
use super::live::{self, Found};
use super::render::{checked, surroundings};
use crate::args::config::ConfigArg;
use crate::cloud::{Connection, configuration_path};
use crate::context::Context;
use crate::show::output::{Answer, Exit, Outcome};
use crate::show::render::{Screen, Tone, count, visible};
use clap::Args;
use lakegate_base::{Code, Error};
use lakegate_stack::{Difference, differences, render};
use serde_json::{Value, json};

/// Arguments of `stack check`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate stack check                            the stack of lakegate.toml here or in a folder above
  lakegate stack check --stack acme-prod --config prod/lakegate.toml
  lakegate stack check --json | jq '.differences[].id'

Looks and changes nothing. Exit codes: 0 all is as it would be rendered, 1 something differs.")]
pub(super) struct CheckArgs {
    /// Name of the deployed stack [default: `stack.name` of the configuration]
    #[arg(long, value_name = "NAME")]
    stack: Option<String>,
    #[command(flatten)]
    config: ConfigArg,
}

/// What differs.
struct Told {
    name: String,
    stack: Stack,
    differences: Vec<Difference>,
    found: Found,
}

pub(super) fn run(args: &CheckArgs, context: &Context) -> Outcome {
    let path = configuration_path(args.config.config.as_deref())?;
    let config = checked(&path)?;
    let rendered = render(&config, &surroundings(&config)?)?;
    let template = rendered.files.get("template.yaml").map_or("", String::as_str);
    let own = config.stack.as_ref().map(|stack| stack.name.clone());
    let name = args.stack.clone().or(own).unwrap_or_default();
    let connection = Connection::open()?;
    let stack = Stack::read(connection.aws(), &name)?.ok_or_else(|| {
        Error::new(Code::ResourceMissing, format!("there is no stack {name}")).with_hint(
            "`lakegate stack render` writes it and `sam deploy` deploys it; --stack says another name, AWS_REGION the region",
        )
    })?;
    let differences = differences(&stack.template, template)?;
    let found = live::look(connection.aws(), template, &stack, &rendered.bridges)?;
    Ok(Told { name, stack, differences, found }.answer(context.out))
}

impl Told {
    fn answer(&self, screen: Screen) -> Answer {
        let unfinished: Vec<(&String, &Part)> =
            self.stack.parts.iter().filter(|(_, part)| !part.is_complete()).collect();
        let drifted: Vec<(&String, &Part)> =
            self.stack.parts.iter().filter(|(_, part)| part.is_drifted()).collect();
        let same = self.stack.is_complete()
            && (self.differences.is_empty() && unfinished.is_empty() && drifted.is_empty())
            && self.found.wrong.is_empty();
        let exit = if same { Exit::Done } else { Exit::Failed };
        let tone = if self.stack.is_complete() { Tone::Good } else { Tone::Bad };
        let mut text = format!(
            "{}: {}, {}\n",
            screen.paint(Tone::Name, &self.name),
            screen.paint(tone, &self.stack.status),
            count(self.stack.parts.len() as u64, "resource", "resources")
        );
        if let (false, Some(why)) = (self.stack.is_complete(), &self.stack.reason) {
            text.push_str(&format!("  {}\n", visible(why)));
        }
        let mut line = |tone: Tone, word: &str, rest: &str| {
            text.push_str(&format!("  {} {rest}\n", screen.paint(tone, &format!("{word:<8}"))));
        };
        for one in &self.differences {
            line(Tone::Warn, one.change, &format!("{} ({})", one.id, one.kind));
            one.deployed.iter().for_each(|is| line(Tone::Bad, "", &format!("- {}", visible(is))));
            one.rendered.iter().for_each(|is| line(Tone::Good, "", &format!("+ {}", visible(is))));
        }
        for (id, part) in &unfinished {
            let why = part.reason.as_ref().map(|why| format!(": {}", visible(why))).unwrap_or_default();
            line(Tone::Bad, "status", &format!("{id} ({}) is {}{why}", part.kind, part.status));
        }
        drifted.iter().for_each(|(id, part)| line(Tone::Warn, "drifted", &format!("{id} ({})", part.kind)));
        for wrong in &self.found.wrong {
            line(Tone::Bad, "there", &format!("{}: {}", visible(&wrong.name), visible(&wrong.says)));
        }
        self.found.notes.iter().for_each(|note| line(Tone::Warn, "note:", note));
        if same {
            line(Tone::Good, "same", "all is as it would be rendered now");
        }
        Answer { text, json: self.json(&unfinished, &drifted), exit }
    }

    fn json(&self, unfinished: &[(&String, &Part)], drifted: &[(&String, &Part)]) -> Value {
        let difference = |one: &Difference| json!({"id": one.id, "type": one.kind, "change": one.change, "deployed": one.deployed, "rendered": one.rendered});
        let part = |(id, part): &(&String, &Part)| json!({"id": id, "type": part.kind, "name": part.name, "status": part.status, "reason": part.reason});
        let wrong = |one: &live::Wrong| json!({"id": one.id, "name": one.name, "says": one.says});
        json!({
            "stack": self.name, "status": self.stack.status, "reason": self.stack.reason,
            "resources": self.stack.parts.len(), "outputs": self.stack.outputs,
            "differences": self.differences.iter().map(difference).collect::<Vec<_>>(),
            "unfinished": unfinished.iter().map(part).collect::<Vec<_>>(),
            "drifted": drifted.iter().map(part).collect::<Vec<_>>(),
            "there": self.found.wrong.iter().map(wrong).collect::<Vec<_>>(),
            "notes": self.found.notes,
        })
    }
}

//! `lakegate cost`: what a month of a stack costs.
//!
//! Not for the figures, which are the stack crate's. The decision to know: every line shows quantity and price, and what
//! was not looked up or measured says so.

use crate::args::config::ConfigArg;
use crate::cloud::configuration_path;
use crate::context::Context;
use crate::show::output::{Answer, Outcome};
use crate::show::render::{Cell, Grid, Holds, Tone};
use clap::Args;
use lakegate_base::Error;
use lakegate_config::Config;
use lakegate_stack::{CRAWLERS, Cost, Load, cost};
use serde_json::json;

/// Arguments of `cost`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate cost                                  10 GiB in 10,000 objects a month
  lakegate cost --gb 500 --objects 2000000
  lakegate cost --json | jq .dollars")]
pub struct CostArgs {
    /// Raw bytes of a month, in GiB
    #[arg(long, value_name = "N", default_value_t = 10.0)]
    gb: f64,
    /// Objects of a month
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    objects: u64,
    #[command(flatten)]
    config: ConfigArg,
}

/// Runs `cost`.
pub fn run(args: &CostArgs, context: &Context) -> Outcome {
    if !args.gb.is_finite() || args.gb < 0.0 {
        return Err(Error::usage("--gb is a number from 0"));
    }
    let path = configuration_path(args.config.config.as_deref())?;
    let config = Config::open(&path).map_err(|error| error.in_file(path.display().to_string()))?;
    #[allow(clippy::cast_precision_loss)] // counts beyond 2^53 do not happen
    let load = Load { gib: args.gb, objects: args.objects as f64 };
    let month = cost(&config, load)?;
    let json = json!({"gib": args.gb, "objects": args.objects, "cost": month, "dollars": month.dollars});
    Ok(Answer { text: text(args, &month, context), json, ..Answer::default() })
}

fn text(args: &CostArgs, month: &Cost, context: &Context) -> String {
    let mut grid = Grid::new(&["what", ">quantity", "unit", ">price", ">dollars", ""]).of(Holds::Names);
    for line in &month.lines {
        grid.row(vec![
            line.what.clone().into(),
            format!("{:.1}", line.quantity).into(),
            Cell::new(Tone::Dim, line.unit.clone()),
            format!("{}", line.price).into(),
            format!("{:.2}", line.dollars).into(),
            Cell::new(Tone::Warn, if line.looked_up { "" } else { "price not looked up" }.to_owned()),
        ]);
    }
    let crawlers: f64 =
        month.lines.iter().filter(|line| line.what == CRAWLERS).map(|line| line.dollars).sum();
    let hint = if crawlers > month.dollars / 2.0 {
        "  most of it are runs of crawlers: with kind = \"glue\" the host registers tables itself\n"
    } else {
        ""
    };
    format!(
        "{} GiB in {} objects a month, prices of {}, no free tier:\n{}  {} dollars a month\n{hint}  assumed, not measured: {}\n",
        args.gb,
        args.objects,
        month.region,
        grid.render(context.out),
        context.out.paint(Tone::Name, &format!("{:.2}", month.dollars)),
        month.assumed.join(", ")
    )
}

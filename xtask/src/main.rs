//! `cargo xtask`: what cargo alone cannot do, one file a task.
//!
//! Not for anything a user of `lakegate` needs at run time. Tasks talk on standard error; standard output
//! carries only a task's answer.

#![forbid(unsafe_code)]

mod arguments;
mod bench;
mod build;
mod component;
mod demo;
mod dist;
mod package;
mod programs;
mod reproduce;
mod setup;
mod test;
mod torture;
mod web;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;

use crate::arguments::Task;
use crate::package::Wanted;
use crate::programs::Profile;
use crate::workspace::Workspace;

fn main() -> Result<ExitCode> {
    let task = arguments::parse(std::env::args().skip(1))?;
    if task == Task::Help {
        println!("{}", arguments::HELP);
        return Ok(ExitCode::SUCCESS);
    }
    let workspace = Workspace::find()?;
    // Said by its closing line; an error would come after it.
    if task == Task::Test {
        let passed = test::test(&workspace)?;
        return Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    run(task, &workspace)?;
    Ok(ExitCode::SUCCESS)
}

fn run(task: Task, workspace: &Workspace) -> Result<()> {
    match task {
        Task::Help | Task::Test => Ok(()),
        Task::Component { package } => {
            let package = package.as_deref().unwrap_or(component::SHIPPED);
            component::component_of(workspace, Profile::Dev, package)
                .map(|made| println!("{}", made.path.display()))
        }
        Task::Build { release } => {
            let profile = if release { Profile::Release } else { Profile::Dev };
            build::build_all(workspace, profile).map(|binary| println!("{}", binary.display()))
        }
        Task::Torture { minutes, seed, only } => torture::torture(workspace, minutes, seed, only.as_deref()),
        Task::Reproduce => reproduce::reproduce(workspace),
        Task::Setup { all } => {
            let python = setup::setup(workspace)?;
            if all {
                setup::stack_tools(workspace)?;
            }
            println!("{}", python.display());
            Ok(())
        }
        Task::Demo => demo::demo(workspace),
        Task::Package { processor, dev, config } => {
            let zip = package::package(workspace, &Wanted::of(processor, dev, config)?)?;
            println!("{}\n{}", zip.said, zip.path.display());
            Ok(())
        }
        Task::Dist { target } => dist::dist(workspace, target.as_deref()),
        Task::Web => web::web(workspace, Profile::Dev).map(|folder| println!("{}", folder.display())),
        Task::Bench { quick, only, clickhouse } => bench::bench(workspace, quick, &only, clickhouse),
    }
}

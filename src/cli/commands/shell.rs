//! `recipe-render completions` and `recipe-render man`: shell completions and manual pages, generated from the command line's
//! description.

use std::path::Path;

use clap_mangen::Man;

use crate::cli::args::command;
use crate::cli::args::{CompletionsArgs, ManArgs};
use crate::cli::failure::{Exit, Failure, Outcome};
use crate::cli::terminal::{Voice, voice};
use crate::ours;
use crate::output::write_whole;

/// Prints the completions of one shell.
pub fn completions(args: &CompletionsArgs) -> Outcome {
    let mut command = command();
    let name = command.get_name().to_owned();
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut command, name, &mut text);
    voice::result(&text)?;
    Ok(Exit::Done)
}

/// Prints the main page, or writes the pages of all commands into a folder.
pub fn man(args: &ManArgs, voice: &Voice) -> Outcome {
    let mut command = command();
    // Gives every command the shared options and its full name.
    command.build();
    let Some(folder) = &args.folder else {
        voice::result(&page(command)?.1)?;
        return Ok(Exit::Done);
    };
    if !folder.is_dir() {
        return Err(Failure::wrong(format!("{}: not a folder", folder.display()))
            .hint(format!("make it first: mkdir -p {}", folder.display())));
    }
    let count = pages(command, folder)?;
    voice.note(&format!("{}: {count} pages", folder.display()));
    Ok(Exit::Done)
}

/// Writes the pages of a command and its subcommands; returns how many.
fn pages(command: clap::Command, folder: &Path) -> Result<usize, Failure> {
    let below: Vec<clap::Command> =
        command.get_subcommands().filter(|below| below.get_name() != "help" && !below.is_hide_set()).cloned().collect();
    let (name, text) = page(command)?;
    let path = folder.join(name);
    if !is_ours(&path) {
        return Err(Failure::failed(format!("{}: not a manual page of this program", path.display()))
            .hint("give another folder, or move it away"));
    }
    write_whole(&path, |file| file.write_all(&text))?;
    let mut count = 1;
    for command in below {
        count += pages(command, folder)?;
    }
    Ok(count)
}

/// Returns whether the path is free, or holds a page that we wrote.
fn is_ours(path: &Path) -> bool {
    ours::is_free(path)
        || ours::is_file(path)
            && std::fs::read(path).is_ok_and(|text| {
                let title = text.split(|&byte| byte == b'\n').find(|line| line.starts_with(b".TH "));
                title.is_some_and(|line| line.starts_with(b".TH recipe-render"))
            })
}

/// Returns a page's file name and text.
fn page(command: clap::Command) -> Result<(String, Vec<u8>), Failure> {
    let version = format!("recipe-render {}", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command).manual("recipe-render").source(version);
    let mut text = Vec::new();
    man.render(&mut text).map_err(Failure::failed)?;
    Ok((man.get_filename(), text))
}

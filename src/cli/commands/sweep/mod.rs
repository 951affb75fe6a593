//! `recipe-render sweep RECIPE --set PATH=VALUES`: renders all combinations of values, and a contact sheet of the pictures.

mod combinations;
mod existing;
mod index;
mod names;
mod plan;
mod sheet;
mod values;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::cli::args::parse_from;
use crate::cli::args::{RenderArgs, SweepArgs};
use crate::cli::bench::Workbench;
use crate::cli::failure::{Exit, Failure, Outcome};
use crate::cli::job::live::Live;
use crate::cli::job::run::{Ended, Report, Run};
use crate::cli::job::{Job, identity};
use crate::cli::source::Source;
use crate::cli::terminal::{Voice, interrupt, voice};
use crate::output::{check_own, check_own_picture, check_writable};
use crate::recipe::Setting;
use crate::runtime;
use combinations::{Sweep, label};
use index::{Index, RenderRecord, RenderStatus, SHEET};
use plan::Planned;

/// The index's file name.
const INDEX: &str = "index.json";

/// Checks every combination, then renders those whose pictures do not exist yet. A failure is reported and does not keep the
/// other combinations from being rendered; the exit code is the worst.
pub fn run(args: &SweepArgs, options: runtime::Options, voice: &Voice, started: Instant) -> Outcome {
    let source = Source::read(&args.recipe)?;
    let sweep = Sweep::new(&args.instead.set, &args.zip).map_err(|mistakes| several(&mistakes))?;
    for (option, setting) in
        args.instead.set.iter().map(|set| ("--set", set)).chain(args.zip.iter().map(|zip| ("--zip", zip)))
    {
        if let Some(parts) = values::split_text(&setting.value) {
            voice.warning(&split(option, setting, &parts));
        }
    }
    let planned = plan::plan(args, &source, &sweep, voice)?;
    let folder = folder(args)?;
    let states = existing::states(&planned, &source, &folder, args.compute.device)?;
    if args.dry_run {
        return announce(&planned, &states, &folder);
    }
    make(&folder)?;
    for name in planned.iter().map(|planned| planned.file.as_str()).chain([SHEET, INDEX]) {
        let path = folder.join(name);
        check_writable(&path)?;
        match name {
            INDEX => check_own(&path, Index::is_ours)?,
            _ => check_own_picture(&path)?,
        }
        if identity(&path) == identity(&args.recipe) {
            return Err(Failure::wrong(format!(
                "{}: a picture of the sweep would overwrite this recipe",
                path.display()
            ))
            .hint("name another folder with --output"));
        }
    }
    let missing = states.iter().filter(|state| **state == RenderStatus::Missing).count();
    if missing < planned.len() {
        voice.note(&format!("{} of {} pictures already exist", planned.len() - missing, planned.len()));
    }
    let _graceful = interrupt::graceful();
    let mut entries = Index::entries_before(&folder.join(INDEX), &planned, &states);
    let work = Work { args, voice, source: &source, planned: &planned, folder: &folder };
    let worst = work.render(options, started, &mut entries)?;
    sheet::sheet(&source, &sweep, &planned, &entries, &folder)?.write(&folder.join(SHEET))?;
    Index::new(&args.recipe, entries).write(&folder.join(INDEX))?;
    voice::result(format!("{}\n", folder.join(SHEET).display()).as_bytes())?;
    Ok(if interrupt::requested() { Exit::Interrupted } else { worst })
}

/// Returns the warning that a text was split at its commas, and how to keep it whole.
fn split(option: &str, setting: &Setting, parts: &[&str]) -> String {
    let path = &setting.path;
    let list =
        parts.iter().map(|part| format!("\"{}\"", part.trim_matches(['"', '\'']))).collect::<Vec<_>>().join(" and ");
    format!(
        "{option} {setting}: {} values, {list} (in quotes a comma is part of the text: {option} '{path}=\"{}\"')",
        parts.len(),
        setting.value
    )
}

/// The work of a sweep.
struct Work<'a> {
    args: &'a SweepArgs,
    voice: &'a Voice,
    source: &'a Source,
    planned: &'a [Planned],
    folder: &'a Path,
}

impl Work<'_> {
    /// Renders the missing pictures; returns the worst exit code.
    fn render(&self, options: runtime::Options, mut started: Instant, entries: &mut [RenderRecord]) -> Outcome {
        let mut worst = Exit::Done;
        if entries.iter().all(|entry| entry.state != RenderStatus::Missing) {
            return Ok(worst);
        }
        // Other options have their defaults, as without a sweep.
        let render_args = render_args(self.args)?;
        let mut bench = Workbench::new(self.args.compute.threads, self.args.compute.device, options, self.voice)?;
        for (index, (planned, entry)) in self.planned.iter().zip(&mut *entries).enumerate() {
            if entry.state != RenderStatus::Missing || interrupt::requested() {
                continue;
            }
            let name = format!("{}/{}: {}", index + 1, self.planned.len(), label(&planned.combination.varied));
            self.voice.note(&name);
            match self.one(&render_args, &mut bench, planned, &name, started, entry) {
                Ok(Ended::Done(exit)) => worst = worst.max(exit),
                Ok(Ended::Interrupted | Ended::Superseded(_)) => entry.state = RenderStatus::Unfinished,
                Err(failure) => {
                    entry.state = RenderStatus::Failed;
                    entry.error = Some(failure.message.clone());
                    worst = worst.max(failure.exit);
                    self.voice.failure(&failure);
                }
            }
            // Only the time of the first render includes the start of the process.
            started = Instant::now();
        }
        self.voice.note(&summary(entries));
        Ok(worst)
    }

    fn one(
        &self,
        render_args: &RenderArgs,
        bench: &mut Workbench,
        planned: &Planned,
        name: &str,
        started: Instant,
        entry: &mut RenderRecord,
    ) -> Result<Ended, Failure> {
        let output = self.folder.join(&planned.file);
        let job = Job { recipe: self.args.recipe.clone(), output, title: Some(name.to_owned()) };
        let mut report = |report: &Report<'_>| {
            *entry = RenderRecord::rendered(planned, report);
            Ok(())
        };
        // A sweep has no live page.
        let live = Live::start(render_args, &job.recipe, self.voice)?;
        let run = Run {
            args: render_args,
            overrides: &planned.overrides,
            voice: self.voice,
            job: &job,
            live: &live,
            several: false,
            edited: false,
            started,
            memory: &[],
            carry: None,
            unwanted: &mut || false,
            report: &mut report,
        };
        run.render(bench, self.source, &planned.compiled)
    }
}

/// Summarises the states of all renders in a sentence.
fn summary(entries: &[RenderRecord]) -> String {
    let count = |state: RenderStatus| entries.iter().filter(|entry| entry.state == state).count();
    let (there, failed) = (count(RenderStatus::There), count(RenderStatus::Failed));
    let missing = count(RenderStatus::Missing) + count(RenderStatus::Unfinished);
    let mut parts = vec![format!("{} rendered", count(RenderStatus::Rendered))];
    parts.extend((there > 0).then(|| format!("{there} already there")));
    parts.extend((failed > 0).then(|| format!("{failed} failed")));
    parts.extend((missing > 0).then(|| format!("{missing} missing (the same command line adds them)")));
    format!("{} pictures: {}", entries.len(), parts.join(", "))
}

/// Returns the arguments of a single render: only the recipe's name and how to show the picture.
fn render_args(args: &SweepArgs) -> Result<RenderArgs, Failure> {
    let line = ["recipe-render".into(), "--".into(), args.recipe.clone().into_os_string()];
    let mut render = parse_from(line).map_err(Failure::wrong)?.render;
    render.record.preview = args.preview.clone();
    Ok(render)
}

/// Joins several mistakes of the command line into one failure.
fn several(mistakes: &[String]) -> Failure {
    Failure::wrong(mistakes.join("\nerror: "))
}

/// Returns the folder for the pictures, which may not exist yet.
fn folder(args: &SweepArgs) -> Result<PathBuf, Failure> {
    let folder = match &args.output {
        Some(folder) => folder.clone(),
        None => {
            let stem = match args.recipe.as_os_str() == "-" {
                true => "stdin".as_ref(),
                false => args.recipe.file_stem().unwrap_or_default(),
            };
            let mut name = stem.to_os_string();
            // A draft must not overwrite pictures that took longer.
            name.push(if args.instead.draft { "-draft-sweep" } else { "-sweep" });
            PathBuf::from(name)
        }
    };
    if folder.exists() && !folder.is_dir() {
        let shown = folder.display();
        return Err(Failure::wrong(format!("{shown}: not a folder, and a sweep's pictures need one"))
            .hint("name a folder with --output"));
    }
    Ok(folder)
}

fn make(folder: &Path) -> Result<(), Failure> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir(folder).map_err(|error| {
        let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty() && !parent.exists());
        Failure::failed(format!("{}: cannot make this folder: {error}", folder.display()))
            .hinted(parent.map(|parent| format!("make it first: mkdir -p {}", parent.display())))
    })
}

/// Prints what would be rendered, for `--dry-run`.
fn announce(planned: &[Planned], states: &[RenderStatus], folder: &Path) -> Outcome {
    let missing = states.iter().filter(|state| **state == RenderStatus::Missing).count();
    let mut text = String::new();
    for (planned, state) in planned.iter().zip(states) {
        let there = if *state == RenderStatus::Missing { "to render" } else { "exists   " };
        text += &format!("{there}  {}  {}\n", folder.join(&planned.file).display(), label(&planned.combination.varied));
    }
    let size = |planned: &Planned| planned.compiled.plan.steps();
    let steps: u64 =
        planned.iter().zip(states).filter(|(_, s)| **s == RenderStatus::Missing).map(|(p, _)| size(p)).sum();
    text += &format!("{} pictures, {missing} to render, {steps} steps in all\n", planned.len());
    voice::result(text.as_bytes())?;
    Ok(Exit::Done)
}

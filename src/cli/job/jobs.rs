//! Assigns recipes to pictures, and checks the outputs, before anything is rendered.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::video;
use crate::cli::args::RenderArgs;
use crate::cli::failure::Failure;
use crate::cli::source::picture::is_picture;
use crate::output::{check_own_picture, check_writable, is_snapshot_of, resolve, sheet_path};

/// Extensions of formats that we do not write.
const OTHER_FORMATS: [&str; 13] =
    ["jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff", "avif", "jxl", "heic", "svg", "pdf", "toml"];

/// The name of the timings file in messages.
const TIMINGS: &str = "--timings";

/// One recipe and its picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Job {
    /// `-` is standard input.
    pub recipe: PathBuf,
    pub output: PathBuf,
    /// The name in messages, if it is not the recipe's.
    pub title: Option<String>,
}

impl Job {
    /// Returns the job's name in messages.
    pub(crate) fn name(&self) -> String {
        match &self.title {
            Some(title) => title.clone(),
            None if self.is_stdin() => "standard input".into(),
            None => self.recipe.display().to_string(),
        }
    }

    pub(crate) fn is_stdin(&self) -> bool {
        self.recipe.as_os_str() == "-"
    }
}

/// Returns the jobs of a command line. What can be checked beforehand must not fail after a minute of rendering: every output can
/// be written, and none would overwrite a recipe or another output.
pub(crate) fn jobs(args: &RenderArgs) -> Result<Vec<Job>, Failure> {
    jobs_of(args, &args.recipes, args.recipes.len() > 1)
}

/// Returns the jobs of some recipes. `several`: there are other recipes, or there may be later.
pub(crate) fn jobs_of(args: &RenderArgs, recipes: &[PathBuf], several: bool) -> Result<Vec<Job>, Failure> {
    let folder = output_folder(args, several)?;
    let mut jobs = Vec::new();
    for recipe in recipes {
        let output = match (&args.output, &folder) {
            (Some(output), None) => output.clone(),
            (_, folder) => folder.clone().unwrap_or_default().join(picture_name(recipe, args.instead.draft)?),
        };
        jobs.push(Job { recipe: recipe.clone(), output, title: None });
    }
    check_format(args, &folder)?;
    if args.timings.as_ref().is_some_and(|path| path.as_os_str() == "-") {
        return Err(Failure::wrong("--timings -: timings cannot go to standard output; results are printed there")
            .hint("name a file"));
    }
    video::check(&args.record)?;
    check_distinct(&jobs, &beside(args))?;
    if snapshots(args) {
        check_snapshots(&jobs)?;
    }
    let outputs = jobs.iter().map(|job| job.output.as_path());
    for path in outputs.chain(beside(args).into_iter().map(|(path, _)| path)) {
        check_writable(path)?;
    }
    // A path that the user named may be overwritten. At a path that we made up, only a picture of ours may be.
    for job in &jobs {
        if args.output.is_none() || folder.is_some() {
            check_own_picture(&job.output)?;
        }
        if args.record.sheet {
            check_own_picture(&sheet_path(&job.output))?;
        }
    }
    Ok(jobs)
}

/// Returns the files written beside the pictures under names of their own, each with its option.
pub(crate) fn beside(args: &RenderArgs) -> Vec<(&Path, &'static str)> {
    let timings = args.timings.as_deref().map(|path| (path, TIMINGS));
    let video = args.record.video.as_deref().map(|path| (path, "--video"));
    timings.into_iter().chain(video).collect()
}

/// Returns whether further pictures are written whose names derive from the picture's.
pub(crate) fn snapshots(args: &RenderArgs) -> bool {
    args.every.is_some() || args.phases || args.record.sheet || args.page()
}

/// Returns the folder that `--output` names, if it names one.
fn output_folder(args: &RenderArgs, several: bool) -> Result<Option<PathBuf>, Failure> {
    let Some(output) = &args.output else { return Ok(None) };
    let named_as_folder = output.as_os_str().to_string_lossy().ends_with(['/', std::path::MAIN_SEPARATOR]);
    if output.is_dir() {
        return Ok(Some(output.clone()));
    }
    if !several && !named_as_folder {
        return Ok(None);
    }
    let shown = output.display();
    if output.exists() {
        return Err(Failure::wrong(format!("--output {shown}: not a folder, and several recipes need one")));
    }
    let why = if several { ", and several recipes need a folder" } else { "" };
    Err(Failure::wrong(format!("--output {shown}: does not exist{why}"))
        .hint(format!("make it first: mkdir -p {shown}")))
}

/// Returns the recipe's stem with `.png`. A draft and a picture rendered again have names of their own, so that they do not
/// overwrite a picture that took longer.
fn picture_name(recipe: &Path, draft: bool) -> Result<OsString, Failure> {
    let stem = match recipe.as_os_str() == "-" {
        true => "stdin".as_ref(),
        false => recipe.file_stem().ok_or_else(|| Failure::wrong(format!("{}: not a file", recipe.display())))?,
    };
    let mut name = stem.to_os_string();
    name.push(match (draft, is_picture(recipe)) {
        (true, _) => "-draft.png",
        (false, true) => "-again.png",
        (false, false) => ".png",
    });
    Ok(name)
}

fn check_format(args: &RenderArgs, folder: &Option<PathBuf>) -> Result<(), Failure> {
    let Some(output) = args.output.as_ref().filter(|_| folder.is_none()) else { return Ok(()) };
    if output.as_os_str() == "-" {
        return Err(Failure::wrong("--output -: a picture cannot go to standard output; results are printed there"));
    }
    let extension = output.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    if OTHER_FORMATS.iter().any(|other| extension.eq_ignore_ascii_case(other)) {
        return Err(Failure::wrong(format!("--output {}: pictures are written as PNG", output.display()))
            .hint(format!("name it {}", output.with_extension("png").display())));
    }
    Ok(())
}

fn check_distinct(jobs: &[Job], beside: &[(&Path, &str)]) -> Result<(), Failure> {
    let mut taken: HashMap<PathBuf, String> = HashMap::new();
    for job in jobs.iter().filter(|job| !job.is_stdin()) {
        taken.insert(identity(&job.recipe), format!("the recipe {}", job.recipe.display()));
    }
    let outputs = jobs.iter().map(|job| (job.output.as_path(), format!("the picture of {}", job.name())));
    for (path, what) in outputs.chain(beside.iter().map(|(path, option)| (*path, (*option).to_owned()))) {
        // A device like `/dev/null` takes any number of pictures.
        if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            continue;
        }
        if let Some(other) = taken.insert(identity(path), what.clone()) {
            let message = format!("{what} would be written to {}, which is {other}", path.display());
            let hint = match what.as_str() {
                TIMINGS => "name another timings file",
                what if what.starts_with("--") => "name another file",
                _ => "give the recipes distinct names, or render them one by one with --output",
            };
            return Err(Failure::wrong(message).hint(hint));
        }
    }
    Ok(())
}

/// Fails if a snapshot of one picture could overwrite another picture or a recipe.
fn check_snapshots(jobs: &[Job]) -> Result<(), Failure> {
    for job in jobs {
        let output = identity(&job.output);
        for other in jobs.iter().flat_map(|job| [&job.output, &job.recipe]) {
            if is_snapshot_of(&output, &identity(other)) {
                let message = format!("a snapshot of {} could overwrite {}", job.name(), other.display());
                return Err(Failure::wrong(message).hint("render them one by one, with --output"));
            }
        }
    }
    Ok(())
}

/// Returns the identity of a file, the same for all paths to it, even if the file does not exist yet.
pub(crate) fn identity(path: &Path) -> PathBuf {
    if let Ok(path) = fs::canonicalize(path) {
        return path;
    }
    let path = &resolve(path);
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let parent = fs::canonicalize(parent).unwrap_or_else(|_| parent.to_path_buf());
    let name = path.file_name().unwrap_or_default();
    // On these systems A.png and a.png are the same file.
    if cfg!(any(windows, target_os = "macos")) {
        return parent.join(name.to_string_lossy().to_lowercase());
    }
    parent.join(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::parse_from;

    fn of(line: &[&str]) -> Result<Vec<Job>, String> {
        let arguments = parse_from(std::iter::once("recipe-render").chain(line.iter().copied())).unwrap();
        jobs(&arguments.render).map_err(|failure| failure.message)
    }

    fn outputs(line: &[&str]) -> Vec<PathBuf> {
        of(line).unwrap().into_iter().map(|job| job.output).collect()
    }

    #[test]
    fn pictures_are_named_after_recipes() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().to_str().unwrap();
        assert_eq!(outputs(&["recipes/a.toml"]), [Path::new("a.png")]);
        assert_eq!(outputs(&["a.v2.toml", "-"]), [Path::new("a.v2.png"), Path::new("stdin.png")]);
        assert_eq!(outputs(&["x/a.toml", "b", "-o", out]), [folder.path().join("a.png"), folder.path().join("b.png")]);
        assert_eq!(outputs(&["a.toml", "-o", out]), [folder.path().join("a.png")]);
        let file = folder.path().join("c.png");
        assert_eq!(outputs(&["a.toml", "-o", file.to_str().unwrap()]), [file]);
        assert_eq!(outputs(&["a.toml", "--draft"]), [Path::new("a-draft.png")]);
        assert_eq!(outputs(&["x/a.png", "b.toml"]), [Path::new("a-again.png"), Path::new("b.png")]);
        assert_eq!(outputs(&["x/a.png", "-", "--draft"]), [Path::new("a-draft.png"), Path::new("stdin-draft.png")]);
        #[cfg(unix)]
        assert_eq!(outputs(&["a.toml", "-o", "/dev/null"]), [Path::new("/dev/null")]);
    }

    #[test]
    fn what_would_be_lost_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let recipe = folder.path().join("a.png");
        fs::write(&recipe, "").unwrap();
        let (out, recipe) = (folder.path().to_str().unwrap(), recipe.to_str().unwrap());
        let missing = format!("{out}/missing/");
        for (line, words) in [
            (&["x/a.toml", "y/a.toml"][..], "the picture of y/a.toml"),
            (&[recipe, "-o", recipe], "which is the recipe"),
            (&["a.toml", "b.toml", "-o", recipe], "not a folder"),
            (&["a.toml", "b.toml", "-o", "no/such/folder"], "does not exist"),
            (&["a.toml", "-o", &missing], "does not exist"),
            (&["a.toml", "-o", "a.JPG"], "PNG"),
            (&["a.toml", "-o", "-"], "standard output"),
            (&["a.toml", "-o", "no/such/folder/a.png"], "does not exist"),
            (&["a.toml", "--timings", "a.png"], "--timings would be written"),
            (&["a.toml", "--timings", "-"], "standard output"),
            (&["a.toml", "--video", "a.avi"], "not a video format"),
            (&["a.toml", "--video", "no/such/folder/a.gif"], "does not exist"),
            (&["a.toml", "--video", "v.gif", "--timings", "v.gif"], "--video would be written"),
            (&["a.toml", "a-sheet.toml", "--sheet"], "a snapshot of a.toml"),
            (&["a.toml", "a-000120.toml", "--every", "10"], "a snapshot of a.toml"),
            (&[".."], "not a file"),
        ] {
            let message = of(line).expect_err(words);
            assert!(message.contains(words), "{message}");
        }
    }
}

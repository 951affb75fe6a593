//! The arguments of `recipe-render direction` and its commands.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueHint};

use super::render::ComputeArgs;
use crate::direction::contrast::Contrast;
use crate::recipe::parse_seed;

/// The arguments of `recipe-render direction`.
#[derive(Debug, Args)]
pub struct DirectionArgs {
    #[command(subcommand)]
    pub command: DirectionCommand,
}

/// The commands of `recipe-render direction`.
#[derive(Debug, Subcommand)]
pub enum DirectionCommand {
    /// Fit directions to examples: to folders of pictures, or to texts
    Fit(Box<FitArgs>),
    /// Show where a picture matches the classes of a directions file, and draw a heat map
    Show(ShowArgs),
}

/// The arguments of `recipe-render direction fit`.
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("from").required(true).multiple(true).args([
        "positive", "classes", "more", "lettering", "noise", "grid", "borders", "stripes",
    ])),
    group(ArgGroup::new("drawn").multiple(true).args(["lettering", "noise", "grid", "borders", "stripes"])
        .conflicts_with_all(["positive", "negative", "classes", "more", "less", "class"])),
    after_help = "\
Subfolders are searched, too. Pictures with the same name in several folders count as pairs: they are held
out, or learned from, together. Recipes use the file like this:
{ direction = \"letters.safetensors\", class = \"letters\", weight = -0.1 }"
)]
pub struct FitArgs {
    /// A folder of pictures of the class; may be given several times
    #[arg(long, value_name = "FOLDER", requires = "negative", value_hint = ValueHint::DirPath, help_heading = "Examples")]
    pub positive: Vec<PathBuf>,
    /// A folder of pictures outside the class, and outside every class of --classes; may be given several times
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath, conflicts_with = "more",
        help_heading = "Examples")]
    pub negative: Vec<PathBuf>,
    /// A folder that holds one folder of pictures per class, the layout of image recognition data sets
    #[arg(long, value_name = "FOLDER", conflicts_with = "positive", value_hint = ValueHint::DirPath,
        help_heading = "Examples")]
    pub classes: Option<PathBuf>,
    /// A text that says what to look for, instead of pictures; may be given several times
    #[arg(long, value_name = "TEXT", requires = "less", conflicts_with_all = ["positive", "classes"],
        help_heading = "Examples")]
    pub more: Vec<String>,
    /// A text that says what to distinguish it from; may be given several times
    #[arg(long, value_name = "TEXT", requires = "more", help_heading = "Examples")]
    pub less: Vec<String>,
    #[command(flatten)]
    pub drawn: DrawnArgs,
    /// The class's name [default: its folder's, or the first text]
    #[arg(long, value_name = "NAME", conflicts_with = "classes")]
    pub class: Option<String>,
    /// The file to write
    #[arg(short, long, value_name = "FILE.safetensors", value_hint = ValueHint::FilePath)]
    pub output: PathBuf,
    /// A model's name, or the path of its folder
    #[arg(long, value_name = "NAME|FOLDER", default_value = "pocket")]
    pub model: String,
    /// Print JSON, with all digits
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub compute: ComputeArgs,
}

/// The arguments about examples that the program draws itself.
#[derive(Debug, Args)]
#[command(next_help_heading = "Examples drawn by the program")]
pub struct DrawnArgs {
    /// Draw words, lines and titles in many fonts over backdrops, and the same backdrops without text: class `letters`
    #[arg(long)]
    pub lettering: bool,
    /// Draw pictures with and without noise: class `noise`
    #[arg(long)]
    pub noise: bool,
    /// Draw pictures with and without fine grids and checkerboards: class `grid`
    #[arg(long)]
    pub grid: bool,
    /// Draw pictures with and without frames along the sides: class `borders`
    #[arg(long)]
    pub borders: bool,
    /// Draw pictures with and without parallel stripes: class `stripes`
    #[arg(long)]
    pub stripes: bool,
    /// Pairs to draw for each class
    #[arg(long, value_name = "N", default_value_t = 4000, requires = "drawn",
        value_parser = clap::value_parser!(u32).range(8..=1_000_000))]
    pub count: u32,
    /// The seed of the drawn examples
    #[arg(long, value_name = "N", default_value_t = 0, requires = "drawn", value_parser = parse_seed)]
    pub seed: u64,
    /// Draw lettering only in the fonts of this folder [default: the program's own and those of the machine]
    #[arg(long, value_name = "FOLDER", requires = "lettering", value_hint = ValueHint::DirPath)]
    pub fonts: Option<PathBuf>,
    /// What to draw over: gradient, noise, shapes, texture, paper, start, render, or a folder of pictures; may be given several
    /// times [default: all but a folder]
    #[arg(long, value_name = "KIND|FOLDER", requires = "drawn", value_hint = ValueHint::DirPath)]
    pub background: Vec<PathBuf>,
    /// Also write the drawn pictures to this folder for inspection: those of `letters` in `letters` and `not-letters`
    #[arg(long, value_name = "FOLDER", requires = "drawn", value_hint = ValueHint::DirPath)]
    pub examples: Option<PathBuf>,
}

impl DrawnArgs {
    /// Returns the contrasts to draw.
    pub fn contrasts(&self) -> Vec<Contrast> {
        let wanted = |contrast: &Contrast| match contrast {
            Contrast::Lettering => self.lettering,
            Contrast::Noise => self.noise,
            Contrast::Grid => self.grid,
            Contrast::Borders => self.borders,
            Contrast::Stripes => self.stripes,
        };
        Contrast::ALL.into_iter().filter(wanted).collect()
    }
}

/// The arguments of `recipe-render direction show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// A file of directions
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// A picture: PNG, JPEG, WebP, GIF, BMP or TIFF
    #[arg(value_name = "PICTURE", value_hint = ValueHint::FilePath)]
    pub picture: PathBuf,
    /// Draw a heat map for each class beside the picture
    #[arg(short, long, value_name = "MAP.png", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// How many of the best places to report for each class
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub places: usize,
    /// Where the model is, if it has moved since the file was made: its name, or the path of its folder
    #[arg(long, value_name = "NAME|FOLDER")]
    pub model: Option<String>,
    /// Print JSON, with all digits
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub compute: ComputeArgs,
}

//! The arguments of `recipe-render models`' commands.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::values;
use crate::models::Activation;

/// Of `recipe-render models`.
#[derive(Debug, Args)]
pub struct ModelsArgs {
    #[command(subcommand)]
    pub command: ModelsCommand,
}

/// What can be done with models.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// List the models that a name finds
    List(ListArgs),
    /// Download a model, check it and make it ready for use; without NAME list what can be had
    Fetch(FetchArgs),
    /// Take in a model: an ONNX export, a checkpoint, or a folder of a model hub
    Import(Box<ImportArgs>),
    /// Prove a model's gradient, and measure how fast it is
    Check(CheckModelArgs),
    /// Tell what a model makes of texts: the names nearest to them, and the words that it does not know
    Explain(ExplainArgs),
    /// Delete imported models
    Remove(RemoveArgs),
    /// Write the image encoder together with its gradient as one self-contained ONNX file
    Gradient(GradientArgs),
}

/// Of `recipe-render models fetch`.
#[derive(Debug, Args)]
pub struct FetchArgs {
    /// The model to fetch
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Take the files from another server, or from a folder on this machine
    #[arg(long, value_name = "URL|FOLDER", requires = "name")]
    pub from: Option<String>,
    /// Fetch it even if there is a model of this name, and put it in that one's place
    #[arg(long, requires = "name")]
    pub force: bool,
    /// Keep the downloaded files after the model is made of them
    #[arg(long, requires = "name")]
    pub keep_downloads: bool,
    /// Give up on a connection that brings nothing for so long
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = values::seconds)]
    pub timeout: std::time::Duration,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Of `recipe-render models gradient`.
#[derive(Debug, Args)]
pub struct GradientArgs {
    /// A model's name, its folder, or an image encoder's .onnx file
    #[arg(value_name = "MODEL")]
    pub model: String,
    /// Windows the graph takes at once
    #[arg(long, value_name = "N", value_parser = values::positive)]
    pub windows: NonZeroU32,
    /// The file to write
    #[arg(short, long, value_name = "FILE.onnx", value_hint = ValueHint::FilePath)]
    pub output: PathBuf,
}

/// Of `recipe-render models import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// A folder as model hubs have them, an ONNX file with both encoders or of a classifier, or a .safetensors checkpoint
    #[arg(value_name = "SOURCE", required_unless_present_any = ["image", "text"], value_hint = ValueHint::AnyPath)]
    pub source: Option<PathBuf>,
    /// The image encoder: an ONNX file, or the folder that holds it
    #[arg(long, value_name = "FILE.onnx", value_hint = ValueHint::AnyPath)]
    pub image: Option<PathBuf>,
    /// The text encoder that belongs to it
    #[arg(long, value_name = "FILE.onnx", value_hint = ValueHint::AnyPath)]
    pub text: Option<PathBuf>,
    /// tokenizer.json, or a folder with it or with vocab.json and merges.txt
    #[arg(long, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub tokenizer: Option<PathBuf>,
    /// The labels of a classifier's outputs, one a line or in JSON; or imagenet-1k, the names of ImageNet's 1000 classes
    #[arg(long, value_name = "FILE|imagenet-1k", value_hint = ValueHint::FilePath)]
    pub labels: Option<PathBuf>,
    /// What to call the model [default: as its folder is called]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Replace a model of that name
    #[arg(long)]
    pub force: bool,
    /// What a checkpoint without a configuration does between its layers: quick-gelu (OpenAI's) or gelu (most others)
    #[arg(long, value_name = "ACTIVATION", value_parser = values::activation)]
    pub activation: Option<Activation>,
    #[command(flatten)]
    pub said: SaidArgs,
}

/// What the user says of a model in place of its files.
#[derive(Debug, Args)]
#[command(next_help_heading = "In place of what the files say")]
pub struct SaidArgs {
    /// The side of the pictures it takes, in pixels
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub size: Option<u32>,
    /// Subtracted from pixels in 0..1
    #[arg(long, value_name = "R,G,B", value_parser = values::triple, allow_hyphen_values = true)]
    pub mean: Option<[f32; 3]>,
    /// What they are then divided by
    #[arg(long, value_name = "R,G,B", value_parser = values::deviation)]
    pub deviation: Option<[f32; 3]>,
    /// The number of tokens it takes; 0: any
    #[arg(long, value_name = "N", value_parser = values::context)]
    pub context: Option<usize>,
    /// The token that fills up short texts
    #[arg(long, value_name = "ID")]
    pub padding: Option<i64>,
    /// The picture among the image graph's inputs
    #[arg(long, value_name = "INPUT")]
    pub image_input: Option<String>,
    /// The embedding among the image graph's values
    #[arg(long, value_name = "OUTPUT")]
    pub image_output: Option<String>,
    /// The token ids among the text graph's inputs
    #[arg(long, value_name = "INPUT")]
    pub text_ids: Option<String>,
    /// The attention mask among the text graph's inputs
    #[arg(long, value_name = "INPUT")]
    pub text_mask: Option<String>,
    /// The embedding among the text graph's values
    #[arg(long, value_name = "OUTPUT")]
    pub text_output: Option<String>,
}

/// Of `recipe-render models check`.
#[derive(Debug, Args)]
pub struct CheckModelArgs {
    /// A model's name, or the path of its folder
    #[arg(value_name = "MODEL")]
    pub model: String,
    /// Print the findings as JSON
    #[arg(long)]
    pub json: bool,
}

/// Of `recipe-render models explain`.
#[derive(Debug, Args)]
#[command(after_help = "\
A model that has learnt names tells the share of each in a text. Of others names are ranked by the similarity of their embeddings to
the text's: names from the model's own list, or from FILE, or else two hundred everyday ones.")]
pub struct ExplainArgs {
    /// A model's name, or the path of its folder
    #[arg(value_name = "MODEL")]
    pub model: String,
    /// The texts, as prompts have them
    #[arg(value_name = "TEXT", required = true)]
    pub texts: Vec<String>,
    /// Names told of each text
    #[arg(long, value_name = "N", default_value = "10", value_parser = values::positive)]
    pub top: NonZeroU32,
    /// Rank the names of this file, one a line, instead of those that the model lists
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub names: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Of `recipe-render models list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Print the list as JSON
    #[arg(long)]
    pub json: bool,
}

/// Of `recipe-render models remove`.
#[derive(Debug, Args)]
pub struct RemoveArgs {
    /// The names of models that were imported or fetched
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,
}

//! The arguments of `recipe-render models` and its commands.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::values;
use crate::models::Activation;

/// The arguments of `recipe-render models`.
#[derive(Debug, Args)]
pub struct ModelsArgs {
    #[command(subcommand)]
    pub command: ModelsCommand,
}

/// The commands of `recipe-render models`.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// List the models that can be used by name
    List(ListArgs),
    /// Download a model, check it and make it ready for use; without NAME, list the models that can be downloaded
    Fetch(FetchArgs),
    /// Import a model: an ONNX export, a checkpoint, or a folder from a model hub
    Import(Box<ImportArgs>),
    /// Verify a model's gradient, and measure how fast the model is
    Check(CheckModelArgs),
    /// Show how a model reads texts: the names nearest to them, and the words it does not know
    Explain(ExplainArgs),
    /// Delete imported models
    Remove(RemoveArgs),
    /// Write the image encoder together with its gradient as one self-contained ONNX file
    Gradient(GradientArgs),
}

/// The arguments of `recipe-render models fetch`.
#[derive(Debug, Args)]
pub struct FetchArgs {
    /// The model to fetch
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Take the files from another server, or from a folder on this machine
    #[arg(long, value_name = "URL|FOLDER", requires = "name")]
    pub from: Option<String>,
    /// Fetch the model even if one of this name exists, and replace that one
    #[arg(long, requires = "name")]
    pub force: bool,
    /// Keep the downloaded files after building the model from them
    #[arg(long, requires = "name")]
    pub keep_downloads: bool,
    /// Give up on a connection that delivers nothing for this long
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = values::seconds)]
    pub timeout: std::time::Duration,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `recipe-render models gradient`.
#[derive(Debug, Args)]
pub struct GradientArgs {
    /// A model's name, its folder, or an image encoder's .onnx file
    #[arg(value_name = "MODEL")]
    pub model: String,
    /// The batch size of the graph, in windows
    #[arg(long, value_name = "N", value_parser = values::positive)]
    pub windows: NonZeroU32,
    /// The file to write
    #[arg(short, long, value_name = "FILE.onnx", value_hint = ValueHint::FilePath)]
    pub output: PathBuf,
}

/// The arguments of `recipe-render models import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// A model hub's folder, an ONNX file with both encoders or of a classifier, or a .safetensors checkpoint
    #[arg(value_name = "SOURCE", required_unless_present_any = ["image", "text"], value_hint = ValueHint::AnyPath)]
    pub source: Option<PathBuf>,
    /// The image encoder: an ONNX file, or the folder that holds it
    #[arg(long, value_name = "FILE.onnx", value_hint = ValueHint::AnyPath)]
    pub image: Option<PathBuf>,
    /// The text encoder that belongs to it
    #[arg(long, value_name = "FILE.onnx", value_hint = ValueHint::AnyPath)]
    pub text: Option<PathBuf>,
    /// tokenizer.json, or a folder that holds it or vocab.json and merges.txt
    #[arg(long, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub tokenizer: Option<PathBuf>,
    /// The labels of a classifier's outputs, one per line or in JSON; or imagenet-1k, the names of ImageNet's 1000 classes
    #[arg(long, value_name = "FILE|imagenet-1k", value_hint = ValueHint::FilePath)]
    pub labels: Option<PathBuf>,
    /// What to call the model [default: the name of its folder]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Replace an existing model of that name
    #[arg(long)]
    pub force: bool,
    /// The activation function of a checkpoint without a configuration: quick-gelu (OpenAI's) or gelu (most others)
    #[arg(long, value_name = "ACTIVATION", value_parser = values::activation)]
    pub activation: Option<Activation>,
    #[command(flatten)]
    pub said: SaidArgs,
}

/// Settings of a model that the user gives in place of what its files say.
#[derive(Debug, Args)]
#[command(next_help_heading = "Overrides of the model's files")]
pub struct SaidArgs {
    /// The side of the model's input pictures, in pixels
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub size: Option<u32>,
    /// The mean that is subtracted from pixels in 0..1
    #[arg(long, value_name = "R,G,B", value_parser = values::triple, allow_hyphen_values = true)]
    pub mean: Option<[f32; 3]>,
    /// The deviation that pixels are then divided by
    #[arg(long, value_name = "R,G,B", value_parser = values::deviation)]
    pub deviation: Option<[f32; 3]>,
    /// The number of tokens the model takes; 0: any
    #[arg(long, value_name = "N", value_parser = values::context)]
    pub context: Option<usize>,
    /// The token that pads short texts
    #[arg(long, value_name = "ID")]
    pub padding: Option<i64>,
    /// The input of the image graph that takes the picture
    #[arg(long, value_name = "INPUT")]
    pub image_input: Option<String>,
    /// The value of the image graph that is the embedding
    #[arg(long, value_name = "OUTPUT")]
    pub image_output: Option<String>,
    /// The input of the text graph that takes the token ids
    #[arg(long, value_name = "INPUT")]
    pub text_ids: Option<String>,
    /// The input of the text graph that takes the attention mask
    #[arg(long, value_name = "INPUT")]
    pub text_mask: Option<String>,
    /// The value of the text graph that is the embedding
    #[arg(long, value_name = "OUTPUT")]
    pub text_output: Option<String>,
}

/// The arguments of `recipe-render models check`.
#[derive(Debug, Args)]
pub struct CheckModelArgs {
    /// A model's name, or the path of its folder
    #[arg(value_name = "MODEL")]
    pub model: String,
    /// Print the findings as JSON
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `recipe-render models explain`.
#[derive(Debug, Args)]
#[command(after_help = "\
A model that has learnt names prints the share of each in a text. For other models, names are ranked by how similar
their embeddings are to the text's: names from the model's own list, or from FILE, or else two hundred everyday ones.")]
pub struct ExplainArgs {
    /// A model's name, or the path of its folder
    #[arg(value_name = "MODEL")]
    pub model: String,
    /// The texts, written as in prompts
    #[arg(value_name = "TEXT", required = true)]
    pub texts: Vec<String>,
    /// How many names to print for each text
    #[arg(long, value_name = "N", default_value = "10", value_parser = values::positive)]
    pub top: NonZeroU32,
    /// Rank the names of this file, one per line, instead of those that the model lists
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub names: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `recipe-render models list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Print the list as JSON
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `recipe-render models remove`.
#[derive(Debug, Args)]
pub struct RemoveArgs {
    /// The names of models that were imported or fetched
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,
}

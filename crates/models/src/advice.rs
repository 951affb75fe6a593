//! The `[advice]` written for imported models: the settings that apply where a recipe is silent.
//!
//! The program's defaults are made for the embedded model, whose filters are fixed. Networks trained on photographs recognise
//! an object wherever it lies, and their gradients are noisier. They need windows at ever new places, noise on them, and an
//! optimiser that treats small and large gradients alike.

use crate::onnx::Graph;

/// The architecture of an image encoder, as far as it matters for settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// A vision transformer trained with a contrastive softmax over captions.
    Transformer,
    /// A vision transformer trained with a sigmoid for each pair, so its similarities are small.
    SigLip,
    /// A convolutional network without depthwise convolutions.
    ResNet,
    /// A network with depthwise convolutions, or a hybrid with such.
    ConvNext,
}

impl Family {
    /// Returns the family of a CLIP's image encoder. `half`: its pixels are normalised to -1..1, as SigLIP's are.
    pub fn of(image: &Graph, half: bool) -> Family {
        let convolutions = || image.nodes.iter().filter(|node| node.is("Conv"));
        // A transformer has one convolution that cuts the picture into patches; its stem may have a few more.
        const STEM: usize = 4;
        if convolutions().count() <= STEM {
            return if half { Family::SigLip } else { Family::Transformer };
        }
        let by_channel = convolutions().filter(|node| node.int("group").is_some_and(|groups| groups > 1)).count();
        if by_channel * 4 >= convolutions().count() { Family::ConvNext } else { Family::ResNet }
    }

    /// Returns the family's name.
    pub fn name(self) -> &'static str {
        match self {
            Family::Transformer => "ViT",
            Family::SigLip => "SigLIP",
            Family::ResNet => "ResNet",
            Family::ConvNext => "ConvNeXt",
        }
    }

    /// Returns the advice for a CLIP of this family, as written to `model.toml`, comments included.
    pub fn advice(self) -> String {
        // Patches form a grid that becomes visible unless windows shift and tilt. Strided convolutions respond to fine
        // patterns, which noise and blur remove.
        let (stages, loss) = match self {
            Family::Transformer => {
                ("{ rotate = 15 }, { perspective = 0.3 }, { noise = 0.08 }, { colour = 0.05 }", "spherical")
            }
            Family::SigLip => ("{ rotate = 15 }, { perspective = 0.3 }, { noise = 0.08 }, { colour = 0.05 }", "cosine"),
            Family::ResNet => (
                "{ rotate = 10 }, { perspective = 0.2 }, { blur = 0.7 }, { noise = 0.06 }, { colour = 0.05 }",
                "spherical",
            ),
            Family::ConvNext => {
                ("{ rotate = 10 }, { perspective = 0.3 }, { noise = 0.08 }, { colour = 0.05 }", "spherical")
            }
        };
        format!(
            "\
# What recipes mean where they are silent, for an image encoder like a {name}. Untried on real weights: based on what others
# use for such models (aphantasia, pixray and CLIPig for windows and noise; lucid, lucent and aphantasia for the rate).
[advice.composition]
windows = 4
stages = [{{ shift = 0.05 }}, {{ rotate = 5 }}, {{ noise = 0.08 }}]
loss = \"{loss}\"

[advice.detail]
places = 0
windows = 24
stages = [{{ cover = [0.3, 0.9] }}, {stages}]
loss = \"{loss}\"

{optimise}
[advice.phase]
gradient = \"plain\"
rate = \"0.05 * (1 - 0.8*T)\"
finest = \"5 * 40^min(1, T / 0.7)\"     # from 5 to 200 cycles
",
            name = self.name(),
            optimise = OPTIMISE,
        )
    }
}

/// The gradient is used as it is, so epsilon must stay negligible beside it.
const OPTIMISE: &str = "\
[advice.adam]
beta2 = 0.999
epsilon = 1e-8

[advice.adamw]
beta2 = 0.999
epsilon = 1e-8
";

/// Returns the advice for a photograph classifier used in place of a CLIP, as written to `model.toml`, comments included.
pub fn classifier_advice() -> String {
    format!(
        "\
# What recipes mean where they are silent, for a network that tells photographs of things apart: it looks at most of the picture at
# once. Untried on real weights: based on what lucid and lucent use.
[advice.detail]
places = 0
windows = 4
stages = [{{ cover = [0.6, 1.0] }}, {{ rotate = 6 }}, {{ perspective = 0.2 }}, {{ noise = 0.06 }}, {{ colour = 0.05 }}]

{OPTIMISE}
[advice.phase]
gradient = \"plain\"
rate = \"0.05 * (1 - 0.8*T)\"
finest = \"5 * 20^min(1, T / 0.7)\"     # from 5 to 100 cycles
"
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use recipe_render_recipe::check_advice;

    #[test]
    fn all_advice_is_sound() {
        let families = [Family::Transformer, Family::SigLip, Family::ResNet, Family::ConvNext].map(Family::advice);
        for text in families.into_iter().chain([classifier_advice()]) {
            assert_eq!(check_advice(Path::new("model.toml"), &text), []);
            assert!(text.contains("ntried on real weights"), "{text}");
        }
    }

    #[test]
    fn families_are_told_by_their_convolutions() {
        let family = |name: &str, half| {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/models").join(name);
            Family::of(&Graph::open(&path).unwrap(), half)
        };
        assert_eq!(family("vit-gelu-ts17.onnx", false), Family::Transformer);
        assert_eq!(family("siglip-dy18.onnx", true), Family::SigLip);
        assert_eq!(family("resnet-ts17.onnx", false), Family::ResNet);
        assert_eq!(family("convnext-ts17.onnx", false), Family::ConvNext);
        assert_eq!(family("mobileclip-ts17.onnx", false), Family::ConvNext);
    }
}

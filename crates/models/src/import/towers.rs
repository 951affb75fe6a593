//! Cuts an encoder out of a graph, in the program's form: one picture or one row of tokens in, one embedding out.

use super::{Settings, endpoints};
use crate::ModelsError;
use crate::onnx::{Builder, DataType, Dim, Graph, Node, Tensor, ValueType};

/// A separate encoder.
#[derive(Debug, Clone)]
pub(super) struct Tower {
    pub graph: Graph,
    /// The picture or the token ids.
    pub input: String,
    pub mask: Option<String>,
    pub output: String,
    /// The window's side, or the number of tokens, if the graph fixes it.
    pub fixed: Option<usize>,
    /// An input that was a mask, and is now 1 everywhere.
    pub unmasked: Option<String>,
    /// The changes that were necessary, in words; empty if the original file can be used.
    pub changes: Vec<String>,
}

/// How a text encoder treats padding tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Padding {
    /// They are masked, if it has a mask.
    Masked,
    /// It was trained to see them.
    Seen,
}

/// Returns the image and the text encoder from two graphs, or from one that contains both.
pub(super) fn split(
    image: Graph,
    text: Option<Graph>,
    settings: &Settings,
    padding: Padding,
) -> Result<(Tower, Tower), ModelsError> {
    let joint = text.is_none();
    let text = text.unwrap_or_else(|| image.clone());
    let picture = input(&image, settings.image_input.as_ref(), "--image-input", endpoints::inputs(&image).picture)?;
    let found = endpoints::inputs(&text);
    let ids = input(&text, settings.text_ids.as_ref(), "--text-ids", found.ids)?;
    let mask = match &settings.text_mask {
        Some(_) => Some(input(&text, settings.text_mask.as_ref(), "--text-mask", None)?),
        None => found.mask,
    };
    let image_outputs = match &settings.image_output {
        Some(name) => endpoints::named(&image, name, "--image-output")?,
        None => endpoints::candidates(&image, &[&picture]),
    };
    let text_outputs = match &settings.text_output {
        Some(name) => endpoints::named(&text, name, "--text-output")?,
        None => {
            // Its other inputs (positions, token types) become constants.
            let inputs: Vec<&str> =
                text.inputs.iter().map(String::as_str).filter(|i| !joint || *i != picture).collect();
            endpoints::candidates(&text, &inputs)
        }
    };
    let (image_output, text_output) = endpoints::pair(&image_outputs, &text_outputs)?;
    let image = image_tower(image, picture, &image_output.value, joint)?;
    let text = text_tower(text, ids, (mask, padding), &text_output.value, joint, settings)?;
    Ok((image, text))
}

pub(super) fn input(
    graph: &Graph,
    wanted: Option<&String>,
    option: &str,
    found: Option<String>,
) -> Result<String, ModelsError> {
    let inputs = || format!("the graph's inputs are {}", graph.inputs.join(", "));
    match wanted {
        Some(name) if graph.inputs.contains(name) => Ok(name.clone()),
        Some(name) => Err(ModelsError::wrong(format!("{option} {name}: there is no such input")).hinted(inputs())),
        None => found.ok_or_else(|| {
            ModelsError::wrong(format!("it cannot be recognised among the graph's inputs: name it with {option}"))
                .hinted(inputs())
        }),
    }
}

pub(super) fn image_tower(mut graph: Graph, input: String, output: &str, joint: bool) -> Result<Tower, ModelsError> {
    let mut changes = Vec::new();
    if joint {
        changes.push("cut out of the joint graph".to_owned());
    }
    graph.reduce_to(output);
    if let Some(other) = graph.inputs.iter().find(|name| **name != input) {
        let message = format!("the image embedding `{output}` needs the input `{other}` besides the picture `{input}`");
        return Err(ModelsError::wrong(message).hinted("name the embedding with --image-output"));
    }
    let mut dims = dims(&graph, &input);
    // Channels last, as in TensorFlow's exports.
    if let [_, height, width, Dim::Known(3)] = dims.as_slice()
        && height == width
        && *height != Dim::Known(3)
    {
        dims = channels_first(&mut graph, &input)?;
        changes.push("takes channels first".to_owned());
    }
    let fixed = match dims.as_slice() {
        [_, _, Dim::Known(height), Dim::Known(width)] if height != width => {
            let message = format!("the image encoder takes pictures of {width} x {height}; windows are square");
            return Err(ModelsError::wrong(message));
        }
        [_, _, _, Dim::Known(side)] => Some(*side),
        _ => None,
    };
    // Half precision does not matter here: encoders are widened when they are prepared for differentiation.
    if graph.data_type(&input) == Some(DataType::F64) {
        entrance(&mut graph, &input, DataType::F32)?;
        changes.push("takes 32-bit floats".to_owned());
    }
    Ok(Tower { graph, input, mask: None, output: output.to_owned(), fixed, unmasked: None, changes })
}

fn text_tower(
    mut graph: Graph,
    input: String,
    (mask, padding): (Option<String>, Padding),
    output: &str,
    joint: bool,
    settings: &Settings,
) -> Result<Tower, ModelsError> {
    let mut changes = Vec::new();
    if joint {
        changes.push("cut out of the joint graph".to_owned());
    }
    graph.reduce_to(output);
    if graph.widen() > 0 {
        // CPUs compute in half precision only by converting to single precision.
        changes.push("computes in 32-bit floats".to_owned());
    }
    let mask = mask.filter(|mask| graph.inputs.contains(mask));
    let tokens = dims(&graph, &input);
    let fixed = match tokens.get(1) {
        Some(Dim::Known(count)) => Some(*count),
        _ => None,
    };
    let length = fixed.or(settings.context.filter(|context| *context > 0));
    let (mask, unmasked) = match padding {
        Padding::Masked => (mask, None),
        Padding::Seen => (None, mask),
    };
    let others: Vec<String> =
        graph.inputs.iter().filter(|name| **name != input && Some(*name) != mask.as_ref()).cloned().collect();
    for name in others {
        constant(&mut graph, &name, length)?;
        changes.push(format!("`{name}` made a constant"));
    }
    for name in [Some(&input), mask.as_ref()].into_iter().flatten() {
        match graph.data_type(name) {
            Some(DataType::I64) | None => {}
            Some(_) => {
                entrance(&mut graph, name, DataType::I64)?;
                changes.push(format!("`{name}` takes 64-bit integers"));
            }
        }
    }
    if graph.data_type(output).is_some_and(|known| known != DataType::F32) {
        return Ok(Tower {
            output: exit(&mut graph, output)?,
            graph,
            input,
            mask,
            fixed,
            unmasked,
            changes: changes.into_iter().chain(["gives 32-bit floats".to_owned()]).collect(),
        });
    }
    Ok(Tower { graph, input, mask, output: output.to_owned(), fixed, unmasked, changes })
}

fn dims(graph: &Graph, value: &str) -> Vec<Dim> {
    graph.types.get(value).and_then(|known| known.dims.clone()).unwrap_or_default()
}

fn sorted(graph: &mut Graph) -> Result<(), ModelsError> {
    graph.sort().map_err(ModelsError::wrong)
}

/// Changes an input's element type, with a conversion inside.
fn entrance(graph: &mut Graph, input: &str, data_type: DataType) -> Result<(), ModelsError> {
    let Some(old) = graph.data_type(input) else { return Ok(()) };
    let inside = rename_uses(graph, input, "converted");
    graph.nodes.insert(0, named(Node::new("Cast", &[input], &[&inside]).with("to", old as i64)));
    if let Some(known) = graph.types.get_mut(input) {
        let same = ValueType { data_type: old, ..known.clone() };
        known.data_type = data_type;
        graph.types.insert(inside, same);
    }
    sorted(graph)
}

/// Converts an output to 32-bit floats; returns its new name.
fn exit(graph: &mut Graph, output: &str) -> Result<String, ModelsError> {
    let mut builder = Builder::new(graph, output);
    let wide = builder.op_with("Cast", &[output], &[("to", (DataType::F32 as i64).into())]);
    graph.outputs = vec![wide.clone()];
    sorted(graph)?;
    Ok(wide)
}

/// Changes the picture from `[N, S, S, 3]` to `[N, 3, S, S]`; returns its new dimensions.
fn channels_first(graph: &mut Graph, input: &str) -> Result<Vec<Dim>, ModelsError> {
    let old = dims(graph, input);
    let inside = rename_uses(graph, input, "channels-last");
    let turn = Node::new("Transpose", &[input], &[&inside]).with("perm", vec![0i64, 2, 3, 1]);
    graph.nodes.insert(0, named(turn));
    let new: Vec<Dim> = [0, 3, 1, 2].iter().filter_map(|axis| old.get(*axis).cloned()).collect();
    if let Some(known) = graph.types.get(input).cloned() {
        graph.types.insert(input.to_owned(), ValueType { dims: Some(new.clone()), ..known.clone() });
        graph.types.insert(inside, known);
    }
    sorted(graph)?;
    Ok(new)
}

fn named(mut node: Node) -> Node {
    node.name = node.outputs.first().cloned().unwrap_or_default();
    node
}

/// Makes all nodes use a new value instead of an input; returns the value's name.
fn rename_uses(graph: &mut Graph, input: &str, hint: &str) -> String {
    let fresh = Builder::new(graph, input).fresh(hint);
    for node in &mut graph.nodes {
        for name in node.inputs.iter_mut().filter(|name| *name == input) {
            name.clone_from(&fresh);
        }
    }
    fresh
}

/// Replaces an input of the text encoder by its constant value for one text: zeros for token types, 0, 1, 2... for positions,
/// ones for a mask that hides nothing.
fn constant(graph: &mut Graph, name: &str, length: Option<usize>) -> Result<(), ModelsError> {
    let unknown = || {
        let message = format!("nothing can be given to the text encoder's input `{name}`");
        ModelsError::wrong(message).hinted("name the embedding that needs only the tokens with --text-output")
    };
    let length = length.ok_or_else(|| {
        ModelsError::wrong(format!("the text encoder's input `{name}` needs a fixed number of tokens"))
            .hinted("give it with --context N")
    })?;
    let values: Vec<i64> = if name.contains("position") {
        (0..).take(length).collect()
    } else if name.contains("type") {
        vec![0; length]
    } else if name.contains("mask") {
        vec![1; length]
    } else {
        return Err(unknown());
    };
    let tensor = Tensor::i64(&[1, length], &values);
    let tensor = match graph.data_type(name) {
        Some(DataType::I64) | None => tensor,
        Some(DataType::I32) => {
            let bytes: Vec<u8> = values.iter().flat_map(|value| (*value as i32).to_le_bytes()).collect();
            Tensor { data_type: DataType::I32, dims: tensor.dims, data: bytes.into() }
        }
        Some(DataType::Bool) => {
            let bytes: Vec<u8> = values.iter().map(|value| u8::from(*value != 0)).collect();
            Tensor { data_type: DataType::Bool, dims: tensor.dims, data: bytes.into() }
        }
        Some(DataType::F32) => Tensor::f32(&[1, length], &values.iter().map(|value| *value as f32).collect::<Vec<_>>()),
        Some(_) => return Err(unknown()),
    };
    graph.inputs.retain(|input| input != name);
    graph.types.remove(name);
    graph.constants.insert(name.to_owned(), tensor);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn joint() -> Graph {
        Graph::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/models/joint.onnx")).unwrap()
    }

    #[test]
    fn both_towers_come_out_of_one_graph() {
        let (image, text) = split(joint(), None, &Settings::default(), Padding::Masked).unwrap();
        assert_eq!((image.input.as_str(), image.output.as_str()), ("pixel_values", "image_embeds"));
        assert_eq!(image.graph.inputs, ["pixel_values"]);
        assert_eq!((text.input.as_str(), text.output.as_str()), ("input_ids", "text_embeds"));
        assert_eq!(text.mask.as_deref(), Some("attention_mask"));
        let shared = image.graph.constants.keys().filter(|name| text.graph.constants.contains_key(*name)).count();
        let all = joint().constants.len();
        assert!(image.graph.constants.len() + text.graph.constants.len() <= all + shared);
        assert!(image.graph.nodes.len() + text.graph.nodes.len() < 2 * joint().nodes.len());
    }

    #[test]
    fn names_that_are_not_there_are_told_with_those_that_are() {
        let settings = Settings { image_input: Some("pixels".into()), ..Settings::default() };
        let error = split(joint(), None, &settings, Padding::Masked).unwrap_err();
        assert!(error.to_string().contains("--image-input pixels"), "{error}");
        assert!(error.hint().unwrap().contains("pixel_values"));
        let settings = Settings { text_output: Some("logits_per_text".into()), ..Settings::default() };
        let error = split(joint(), None, &settings, Padding::Masked).unwrap_err();
        assert!(error.to_string().contains("pixel_values"), "{error}");
    }

    #[test]
    fn other_inputs_of_the_text_encoder_become_constants() {
        let mut graph = Graph {
            inputs: vec!["input_ids".into(), "position_ids".into(), "token_type_ids".into()],
            outputs: vec!["text_embeds".into()],
            nodes: vec![
                Node::new("Add", &["input_ids", "position_ids"], &["a"]),
                Node::new("Add", &["a", "token_type_ids"], &["b"]),
                Node::new("Cast", &["b"], &["text_embeds"]).with("to", 1i64),
            ],
            ..Graph::default()
        };
        for name in ["input_ids", "position_ids", "token_type_ids"] {
            graph.types.insert(name.into(), ValueType::fixed(DataType::I32, &[1, 4]));
        }
        let none = (None, Padding::Masked);
        let tower = text_tower(graph, "input_ids".into(), none, "text_embeds", false, &Settings::default()).unwrap();
        assert_eq!(tower.graph.inputs, ["input_ids"]);
        assert_eq!(tower.graph.data_type("input_ids"), Some(DataType::I64));
        assert_eq!(tower.graph.constants["position_ids"].to_i64().unwrap(), [0, 1, 2, 3]);
        assert_eq!(tower.fixed, Some(4));
        assert_eq!(tower.graph.nodes[0].operator, "Cast");
    }

    #[test]
    fn a_mask_that_would_hide_what_is_looked_at_hides_nothing() {
        for data_type in [DataType::I64, DataType::I32, DataType::Bool, DataType::F32] {
            let mut graph = Graph {
                inputs: vec!["input_ids".into(), "attention_mask".into()],
                outputs: vec!["text_embeds".into()],
                nodes: vec![
                    Node::new("Cast", &["input_ids"], &["ids"]).with("to", 1i64),
                    Node::new("Cast", &["attention_mask"], &["mask"]).with("to", 1i64),
                    Node::new("Mul", &["ids", "mask"], &["text_embeds"]),
                ],
                ..Graph::default()
            };
            graph.types.insert("input_ids".into(), ValueType::fixed(DataType::I64, &[1, 4]));
            graph.types.insert("attention_mask".into(), ValueType::fixed(data_type, &[1, 4]));
            let mask = || Some("attention_mask".to_owned());
            let tower = |padding| {
                let ids = "input_ids".to_owned();
                text_tower(graph.clone(), ids, (mask(), padding), "text_embeds", false, &Settings::default()).unwrap()
            };
            let seen = tower(Padding::Seen);
            assert_eq!((&seen.mask, &seen.unmasked), (&None, &mask()));
            assert_eq!(seen.graph.inputs, ["input_ids"]);
            let ones = &seen.graph.constants["attention_mask"];
            assert_eq!((ones.data_type, ones.dims.as_slice()), (data_type, &[1, 4][..]));
            assert!(!seen.changes.is_empty(), "the file as it is still has the mask");
            assert_eq!(tower(Padding::Masked).mask, mask());
        }
    }

    #[test]
    fn pictures_with_channels_last_are_turned() {
        let mut graph = Graph {
            inputs: vec!["image".into()],
            outputs: vec!["embedding".into()],
            nodes: vec![Node::new("GlobalAveragePool", &["image"], &["embedding"])],
            ..Graph::default()
        };
        graph.types.insert("image".into(), ValueType::fixed(DataType::F32, &[1, 32, 32, 3]));
        let tower = image_tower(graph, "image".into(), "embedding", false).unwrap();
        assert_eq!(tower.fixed, Some(32));
        assert_eq!(tower.graph.shape("image").unwrap(), [1, 3, 32, 32]);
        assert_eq!(tower.graph.nodes[0].operator, "Transpose");
    }
}

//! Reads a [`Graph`] from bytes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use bytes::Bytes;
use prost::Message;

use super::error::{OnnxError, invalid, malformed};
use super::external::ExternalFiles;
use super::graph::{Attribute, Dim, Graph, Node, ValueType, addressable};
use super::proto::{
    AttributeProto, DimensionValue, EXTERNAL, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto,
    attribute_type,
};
use super::tensor::{DataType, Tensor};
use super::{functions, normal};

/// The newest operator set read. Newer ones may change the meaning of operators.
pub(super) const NEWEST: i64 = 26;
/// The oldest operator set read. Older ones have different rules for broadcasting.
pub(super) const OLDEST: i64 = 7;

impl Graph {
    /// Reads the model at `path`, mapped into memory, with external weights resolved against its folder.
    pub fn open(path: &Path) -> Result<Graph, OnnxError> {
        let wrong = |error: std::io::Error| OnnxError::File { path: path.to_owned(), reason: error.to_string() };
        let file = std::fs::File::open(path).map_err(wrong)?;
        let bytes = super::external::map_file(&file).map_err(wrong)?;
        // The folder of a bare file name is the current one.
        Graph::read(bytes, Some(path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))))
    }

    /// Reads a serialised model and brings it to normal form. Files of external weights are resolved against the folder
    /// `base`; without it, such files are an error. Nothing large is copied: constants share `bytes` or are mapped from
    /// their files.
    pub fn read(bytes: Bytes, base: Option<&Path>) -> Result<Graph, OnnxError> {
        Graph::read_from(bytes, &mut ExternalFiles::new(base))
    }

    /// Like [`Graph::read`], with external weights in memory: `lend` returns a file's content for its name in the
    /// model.
    pub fn read_lent(bytes: Bytes, lend: &dyn Fn(&str) -> Option<Bytes>) -> Result<Graph, OnnxError> {
        Graph::read_from(bytes, &mut ExternalFiles::lent(lend))
    }

    fn read_from(bytes: Bytes, files: &mut ExternalFiles<'_>) -> Result<Graph, OnnxError> {
        let model = decode(bytes)?;
        let opset = opset(&model)?;
        let mut proto = model.graph.ok_or_else(|| malformed("there is no graph"))?;
        if !model.functions.is_empty() {
            proto.node = functions::inline(std::mem::take(&mut proto.node), &model.functions)?;
        }
        let mut graph = convert(proto, files)?;
        graph.sort()?;
        normal::normalise(&mut graph, opset)?;
        graph.sort()?;
        graph.prune();
        Ok(graph)
    }
}

/// The first bytes of a Git LFS pointer, a text in place of the model.
const POINTER: &[u8] = b"version https://git-lfs";

/// Decodes a model's message.
pub(super) fn decode(bytes: Bytes) -> Result<ModelProto, OnnxError> {
    match bytes.as_ref() {
        [] => Err(OnnxError::Empty),
        text if text.starts_with(POINTER) => Err(OnnxError::Pointer),
        _ => Ok(ModelProto::decode(bytes)?),
    }
}

fn opset(model: &ModelProto) -> Result<i64, OnnxError> {
    let opset = model
        .opset_import
        .iter()
        .find(|set| set.domain.is_empty() || set.domain == "ai.onnx")
        .and_then(|set| set.version)
        .ok_or_else(|| malformed("it does not say which operator set it uses"))?;
    if !(OLDEST..=NEWEST).contains(&opset) {
        return Err(OnnxError::Unsupported(format!(
            "operator set {opset}; those from {OLDEST} to {NEWEST} are understood"
        )));
    }
    Ok(opset)
}

pub(super) fn convert(proto: GraphProto, files: &mut ExternalFiles) -> Result<Graph, OnnxError> {
    let mut constants = BTreeMap::new();
    for tensor in proto.initializer {
        let name = tensor.name.clone();
        let value = tensor_from(tensor, files)?;
        let before = constants.insert(name.clone(), value);
        if before.is_some_and(|before| constants.get(&name) != Some(&before)) {
            return Err(invalid(format!("initialiser `{name}` is given twice, with different values")));
        }
    }
    let mut types = BTreeMap::new();
    // Graph inputs may repeat initialisers as their defaults (before IR version 4 they must); we treat them as
    // constants.
    let inputs: Vec<String> =
        proto.input.iter().map(|i| i.name.clone()).filter(|name| !constants.contains_key(name)).collect();
    // A value listed as an output twice is one output.
    let mut met = HashSet::new();
    let outputs: Vec<String> =
        proto.output.iter().filter(|o| met.insert(o.name.as_str())).map(|o| o.name.clone()).collect();
    if inputs.iter().collect::<HashSet<_>>().len() < inputs.len() {
        return Err(invalid("two inputs have the same name"));
    }
    for info in proto.value_info.iter().chain(&proto.input).chain(&proto.output) {
        if let Some(known) = value_type(info) {
            types.insert(info.name.clone(), known);
        }
    }
    let mut nodes = proto.node.into_iter().map(|n| node_from(n, files)).collect::<Result<Vec<Node>, _>>()?;
    once(&mut nodes);
    Ok(Graph { name: proto.name, inputs, outputs, nodes, constants, types })
}

/// Removes duplicates of nodes that compute the same value under the same name.
fn once(nodes: &mut Vec<Node>) {
    let mut givers: HashMap<String, Node> = HashMap::new();
    let mut twice = Vec::with_capacity(nodes.len());
    for node in nodes.iter() {
        let Some(first) = node.outputs.first().filter(|name| !name.is_empty()) else {
            twice.push(false);
            continue;
        };
        // The names of nodes have no meaning.
        let same = |other: &Node| Node { name: node.name.clone(), ..other.clone() } == *node;
        twice.push(givers.get(first).is_some_and(same));
        givers.entry(first.clone()).or_insert_with(|| node.clone());
    }
    let mut twice = twice.into_iter();
    nodes.retain(|_| !twice.next().unwrap_or(false));
}

/// Returns the type of a value, or `None` if it is not a tensor or has an unknown element type.
pub(super) fn value_type(info: &ValueInfoProto) -> Option<ValueType> {
    let tensor = info.r#type.as_ref()?.tensor_type.as_ref()?;
    let data_type = DataType::from_onnx(tensor.elem_type)?;
    let dims = tensor.shape.as_ref().map(|shape| {
        let dim = |d: &super::proto::DimensionProto| match &d.value {
            Some(DimensionValue::Value(size)) => usize::try_from(*size).map_or(Dim::Unknown, Dim::Known),
            Some(DimensionValue::Param(name)) if !name.is_empty() => Dim::Named(name.clone()),
            _ => Dim::Unknown,
        };
        shape.dim.iter().map(dim).collect()
    });
    Some(ValueType { data_type, dims })
}

fn node_from(proto: NodeProto, files: &mut ExternalFiles) -> Result<Node, OnnxError> {
    let mut attributes = BTreeMap::new();
    for attribute in proto.attribute {
        let (name, value) = attribute_from(attribute, files)?;
        attributes.insert(name, value);
    }
    let domain = if proto.domain == "ai.onnx" { String::new() } else { proto.domain };
    Ok(Node {
        name: proto.name,
        operator: proto.op_type,
        domain,
        inputs: proto.input,
        outputs: proto.output,
        attributes,
    })
}

fn attribute_from(proto: AttributeProto, files: &mut ExternalFiles) -> Result<(String, Attribute), OnnxError> {
    use attribute_type::*;
    let missing = |what: &str| malformed(format!("attribute `{}` lacks its {what}", proto.name));
    // Very old exporters omit the type.
    let kind = match proto.r#type {
        0 if proto.i.is_some() => INT,
        0 if proto.f.is_some() => FLOAT,
        0 if proto.s.is_some() => STRING,
        0 if proto.t.is_some() => TENSOR,
        0 if !proto.floats.is_empty() => FLOATS,
        0 if !proto.strings.is_empty() => STRINGS,
        0 => INTS,
        given => given,
    };
    let value = match kind {
        INT => Attribute::Int(proto.i.unwrap_or(0)),
        FLOAT => Attribute::Float(proto.f.unwrap_or(0.0)),
        STRING => Attribute::Text(proto.s.unwrap_or_default()),
        TENSOR => Attribute::Tensor(tensor_from(proto.t.ok_or_else(|| missing("tensor"))?, files)?),
        GRAPH => Attribute::Graph(Box::new(proto.g.ok_or_else(|| missing("graph"))?)),
        INTS => Attribute::Ints(proto.ints),
        FLOATS => Attribute::Floats(proto.floats),
        STRINGS => Attribute::Texts(proto.strings),
        other => {
            return Err(OnnxError::Unsupported(format!("attribute `{}` of type number {other}", proto.name)));
        }
    };
    Ok((proto.name, value))
}

/// Reads a constant from whichever of the format's fields holds its values.
pub(super) fn tensor_from(proto: TensorProto, files: &mut ExternalFiles) -> Result<Tensor, OnnxError> {
    let name = &proto.name;
    let data_type = DataType::from_onnx(proto.data_type).ok_or_else(|| {
        let what = match proto.data_type {
            21 | 22 => "4-bit integers: the model is quantised; take its float export".into(),
            17..=20 | 23 | 24 => "floats of 8 bits or fewer: the model is quantised; take its float export".into(),
            8 => "texts".into(),
            other => format!("elements of type number {other}"),
        };
        OnnxError::Unsupported(format!("tensor `{name}` holds {what}"))
    })?;
    let dims: Vec<usize> = proto
        .dims
        .iter()
        .map(|d| usize::try_from(*d))
        .collect::<Result<_, _>>()
        .map_err(|_| malformed(format!("tensor `{name}` has a negative size")))?;
    if !addressable(&dims) {
        return Err(malformed(format!("tensor `{name}` is larger than memory")));
    }
    let bytes = dims.iter().product::<usize>() * data_type.size();
    let data = if proto.data_location == Some(EXTERNAL) {
        files.bytes(&proto.external_data, bytes)?
    } else if let Some(raw) = &proto.raw_data {
        raw.clone()
    } else {
        typed_data(&proto, data_type)
    };
    if data.len() != bytes {
        return Err(malformed(format!("tensor `{name}` of {dims:?} needs {bytes} bytes and has {}", data.len())));
    }
    Ok(Tensor { data_type, dims, data })
}

/// Returns the values of the typed fields as little-endian bytes. Small integers and 16-bit floats are in `int32_data`.
fn typed_data(proto: &TensorProto, data_type: DataType) -> Bytes {
    use DataType::*;
    let bytes: Vec<u8> = match data_type {
        F32 => proto.float_data.iter().flat_map(|v| v.to_le_bytes()).collect(),
        F64 => proto.double_data.iter().flat_map(|v| v.to_le_bytes()).collect(),
        I64 => proto.int64_data.iter().flat_map(|v| v.to_le_bytes()).collect(),
        U64 => proto.uint64_data.iter().flat_map(|v| v.to_le_bytes()).collect(),
        U32 => proto.uint64_data.iter().flat_map(|v| (*v as u32).to_le_bytes()).collect(),
        I32 => proto.int32_data.iter().flat_map(|v| v.to_le_bytes()).collect(),
        U16 | I16 | F16 | Bf16 => proto.int32_data.iter().flat_map(|v| (*v as u16).to_le_bytes()).collect(),
        U8 | I8 | Bool => proto.int32_data.iter().map(|v| *v as u8).collect(),
    };
    bytes.into()
}

//! The inputs and outputs of a serialised model, without reading the rest.

use std::collections::{BTreeSet, HashSet};

use bytes::Bytes;

use super::error::{OnnxError, malformed};
use super::graph::ValueType;
use super::read::{decode, value_type};

/// The inputs and outputs of a model. A type is `None` for a value that is not a tensor or has an unknown element type.
#[derive(Debug, Clone, PartialEq)]
pub struct Signature {
    pub inputs: Vec<(String, Option<ValueType>)>,
    pub outputs: Vec<(String, Option<ValueType>)>,
    /// The names of all operators in the model, except those inside subgraphs and functions.
    pub operators: BTreeSet<String>,
    /// Names that occur more than once as outputs of the model, as outputs of nodes, or as constants. Runtimes refuse
    /// such a model unless it is rewritten.
    pub twice: BTreeSet<String>,
}

impl Signature {
    /// Reads the signature of a serialised model. Files of external weights are not opened.
    pub fn read(model: &Bytes) -> Result<Self, OnnxError> {
        let model = decode(model.clone())?;
        let graph = model.graph.ok_or_else(|| malformed("there is no graph"))?;
        let constants: HashSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
        let given = graph.input.iter().filter(|input| !constants.contains(input.name.as_str()));
        let mut twice = BTreeSet::new();
        let of_nodes = graph.node.iter().flat_map(|node| &node.output).filter(|name| !name.is_empty());
        let of_constants = graph.initializer.iter().map(|tensor| &tensor.name);
        let of_outputs = graph.output.iter().map(|info| &info.name);
        for names in [of_outputs.collect::<Vec<_>>(), of_constants.collect(), of_nodes.collect()] {
            let mut met = HashSet::new();
            twice.extend(names.into_iter().filter(|name| !met.insert(*name)).cloned());
        }
        Ok(Signature {
            inputs: given.map(|info| (info.name.clone(), value_type(info))).collect(),
            outputs: graph.output.iter().map(|info| (info.name.clone(), value_type(info))).collect(),
            operators: graph.node.iter().map(|node| node.op_type.clone()).collect(),
            twice,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DataType, Dim};

    #[test]
    fn a_model_says_what_it_takes_and_gives() {
        let bytes = include_bytes!("../../../models/pocket/image.onnx");
        let signature = Signature::read(&Bytes::from_static(bytes)).unwrap();
        let [(_, Some(picture))] = signature.inputs.as_slice() else { panic!("{signature:?}") };
        assert_eq!(picture.data_type, DataType::F32);
        assert_eq!(picture.dims.as_ref().unwrap()[1..], [Dim::Known(3), Dim::Known(160), Dim::Known(160)]);
        assert!(signature.operators.contains("Conv"));
        assert!(Signature::read(&Bytes::from_static(b"version https://git-lfs")).is_err());
    }
}

//! Sessions: a graph made ready to run on a device.

use super::{Device, RuntimeError};
use crate::onnx::{DataType, Tensor};

/// How far onnxruntime may rewrite a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Constants and shapes only; standard operators stay.
    Basic,
    /// Everything for the device.
    All,
}

/// How a session is to be made.
#[derive(Debug, Clone)]
pub struct SessionPlan {
    pub device: Device,
    /// Threads of the session's own pool; 1: it runs in the caller's thread alone.
    pub threads: usize,
    pub level: Level,
    /// Sizes for named free dimensions (`batch` = 8).
    pub dimensions: Vec<(String, i64)>,
}

/// Weights kept outside a graph's bytes, by initialiser name, shared by all sessions made of it.
/// Their initialisers stand in the graph with `data_location = EXTERNAL`.
#[derive(Debug, Clone, Default)]
pub struct Weights {
    pub tensors: Vec<(String, Tensor)>,
}

/// A graph ready to run.
pub struct Session {
    session: ort::session::Session,
}

/// One input, borrowed: dimensions and row-major values.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    F32(&'a [usize], &'a [f32]),
    I64(&'a [usize], &'a [i64]),
    Bool(&'a [usize], &'a [bool]),
}

/// The outputs of one run.
pub struct Outputs {
    values: Vec<(String, Tensor)>,
}

impl Outputs {
    /// An output by name.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.values.iter().find(|(n, _)| n == name).map(|(_, value)| value)
    }
}

impl Session {
    /// Runs the graph once.
    pub fn run(&mut self, inputs: &[(&str, Input<'_>)]) -> Result<Outputs, RuntimeError> {
        let _ = (&mut self.session, inputs, DataType::F32);
        todo!()
    }
}

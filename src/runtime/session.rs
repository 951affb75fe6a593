//! Sessions: a graph made ready to run on a device.

use std::path::Path;

use crate::onnx::{DataType, Tensor};

/// What can go wrong between us and onnxruntime.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    #[error("onnxruntime: {0}")]
    Ort(String),
}

impl From<ort::Error> for RuntimeError {
    fn from(error: ort::Error) -> Self {
        RuntimeError::Ort(error.to_string())
    }
}

/// Where a session runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    Cpu,
    /// CUDA's device of this number.
    Cuda(i32),
}

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

/// The loaded library. One per process.
pub struct Runtime {
    environment: ort::environment::Environment,
}

impl Runtime {
    /// Loads the library at `path`.
    pub fn load(path: &Path) -> Result<Self, RuntimeError> {
        let environment = ort::init_from(path)
            .map_err(|error| RuntimeError::Ort(error.to_string()))?
            .with_name("recipe-render")
            .with_telemetry(false)
            .build()?;
        Ok(Runtime { environment })
    }

    /// A session for a serialised graph.
    pub fn session(&self, graph: &[u8], weights: &Weights, plan: &SessionPlan) -> Result<Session, RuntimeError> {
        let level = match plan.level {
            Level::Basic => ort::session::builder::GraphOptimizationLevel::Level1,
            Level::All => ort::session::builder::GraphOptimizationLevel::Level3,
        };
        let mut builder = ort::session::Session::builder(&self.environment)?
            .with_optimization_level(level)
            .map_err(text)?
            .with_intra_threads(plan.threads)
            .map_err(text)?;
        for (name, size) in &plan.dimensions {
            builder = builder.with_dimension_override(name, *size).map_err(text)?;
        }
        for (name, tensor) in &weights.tensors {
            let values = tensor.to_f32().ok_or_else(|| RuntimeError::Ort("not f32".into()))?;
            let value = ort::value::Tensor::from_array((tensor.dims.clone(), values))?;
            builder = builder.with_external_initializer(name, value.into_dyn()).map_err(text)?;
        }
        let session = builder.commit_from_memory(graph).map_err(text)?;
        Ok(Session { session })
    }

    /// onnxruntime's *basic* optimisation with the free dimensions set: constants and shapes folded, all shapes static
    /// (given in `value_info`), standard operators only. Returns the new graph's bytes.
    pub fn fold(
        &self,
        graph: &[u8],
        _weights: &Weights,
        dimensions: &[(String, i64)],
    ) -> Result<Vec<u8>, RuntimeError> {
        let folder = tempfile::tempdir().map_err(text)?;
        let path = folder.path().join("folded.onnx");
        let mut builder = ort::session::Session::builder(&self.environment)?
            .with_optimization_level(ort::session::builder::GraphOptimizationLevel::Level1)
            .map_err(text)?
            .with_optimized_model_path(&path)
            .map_err(text)?;
        for (name, size) in dimensions {
            builder = builder.with_dimension_override(name, *size).map_err(text)?;
        }
        builder.commit_from_memory(graph).map_err(text)?;
        std::fs::read(&path).map_err(text)
    }
}

fn text(error: impl std::fmt::Display) -> RuntimeError {
    RuntimeError::Ort(error.to_string())
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
        let values: Vec<(String, ort::session::SessionInputValue)> = inputs
            .iter()
            .map(|(name, input)| {
                let value: ort::session::SessionInputValue = match input {
                    Input::F32(dims, values) => {
                        ort::value::Tensor::from_array((dims.to_vec(), values.to_vec()))?.into()
                    }
                    Input::I64(dims, values) => {
                        ort::value::Tensor::from_array((dims.to_vec(), values.to_vec()))?.into()
                    }
                    Input::Bool(dims, values) => {
                        ort::value::Tensor::from_array((dims.to_vec(), values.to_vec()))?.into()
                    }
                };
                Ok((name.to_string(), value))
            })
            .collect::<Result<_, ort::Error>>()?;
        let outputs = self.session.run(values)?;
        let mut result = Vec::new();
        for (name, value) in outputs.iter() {
            let tensor = if let Ok((shape, data)) = value.try_extract_tensor::<f32>() {
                Tensor::f32(&shape.iter().map(|d| *d as usize).collect::<Vec<_>>(), data)
            } else if let Ok((shape, data)) = value.try_extract_tensor::<i64>() {
                Tensor::i64(&shape.iter().map(|d| *d as usize).collect::<Vec<_>>(), data)
            } else {
                let (shape, data) = value.try_extract_tensor::<bool>()?;
                Tensor {
                    data_type: DataType::Bool,
                    dims: shape.iter().map(|d| *d as usize).collect(),
                    data: data.iter().map(|b| u8::from(*b)).collect::<Vec<_>>().into(),
                }
            };
            result.push((name.to_string(), tensor));
        }
        Ok(Outputs { values: result })
    }
}

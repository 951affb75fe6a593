//! Sessions: graphs prepared to run on a device.

use std::sync::Arc;

use ort::{
    ep,
    session::{
        SessionInputValue,
        builder::{GraphOptimizationLevel, SessionBuilder},
    },
    value::TensorRef,
};

use super::{
    Device, Outputs, Runtime, RuntimeError, operators,
    weights::{LentWeights, Weights},
};

/// The extent to which onnxruntime may rewrite a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Constants and shapes only; standard operators stay.
    Basic,
    /// All optimisations for the device.
    All,
}

/// The settings of a session.
#[derive(Debug, Clone)]
pub struct SessionPlan {
    pub device: Device,
    /// The threads of the session's own pool. With 1, the session runs in the caller's thread alone.
    pub threads: usize,
    pub level: Level,
    /// Sizes for named free dimensions (`batch` = 8).
    pub dimensions: Vec<(String, i64)>,
}

impl Runtime {
    /// Creates a session for a serialised graph.
    pub fn session(&self, graph: &[u8], weights: &Weights, plan: &SessionPlan) -> Result<Session, RuntimeError> {
        let mut sessions = self.sessions(graph, weights, plan, 1)?;
        sessions.pop().ok_or_else(|| RuntimeError::Ort("no session".to_owned()))
    }

    /// Creates several sessions for the same serialised graph, to be run at the same time by as many threads. They
    /// share the weights and what onnxruntime packs from them.
    pub fn sessions(
        &self,
        graph: &[u8],
        weights: &Weights,
        plan: &SessionPlan,
        count: usize,
    ) -> Result<Vec<Session>, RuntimeError> {
        let lent = LentWeights::new(weights)?;
        // Packed weights can be shared only between sessions on the CPU.
        let packed = (plan.device == Device::Cpu && !lent.is_empty()).then(|| weights.prepared.packed());
        #[expect(clippy::arc_with_non_send_sync, reason = "sessions take it in this form")]
        let own = Arc::new(operators::domain(&weights.prepared)?);
        let mut sessions = Vec::with_capacity(count);
        for _ in 0..count {
            let mut builder = self.builder(plan)?.with_operators(Arc::clone(&own))?;
            builder = lent.give_to(builder, packed.is_some())?;
            if let Some(packed) = packed {
                builder = builder.with_prepacked_weights(packed)?;
            }
            let session = builder.commit_from_memory(graph)?;
            sessions.push(Session { session, _weights: lent.clone() });
        }
        if packed.is_some() {
            give_memory_back();
        }
        Ok(sessions)
    }

    fn builder(&self, plan: &SessionPlan) -> Result<SessionBuilder, RuntimeError> {
        let level = match plan.level {
            Level::Basic => GraphOptimizationLevel::Level1,
            Level::All => GraphOptimizationLevel::All,
        };
        // Not `with_flush_to_zero`: onnxruntime applies it to its pool's threads and to the thread that creates the
        // process's first session, so the bits would depend on which thread runs a one-thread session.
        let mut builder = ort::session::Session::builder(&self.environment)?
            .with_intra_threads(plan.threads.max(1))?
            .with_inter_threads(1)?
            .with_parallel_execution(false)?
            .with_intra_op_spinning(false)?
            .with_inter_op_spinning(false)?
            .with_deterministic_compute(true)?
            .with_optimization_level(level)?;
        for (name, size) in &plan.dimensions {
            builder = builder.with_dimension_override(name, *size)?;
        }
        match plan.device {
            // Without the policy, onnxruntime would choose execution providers itself on some systems.
            // A memory pattern adds one block for everything that a run needs, while the pieces of the first run stay
            // allocated. It does not make runs faster, and takes a third of the memory (performance.md).
            Device::Cpu => Ok(builder
                .with_auto_device(ort::session::builder::AutoDevicePolicy::PreferCPU)?
                .with_memory_pattern(false)?),
            Device::Cuda(number) => {
                // Results are reproducible to the bit only with the heuristic search and full-precision products.
                let cuda = ep::CUDA::default()
                    .with_device_id(number)
                    .with_tf32(false)
                    .with_conv_algorithm_search(ep::cuda::ConvAlgorithmSearch::Heuristic);
                Ok(builder.with_execution_providers([cuda.build().error_on_failure()])?.with_disable_cpu_fallback()?)
            }
        }
    }

    /// Runs onnxruntime's *basic* optimisation with the free dimensions set: constants and shapes are folded, all
    /// shapes are static (noted in `value_info`), and only standard operators are used. Returns the new graph's bytes.
    ///
    /// `weights` come back inside the graph. Weights that should stay outside must be graph inputs while folding.
    pub fn fold(&self, graph: &[u8], weights: &Weights, dimensions: &[(String, i64)]) -> Result<Vec<u8>, RuntimeError> {
        let io = |error: std::io::Error| RuntimeError::Ort(format!("the folded graph's temporary file: {error}"));
        let folder = tempfile::tempdir().map_err(io)?;
        let file = folder.path().join("folded.onnx");
        let plan =
            SessionPlan { device: Device::Cpu, threads: 1, level: Level::Basic, dimensions: dimensions.to_vec() };
        let lent = LentWeights::new(weights)?;
        // Nothing is run, so nothing needs to be packed.
        let builder = self.builder(&plan)?.with_optimized_model_path(&file)?.with_prepacking(false)?;
        drop(lent.give_to(builder, false)?.commit_from_memory(graph)?);
        std::fs::read(&file).map_err(io)
    }
}

/// Returns memory to the system that was needed only while creating sessions. Each session packs the weights before it
/// finds that they are packed already, and glibc keeps freed memory in pieces of megabytes (measured: as much as all
/// weights).
fn give_memory_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        unsafe extern "C" {
            fn malloc_trim(pad: usize) -> std::ffi::c_int;
        }
        // SAFETY: this is the type of glibc's function, which may be called at any time from any thread.
        unsafe { malloc_trim(0) };
    }
}

/// A graph ready to run.
pub struct Session {
    // Declared before the weights it borrows, so it is dropped before them.
    session: ort::session::Session,
    _weights: LentWeights,
}

/// One input, borrowed: dimensions and row-major values.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    F32(&'a [usize], &'a [f32]),
    I64(&'a [usize], &'a [i64]),
    Bool(&'a [usize], &'a [bool]),
}

impl Session {
    /// Runs the graph once.
    pub fn run(&mut self, inputs: &[(&str, Input<'_>)]) -> Result<Outputs, RuntimeError> {
        let values = inputs
            .iter()
            .map(|&(name, input)| {
                let value: Result<SessionInputValue<'_>, ort::Error> = match input {
                    Input::F32(dims, values) => TensorRef::from_array_view((dims, values)).map(Into::into),
                    Input::I64(dims, values) => TensorRef::from_array_view((dims, values)).map(Into::into),
                    Input::Bool(dims, values) => TensorRef::from_array_view((dims, values)).map(Into::into),
                };
                value
                    .map(|value| (name, value))
                    .map_err(|error| RuntimeError::Ort(format!("input `{name}`: {}", error.message())))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let outputs = self.session.run(values)?;
        Ok(Outputs::new(outputs.into_iter().map(|(name, value)| (name.to_owned(), value))))
    }

    /// Returns the inputs' names, in the graph's order.
    pub fn inputs(&self) -> impl Iterator<Item = &str> {
        self.session.inputs().iter().map(|input| input.name())
    }

    /// Returns the outputs' names, in the graph's order.
    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        self.session.outputs().iter().map(|output| output.name())
    }
}

#[cfg(test)]
mod tests;

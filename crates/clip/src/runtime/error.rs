//! The errors of finding and using onnxruntime.

use std::fmt;

/// A failure: what was attempted and why it failed, with a hint where one helps.
/// `Display` shows both, the hint on a line of its own (`hint: ...`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuntimeError {
    /// An error of onnxruntime itself: it refused a graph, an input, or a run.
    Ort(String),
    /// No usable library was found, or the one asked for is not usable.
    Library { message: String, hint: Option<String> },
    /// Installing failed.
    Install { message: String, hint: Option<String> },
    /// The device asked for cannot be used.
    Device { message: String, hint: Option<String> },
}

impl RuntimeError {
    pub(super) fn library(message: impl Into<String>, hint: impl Into<String>) -> Self {
        RuntimeError::Library { message: message.into(), hint: Some(hint.into()) }
    }

    pub(super) fn install(message: impl Into<String>, hint: impl Into<String>) -> Self {
        RuntimeError::Install { message: message.into(), hint: Some(hint.into()) }
    }

    pub(super) fn device(message: impl Into<String>, hint: impl Into<String>) -> Self {
        RuntimeError::Device { message: message.into(), hint: Some(hint.into()) }
    }

    /// Returns what went wrong, without the hint.
    pub fn message(&self) -> String {
        match self {
            RuntimeError::Ort(message) => format!("onnxruntime: {message}"),
            RuntimeError::Library { message, .. }
            | RuntimeError::Install { message, .. }
            | RuntimeError::Device { message, .. } => message.clone(),
        }
    }

    /// Returns what the user can do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            RuntimeError::Ort(_) => None,
            RuntimeError::Library { hint, .. }
            | RuntimeError::Install { hint, .. }
            | RuntimeError::Device { hint, .. } => hint.as_deref(),
        }
    }
}

impl fmt::Display for RuntimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())?;
        match self.hint() {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for RuntimeError {}

impl<R> From<ort::Error<R>> for RuntimeError {
    fn from(error: ort::Error<R>) -> Self {
        RuntimeError::Ort(plain(error.message()).to_owned())
    }
}

/// Strips the source location that onnxruntime's messages sometimes begin with (`FILE:LINE FUNCTION [ONNXRuntimeError]
/// : 1 : FAIL : ...`).
fn plain(message: &str) -> &str {
    let message = message.trim();
    let Some((_, rest)) = message.split_once("[ONNXRuntimeError] : ") else { return message };
    rest.splitn(3, " : ").nth(2).unwrap_or(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_has_a_line_of_its_own() {
        let error = RuntimeError::library("no library", "install one");
        assert_eq!(error.to_string(), "no library\nhint: install one");
        assert_eq!(error.hint(), Some("install one"));
        assert_eq!(RuntimeError::Ort("bad graph".to_owned()).to_string(), "onnxruntime: bad graph");
    }

    #[test]
    fn places_in_onnxruntime_s_source_are_left_out() {
        assert_eq!(plain("/src/a.cc:20 F() [ONNXRuntimeError] : 1 : FAIL : no : thing"), "no : thing");
        assert_eq!(plain("no thing\n"), "no thing");
    }
}

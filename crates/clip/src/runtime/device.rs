//! Devices that sessions run on.

use std::{fmt, str::FromStr};

use super::RuntimeError;

/// Where a session runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Device {
    Cpu,
    /// The CUDA device of this number.
    Cuda(i32),
}

impl fmt::Display for Device {
    /// `cpu`, `cuda:0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Device::Cpu => f.write_str("cpu"),
            Device::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

/// The device that the user asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// CUDA where it works, else the CPU.
    #[default]
    Auto,
    /// This one and no other.
    Only(Device),
}

impl FromStr for DeviceChoice {
    type Err = RuntimeError;

    /// Reads `auto`, `cpu`, `cuda` (device 0) or `cuda:N`.
    fn from_str(text: &str) -> Result<Self, RuntimeError> {
        match text {
            "auto" => return Ok(DeviceChoice::Auto),
            "cpu" => return Ok(DeviceChoice::Only(Device::Cpu)),
            "cuda" => return Ok(DeviceChoice::Only(Device::Cuda(0))),
            _ => {}
        }
        text.strip_prefix("cuda:")
            .filter(|number| number.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|number| number.parse().ok())
            .map(|number| DeviceChoice::Only(Device::Cuda(number)))
            .ok_or_else(|| {
                RuntimeError::device(format!("unknown device `{text}`"), "devices are auto, cpu, cuda and cuda:N")
            })
    }
}

impl Device {
    /// Reads what `--device` takes: `auto`, `cpu`, `cuda` (device 0) or `cuda:N`.
    pub fn parse(text: &str) -> Result<DeviceChoice, RuntimeError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_read_as_written() {
        assert_eq!(Device::parse("auto"), Ok(DeviceChoice::Auto));
        assert_eq!(Device::parse("cpu"), Ok(DeviceChoice::Only(Device::Cpu)));
        assert_eq!(Device::parse("cuda"), Ok(DeviceChoice::Only(Device::Cuda(0))));
        assert_eq!(Device::parse("cuda:3"), Ok(DeviceChoice::Only(Device::Cuda(3))));
        for wrong in ["", "gpu", "CUDA", "cuda:", "cuda:-1", "cuda:+1", "cuda:x", "cuda:99999999999", "cpu:0"] {
            let error = Device::parse(wrong).unwrap_err();
            assert!(error.message().contains(&format!("`{wrong}`")), "{error}");
            assert!(error.hint().is_some());
        }
    }
}

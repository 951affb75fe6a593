//! Parsers for values on the command line. Their messages say what is expected; clap adds the flag's name.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use crate::models::Activation;
use crate::runtime::DeviceChoice;

/// Reads a whole number, at least 1.
pub(crate) fn positive(text: &str) -> Result<NonZeroU32, String> {
    text.parse().map_err(|_| format!("expected a whole number from 1 to {}", u32::MAX))
}

/// Reads a number of threads, 1 to 256.
pub(crate) fn threads(text: &str) -> Result<NonZeroUsize, String> {
    let threads: Option<NonZeroUsize> = text.parse().ok();
    threads.filter(|threads| threads.get() <= 256).ok_or("expected a whole number from 1 to 256".into())
}

/// Reads frames per second, 1 to 60.
pub(crate) fn fps(text: &str) -> Result<f64, String> {
    let fps: Option<f64> = text.parse().ok().filter(|fps| (1.0..=60.0).contains(fps));
    fps.ok_or("expected frames per second, from 1 to 60".into())
}

/// Reads a time in seconds, from a tenth of a second to an hour.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: Option<f64> = text.parse().ok().filter(|seconds| (0.1..=3600.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or("expected seconds, from 0.1 to 3600".into())
}

/// Reads `auto`, `cpu`, `cuda` or `cuda:N`.
pub(crate) fn device(text: &str) -> Result<DeviceChoice, String> {
    text.parse().map_err(|_| "expected auto, cpu, cuda or cuda:N, where N is the GPU's number from 0".into())
}

/// Reads three numbers with commas between them, or one number for all three.
pub(crate) fn triple(text: &str) -> Result<[f32; 3], String> {
    let numbers: Option<Vec<f32>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
    let finite = numbers.filter(|numbers: &Vec<f32>| numbers.iter().all(|number| number.is_finite()));
    match finite.as_deref() {
        Some(&[one]) => Ok([one; 3]),
        Some(&[r, g, b]) => Ok([r, g, b]),
        _ => Err("expected three numbers separated by commas, as in 0.48,0.46,0.41".into()),
    }
}

/// Reads three numbers greater than 0.
pub(crate) fn deviation(text: &str) -> Result<[f32; 3], String> {
    let numbers = triple(text)?;
    if numbers.iter().all(|number| *number > 0.0) { Ok(numbers) } else { Err("expected numbers greater than 0".into()) }
}

/// Reads the name of an activation function.
pub(crate) fn activation(text: &str) -> Result<Activation, String> {
    match text {
        "quick-gelu" => Ok(Activation::QuickGelu),
        "gelu" => Ok(Activation::Gelu),
        _ => Err("expected quick-gelu or gelu".into()),
    }
}

/// Reads a number of tokens, 0 to 65536.
pub(crate) fn context(text: &str) -> Result<usize, String> {
    let tokens: Option<usize> = text.parse().ok();
    tokens.filter(|tokens| *tokens <= 1 << 16).ok_or("expected a whole number from 0 to 65536".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::Device;

    #[test]
    fn devices() {
        assert_eq!(device("auto"), Ok(DeviceChoice::Auto));
        assert_eq!(device("cuda"), Ok(DeviceChoice::Only(Device::Cuda(0))));
        assert_eq!(device("cuda:3"), Ok(DeviceChoice::Only(Device::Cuda(3))));
        for wrong in ["", "gpu", "CUDA", "cuda:", "cuda:-1", "cuda:x", "cuda3", "cuda:99999999999"] {
            assert!(device(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn pixels_have_three_channels() {
        assert_eq!(triple("0.5, 0.25,-1"), Ok([0.5, 0.25, -1.0]));
        assert_eq!(deviation("0.5"), Ok([0.5; 3]));
        assert!(deviation("0.5,0,1").is_err());
        for wrong in ["", "1,2", "a,b,c", "1,2,3,4", "inf", "nan,0,0"] {
            assert!(triple(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_start_at_one() {
        assert!(positive("0").is_err() && positive("-1").is_err() && positive("1.5").is_err());
        assert_eq!(positive("120").map(NonZeroU32::get), Ok(120));
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert!(["0", "-1", "nan", "inf", "3601", "x"].iter().all(|text| seconds(text).is_err()));
        assert_eq!(fps("12.5"), Ok(12.5));
        assert!(["0", "61", "nan", "x"].iter().all(|text| fps(text).is_err()));
        assert!(threads("0").is_err() && threads("257").is_err());
    }
}

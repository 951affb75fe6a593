//! The packages we install: wheels by name, version and SHA-256, per platform.
//!
//! Which wheel pip chooses depends on its Python, so each wheel is named in full. Then any pip will do.

/// A wheel on the package index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wheel {
    /// The package's name for pip.
    pub package: &'static str,
    pub version: &'static str,
    /// The platform tag to ask for.
    pub platform: &'static str,
    /// SHA-256 of the file, in lower-case hexadecimal.
    pub sha256: String,
    /// Size of the file in bytes.
    pub bytes: u64,
}

/// The wheels that make up one onnxruntime, unpacked into one folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The version of onnxruntime.
    pub version: &'static str,
    /// The folder's name in our cache; names version, device and platform.
    pub folder: String,
    /// onnxruntime's own wheel first.
    pub wheels: Vec<Wheel>,
}

impl Package {
    /// Returns the size of the downloads in bytes.
    pub fn bytes(&self) -> u64 {
        self.wheels.iter().map(|wheel| wheel.bytes).sum()
    }

    /// Returns a title such as `onnxruntime 1.32.0` or `onnxruntime 1.31.1 for CUDA 13`.
    pub fn title(&self) -> String {
        let device = if self.wheels.len() > 1 { " for CUDA 13" } else { "" };
        format!("onnxruntime {}{device}", self.version)
    }
}

/// A system that we have a wheel for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Platform {
    /// Names as in `std::env::consts`.
    pub os: &'static str,
    pub arch: &'static str,
    pub title: &'static str,
    /// Whether installing and running was tested on it.
    pub tried: bool,
    tag: &'static str,
    sha256: &'static str,
    bytes: u64,
}

const CPU_VERSION: &str = "1.32.0";
const CUDA_VERSION: &str = "1.31.1";

/// Every system that we have a wheel for.
pub const PLATFORMS: &[Platform] = &[
    Platform {
        os: "linux",
        arch: "x86_64",
        title: "Linux x86_64 (glibc 2.28 or newer)",
        tried: true,
        tag: "manylinux_2_28_x86_64",
        sha256: "99e1074c4b2197accd5073052a465361be17b89c093b8ffb6e6bd8f986c52df8",
        bytes: 27_780_211,
    },
    Platform {
        os: "linux",
        arch: "aarch64",
        title: "Linux aarch64 (glibc 2.28 or newer)",
        tried: false,
        tag: "manylinux_2_28_aarch64",
        sha256: "e36c187006e7a7c8b8d6d57f1a209dd63f52430dca6c282b177718ad6b841054",
        bytes: 23_196_724,
    },
    Platform {
        os: "macos",
        arch: "aarch64",
        title: "macOS arm64 (14 or newer)",
        tried: false,
        tag: "macosx_14_0_arm64",
        sha256: "d52510bbbcc880c13b826f7d75cdf33ac5cf0bb864d960000fc29ce73f0cb83e",
        bytes: 22_519_308,
    },
    Platform {
        os: "windows",
        arch: "x86_64",
        title: "Windows x86_64",
        tried: false,
        tag: "win_amd64",
        sha256: "efe7456952c243a05a53d5b8732953625144642c2f3989094277f6217f0c0c40",
        bytes: 16_698_767,
    },
    Platform {
        os: "windows",
        arch: "aarch64",
        title: "Windows arm64",
        tried: false,
        tag: "win_arm64",
        sha256: "64d394c69d561af3efd4d4f49dcac8f11d0ce135a20701c16d53b74056cd4cf8",
        bytes: 16_030_610,
    },
];

/// Returns the platform that this program was built for, if we have a wheel for it.
pub fn this_platform() -> Option<&'static Platform> {
    // The Linux wheels are linked against glibc.
    if cfg!(all(target_os = "linux", not(target_env = "gnu"))) {
        return None;
    }
    PLATFORMS.iter().find(|p| p.os == std::env::consts::OS && p.arch == std::env::consts::ARCH)
}

/// Returns onnxruntime for the CPU of a platform.
pub fn cpu(platform: &Platform) -> Package {
    Package {
        version: CPU_VERSION,
        folder: format!("{CPU_VERSION}-cpu-{}-{}", platform.os, platform.arch),
        wheels: vec![Wheel {
            package: "onnxruntime",
            version: CPU_VERSION,
            platform: platform.tag,
            sha256: platform.sha256.to_owned(),
            bytes: platform.bytes,
        }],
    }
}

/// Returns onnxruntime for CUDA with NVIDIA's libraries; only for Linux x86_64.
///
/// The libraries are those of CUDA 13.0, which this onnxruntime was built with: newer ones would need a newer driver.
/// cuFFT is left out, because onnxruntime loads it only for Fourier operators, which no encoder uses.
pub fn cuda(platform: &Platform) -> Option<Package> {
    if (platform.os, platform.arch) != ("linux", "x86_64") {
        return None;
    }
    let wheel = |package, version, platform, sha256: &str, bytes| Wheel {
        package,
        version,
        platform,
        sha256: sha256.to_owned(),
        bytes,
    };
    Some(Package {
        version: CUDA_VERSION,
        folder: format!("{CUDA_VERSION}-cuda-{}-{}", platform.os, platform.arch),
        wheels: vec![
            wheel(
                "onnxruntime-gpu",
                CUDA_VERSION,
                "manylinux_2_28_x86_64",
                "05d548956197b9d01f59b625de740e0d6be3593f874e241a12dc0362650ecdf7",
                255_569_273,
            ),
            wheel(
                "nvidia-cuda-runtime",
                "13.0.96",
                "manylinux2014_x86_64",
                "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548",
                2_243_632,
            ),
            wheel(
                "nvidia-cublas",
                "13.1.2.11",
                "manylinux_2_27_x86_64",
                "e1ad7b57879088bc79e31cc172891a64332f76ae733084d4aaaaa65499b9b3de",
                423_122_711,
            ),
            wheel(
                "nvidia-cuda-nvrtc",
                "13.0.88",
                "manylinux2010_x86_64",
                "ad9b6d2ead2435f11cbb6868809d2adeeee302e9bb94bcf0539c7a40d80e8575",
                90_215_200,
            ),
            wheel(
                "nvidia-curand",
                "10.4.0.35",
                "manylinux_2_27_x86_64",
                "1aee33a5da6e1db083fe2b90082def8915f30f3248d5896bcec36a579d941bfc",
                59_544_258,
            ),
            wheel(
                "nvidia-cudnn-cu13",
                "9.28.1.4",
                "manylinux_2_27_x86_64",
                "a54f205b1db1f2895d99f398754db1369816f0569dd459731f925635cf7b65ec",
                516_817_937,
            ),
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wheel_has_a_whole_hash() {
        let packages = PLATFORMS.iter().map(cpu).chain(PLATFORMS.iter().filter_map(cuda));
        for wheel in packages.flat_map(|package| package.wheels) {
            assert_eq!(wheel.sha256.len(), 64, "{}", wheel.package);
            assert!(wheel.sha256.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
        }
    }

    #[test]
    fn folders_differ() {
        let mut folders: Vec<_> =
            PLATFORMS.iter().map(cpu).chain(PLATFORMS.iter().filter_map(cuda)).map(|p| p.folder).collect();
        let count = folders.len();
        folders.sort();
        folders.dedup();
        assert_eq!(folders.len(), count);
    }
}

//! Which vector instructions the processor has.

/// The sets of vector instructions that kernels are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instructions {
    /// 512 bits and fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 256 bits and fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// What every processor of the architecture has.
    Plain,
}

impl Instructions {
    /// Returns the best that this processor has.
    #[must_use]
    pub fn best() -> Self {
        *Self::all().first().unwrap_or(&Instructions::Plain)
    }

    /// Returns all that this processor has, the best first.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") {
                all.push(Instructions::Avx512);
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                all.push(Instructions::Avx2);
            }
        }
        all.push(Instructions::Plain);
        all
    }

    /// Returns how many outputs of a product are computed together.
    pub(crate) fn width(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => 32,
            _ => 16,
        }
    }
}

/// Whether every processor of this architecture multiplies and adds in one instruction. Where it does not, `mul_add` is
/// a call of a function, and hundreds of times as slow.
pub(crate) const FUSED_EVERYWHERE: bool = cfg!(target_arch = "aarch64");

//! Balances the members of an ensemble: gradients of different models differ in size by orders of magnitude.

/// The gradients of one step's ensembles.
///
/// The first member with a nonzero gradient sets how strongly its ensemble pulls: the others are scaled to the norm of its
/// gradient. Nothing is remembered from step to step.
#[derive(Debug, Default)]
pub(super) struct Balance {
    /// Per ensemble, the norm of that first member's gradient.
    norms: Vec<(usize, f64)>,
}

impl Balance {
    /// Returns the factor for a member's gradient. Members must be passed in the order in which they are processed. `share`:
    /// the member's part of the ensemble's pull. `norm`: the norm of its gradient. Returns 0, which leaves the member out, if
    /// its gradient is zero or too small to be scaled to that norm.
    pub fn factor(&mut self, ensemble: usize, share: f64, norm: f64) -> f32 {
        if !(norm.is_finite() && norm > 0.0) {
            return 0.0;
        }
        let known = self.norms.iter().find(|(other, _)| *other == ensemble).map(|(_, norm)| *norm);
        let wanted = known.unwrap_or_else(|| {
            self.norms.push((ensemble, norm));
            norm
        });
        let factor = (share * (wanted / norm)) as f32;
        if factor.is_finite() { factor } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_to_the_norm_of_the_first_by_their_shares() {
        let mut balance = Balance::default();
        assert_eq!(balance.factor(0, 0.5, 4.0), 0.5);
        assert_eq!(balance.factor(0, 0.25, 0.01), 100.0);
        assert_eq!(balance.factor(0, 0.25, 1e3), 1e-3);
        // Another ensemble has a norm of its own.
        assert_eq!(balance.factor(3, 0.75, 8.0), 0.75);
        assert_eq!(balance.factor(3, 0.25, 2.0), 1.0);
    }

    #[test]
    fn a_member_without_a_gradient_is_left_out_and_says_nothing() {
        let mut balance = Balance::default();
        assert_eq!(balance.factor(0, 0.5, 0.0), 0.0);
        assert_eq!(balance.factor(0, 0.5, 3.0), 0.5);
        assert_eq!(balance.factor(0, 0.5, 0.0), 0.0);
        for norm in [1e-300, f64::NAN, f64::INFINITY] {
            assert_eq!(balance.factor(0, 0.5, norm), 0.0);
        }
    }
}

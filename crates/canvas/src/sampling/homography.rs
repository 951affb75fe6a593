//! Maps of the plane: 3 x 3 matrices acting on (x, y, 1), the result divided by its third component.

/// A projective map of the plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Homography(pub [[f64; 3]; 3]);

impl Homography {
    pub const IDENTITY: Homography = Homography([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);

    pub fn translation(x: f64, y: f64) -> Self {
        Homography([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])
    }

    pub fn scale(x: f64, y: f64) -> Self {
        Homography([[x, 0.0, 0.0], [0.0, y, 0.0], [0.0, 0.0, 1.0]])
    }

    /// Returns the map that applies `first`, then `self`.
    #[must_use]
    pub fn after(&self, first: &Homography) -> Self {
        let mut product = [[0.0; 3]; 3];
        for (i, row) in product.iter_mut().enumerate() {
            for (j, value) in row.iter_mut().enumerate() {
                *value = (0..3).map(|k| self.0[i][k] * first.0[k][j]).sum();
            }
        }
        Homography(product)
    }

    /// Returns the third component at a point; the map is defined where it is positive.
    pub fn depth(&self, [x, y]: [f64; 2]) -> f64 {
        let row = self.0[2];
        row[0] * x + row[1] * y + row[2]
    }

    pub fn apply(&self, point: [f64; 2]) -> [f64; 2] {
        let [x, y] = point;
        let depth = self.depth(point);
        [0, 1].map(|i| (self.0[i][0] * x + self.0[i][1] * y + self.0[i][2]) / depth)
    }

    /// Returns whether the map is affine: the third component is 1 everywhere.
    pub fn is_affine(&self) -> bool {
        self.0[2] == [0.0, 0.0, 1.0]
    }

    /// Returns the derivative at a point: `[[dx/du, dx/dv], [dy/du, dy/dv]]`.
    pub fn jacobian(&self, point: [f64; 2]) -> [[f64; 2]; 2] {
        let depth = self.depth(point);
        let at = self.apply(point);
        [0, 1].map(|i| [0, 1].map(|j| (self.0[i][j] - at[i] * self.0[2][j]) / depth))
    }
}

/// Returns the singular values of a 2 x 2 matrix, the greater one first, and the image of the greater one's unit vector. That
/// image is the long half axis of the ellipse to which the matrix maps the unit circle.
pub(super) fn ellipse(j: [[f64; 2]; 2]) -> (f64, f64, [f64; 2]) {
    // J J^T has the squared singular values as its eigenvalues and the ellipse's axes as its eigenvectors.
    let xx = j[0][0] * j[0][0] + j[0][1] * j[0][1];
    let yy = j[1][0] * j[1][0] + j[1][1] * j[1][1];
    let xy = j[0][0] * j[1][0] + j[0][1] * j[1][1];
    let mean = 0.5 * (xx + yy);
    let half = 0.5 * (xx - yy);
    let spread = (half * half + xy * xy).sqrt();
    let major = (mean + spread).sqrt();
    let minor = (mean - spread).max(0.0).sqrt();
    // Of the two forms of the eigenvector, use the one without cancellation.
    let (x, y) = if half >= 0.0 { (half + spread, xy) } else { (xy, spread - half) };
    let length = (x * x + y * y).sqrt();
    let axis = if length > 0.0 { [major * x / length, major * y / length] } else { [major, 0.0] };
    (major, minor, axis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jacobian_is_the_derivative() {
        let map = Homography([[2.0, 0.3, 5.0], [-0.4, 1.5, 7.0], [0.01, -0.02, 1.0]]);
        let point = [3.0, -2.0];
        let jacobian = map.jacobian(point);
        let h = 1e-6;
        for j in 0..2 {
            let moved = |s: f64| {
                let mut p = point;
                p[j] += s * h;
                map.apply(p)
            };
            let (plus, minus) = (moved(1.0), moved(-1.0));
            for i in 0..2 {
                let numeric = (plus[i] - minus[i]) / (2.0 * h);
                assert!((numeric - jacobian[i][j]).abs() < 1e-6, "{numeric} {}", jacobian[i][j]);
            }
        }
    }

    #[test]
    fn ellipse_of_a_rotated_stretch() {
        let (sin, cos) = 0.7f64.sin_cos();
        // Stretch by 3 and 2, then rotate.
        let (major, minor, axis) = ellipse([[3.0 * cos, -2.0 * sin], [3.0 * sin, 2.0 * cos]]);
        assert!((major - 3.0).abs() < 1e-12 && (minor - 2.0).abs() < 1e-12);
        assert!((axis[0] - 3.0 * cos).abs() < 1e-12 && (axis[1] - 3.0 * sin).abs() < 1e-12);
        let (major, minor, axis) = ellipse([[0.0, 1.0], [2.0, 0.0]]);
        assert_eq!((major, minor, axis), (2.0, 1.0, [0.0, 2.0]));
        let (major, minor, _) = ellipse([[1.0, 0.0], [0.0, 1.0]]);
        assert_eq!((major, minor), (1.0, 1.0));
    }
}

//! Hue: colours turned about the axis of greys.

use super::channels::Channels;

/// Returns the rotation of the colour cube about its diagonal from black to white (Haeberli: "Matrix operations for image
/// processing", 1993). Greys stay, as does the mean of a pixel's channels; 120 degrees take red to green, green to blue, blue to red.
pub fn hue(degrees: f64) -> Channels {
    let (sin, cos) = degrees.to_radians().sin_cos();
    // Rodrigues' formula about (1, 1, 1) / sqrt(3).
    let even = (1.0 - cos) / 3.0;
    let odd = sin / 3.0f64.sqrt();
    Channels([
        [even + cos, even - odd, even + odd],
        [even + odd, even + cos, even - odd],
        [even - odd, even + odd, even + cos],
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_of_a_turn_takes_red_to_green() {
        let turned = |degrees, mut pixel: [f32; 3]| {
            hue(degrees).apply(&mut pixel, 1);
            pixel
        };
        let near = |a: [f32; 3], b: [f32; 3]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(near(turned(120.0, [0.9, 0.2, 0.4]), [0.4, 0.9, 0.2]));
        assert!(near(turned(-240.0, [0.9, 0.2, 0.4]), [0.4, 0.9, 0.2]));
        assert!(near(turned(77.0, [0.3; 3]), [0.3; 3]));
    }
}

//! Tests that need a program which is not on every machine.

/// Says aloud that a test is skipped, and why. In CI, where the programs are installed first, that is a failure:
/// `.ci/run` sets `RECIPE_RENDER_NO_SKIPS`.
#[track_caller]
pub fn skipped(why: &str) {
    assert!(std::env::var_os("RECIPE_RENDER_NO_SKIPS").is_none(), "skipped in CI: {why}");
    eprintln!("SKIPPED: {why}");
}

//! Completions and manual pages, made from the command line itself.

use crate::bench::Bench;

#[test]
fn every_shell_completes() {
    let bench = Bench::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = bench.done(&["completions", shell]);
        for word in ["recover", "onnxruntime", "draft", "keep-downloads"] {
            assert!(ran.out.contains(word), "{shell}: {word}");
        }
    }
    bench.run(&["completions", "csh"]).ended(2).says("bash");
}

#[cfg(unix)]
#[test]
fn bash_reads_its_completions() {
    let bench = Bench::new();
    let line = "command -v bash >/dev/null || exit 77; \"$PROGRAM\" completions bash > c && bash -c '. ./c && complete -p recipe-render'";
    let ran = bench.shell(line);
    if ran.code != Some(77) {
        assert!(ran.ended(0).out.contains("recipe-render"));
    }
}

#[test]
fn manual_pages_are_printed_and_written() {
    let bench = Bench::new();
    let page = bench.done(&["man"]).out;
    assert!(page.contains(".TH") && page.contains("NAME") && page.contains("Exit codes"), "{page}");
    bench.run(&["man", "pages"]).ended(2).says("mkdir -p pages");
    bench.write("pages/other", "");
    bench.done(&["man", "pages"]).says("pages: ");
    let has = |name: &str| String::from_utf8(bench.read(&format!("pages/{name}"))).unwrap();
    assert_eq!(has("recipe-render.1"), page);
    assert!(has("recipe-render-models-import.1").contains("activation"));
    assert!(has("recipe-render-check.1").contains("format"));
    assert!(!bench.path("pages/recipe-render-help.1").exists());
    // Pages of ours give way to newer ones, what somebody else wrote does not.
    bench.done(&["man", "pages"]);
    bench.write("pages/recipe-render-score.1", "my notes");
    bench.run(&["man", "pages"]).ended(1).says("recipe-render-score.1: not a manual page of this program");
    assert_eq!(bench.read("pages/recipe-render-score.1"), b"my notes");
}

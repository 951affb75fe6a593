//! Servers, networks and disks that fail.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

#[test]
fn what_was_cut_goes_on_where_it_stopped() {
    // In one run: the server closes twice.
    let host = at_first(2, |_, reply| Reply { cut: Some(1_000_000), ..reply });
    let bench = bench();
    fetch(&bench, &host.url(), &[]).ended(0).says("the connection was cut; trying again");
    fetched(&bench);
    assert_eq!(image_offsets(&host), [None, Some(1_000_000), Some(2_000_000)]);
    let etag = format!("\"{}\"", content("image.onnx").len());
    assert_eq!(host.requests()[1].header("if-range"), Some(etag.as_str()));
}

#[test]
fn a_silent_server_is_given_up_on_and_a_later_run_goes_on() {
    let host = at_first(5, |_, reply| Reply { cut: Some(700_000), silent: true, ..reply });
    let bench = bench();
    // Every attempt brings something; five bring nothing more than what there is.
    fetch(&bench, &host.url(), &[]).ended(0).says("nothing came for 0.5 s");
    fetched(&bench);
    let host = at_first(usize::MAX, |request, reply| match request.offset() {
        None => Reply { cut: Some(700_000), silent: true, ..reply },
        Some(_) => Reply { cut: Some(0), silent: true, ..reply },
    });
    let bench = self::bench();
    let ran = fetch(&bench, &host.url(), &[]).ended(1).says("nothing came for 0.5 s").says("700.0 kB are kept");
    assert!(
        ran.err.contains("run it again: it resumes where it stopped") && ran.err.contains("attempts"),
        "{}",
        ran.err
    );
    assert!(!bench.path("data/recipe-render/models/tiny").exists());
    let host = Host::new(good);
    fetch(&bench, &host.url(), &[]).ended(0).says("resuming after 700.0 kB");
    assert_eq!(image_offsets(&host), [Some(700_000)]);
    fetched(&bench);
}

#[test]
fn servers_without_ranges_begin_again() {
    // One that ignores the wish and answers 200; one that answers with another part; one that refuses any part.
    for kind in 0..3 {
        let count = AtomicUsize::new(0);
        let host = Host::new(move |request| {
            let Some(bytes) = asked(&request.path) else { return Reply::status(404) };
            let first = request.path.ends_with("onnx/model.onnx") && count.fetch_add(1, Ordering::SeqCst) == 0;
            match (request.offset(), kind) {
                (Some(_), 1) => {
                    let range = format!("bytes 5-{}/{}", bytes.len() - 1, bytes.len());
                    Reply { status: 206, body: bytes[5..].to_vec(), ..Reply::default() }.with("Content-Range", &range)
                }
                (Some(_), 2) => Reply::status(416),
                _ => Reply { cut: first.then_some(500_000), ..Reply::whole(&bytes) },
            }
        });
        let bench = bench();
        fetch(&bench, &host.url(), &[]).ended(0);
        fetched(&bench);
    }
}

#[test]
fn a_file_that_changed_on_the_server_is_not_mixed() {
    let bench = bench();
    bench.write("table.toml", unpinned());
    let other = |request: &Request| match request.path.ends_with("tokenizer.json") {
        true => Reply { cut: Some(100_000), ..Reply::file(&vec![b'x'; 300_000], "\"other\"", request) },
        false => good(request),
    };
    let asked_first = AtomicUsize::new(0);
    let host = Host::new(move |request| {
        let tokenizer = request.path.ends_with("tokenizer.json");
        if tokenizer && asked_first.fetch_add(1, Ordering::SeqCst) == 0 { other(request) } else { good(request) }
    });
    fetch(&bench, &host.url(), &[]).ended(0);
    let tokenizer = |request: &&Request| request.path.ends_with("tokenizer.json");
    let ranges: Vec<_> = host.requests().iter().filter(tokenizer).map(Request::offset).collect();
    assert_eq!(ranges, [None, Some(100_000)]);
    fetched(&bench);
}

#[test]
fn damage_to_what_was_kept_is_found() {
    let bench = bench();
    let host = at_first(usize::MAX, |_, reply| Reply { cut: Some(800_000), ..reply }.with("X", "y"));
    // Cut again and again it arrives all the same.
    fetch(&bench, &host.url(), &["--keep-downloads"]).ended(0);
    let download = "data/recipe-render/downloads/tiny/image.onnx";
    let mut bytes = bench.read(download);
    bytes[1000] ^= 1;
    bench.write(download, &bytes);
    let host = Host::new(good);
    fetch(&bench, &host.url(), &["--force", "--keep-downloads"]).ended(0);
    assert_eq!(image_offsets(&host), [None]);
    assert_eq!(host.requests().len(), 1, "the others were whole");
    // The same of a part.
    std::fs::remove_file(bench.path(download)).unwrap();
    let silent = at_first(usize::MAX, |request, reply| Reply {
        cut: Some(if request.offset().is_some() { 0 } else { 800_000 }),
        silent: true,
        ..reply
    });
    fetch(&bench, &silent.url(), &["--force"]).ended(1);
    let part = "data/recipe-render/downloads/tiny/image.onnx.part";
    let mut bytes = bench.read(part);
    assert_eq!(bytes.len(), 800_000);
    bytes[1000] ^= 1;
    bench.write(part, &bytes);
    fetch(&bench, &host.url(), &["--force"]).ended(0).says("starting over");
    fetched(&bench);
}

#[test]
fn other_files_than_expected_are_not_used() {
    for (length, word) in [(0, "its SHA-256 is"), (-5, "bytes, not"), (5, "bytes, not")] {
        for endless in [false, true] {
            let bench = bench();
            let host = at_first(usize::MAX, move |_, reply| {
                let mut body = reply.body;
                body[77] ^= 1;
                body.resize(body.len().strict_add_signed(length), 0);
                Reply { body, endless, ..Reply::status(200) }
            });
            let ran = fetch(&bench, &host.url(), &[]).ended(1).says("is not the expected file").says(word);
            assert!(ran.err.contains("hint: ") && ran.err.contains("some/image/onnx/model.onnx"), "{}", ran.err);
            assert!(!bench.path("data/recipe-render/models/tiny").exists());
            let left: Vec<_> = std::fs::read_dir(bench.path("data/recipe-render/downloads/tiny")).unwrap().collect();
            assert!(left.is_empty(), "{left:?}");
        }
    }
}

#[test]
fn refusals_are_told_apart() {
    for (status, code, words, hint) in [
        (401, 1, "requires a token", "HF_TOKEN"),
        (403, 1, "access to it is restricted", "ask for access"),
        (404, 1, "not found", "a newer recipe-render"),
        (429, 1, "too many requests", "run it again"),
        (503, 1, "reports an error (503)", "run it again"),
        (418, 1, "(418)", "some/image"),
    ] {
        let bench = bench();
        let host = at_first(usize::MAX, move |_, _| Reply::status(status).with("Retry-After", "0"));
        let ran = fetch(&bench, &host.url(), &[]).ended(code).says(words).says(hint);
        assert!(ran.err.contains("some/image/onnx/model.onnx from http://127.0.0.1:") || status == 404, "{}", ran.err);
        let tries = if matches!(status, 429 | 503) { 5 } else { 1 };
        assert_eq!(host.requests().len(), tries, "{status}");
    }
    // Trouble that passes is waited for.
    let host = at_first(2, |_, _| Reply::status(503).with("Retry-After", "0"));
    let bench = bench();
    fetch(&bench, &host.url(), &[]).ended(0).says("trying again");
    // An hour is not.
    let host = at_first(9, |_, _| Reply::status(429).with("Retry-After", "3600"));
    fetch(&bench, &host.url(), &["--force"]).ended(1).says("too many requests");
    assert_eq!(host.requests().len(), 1);
}

#[test]
fn a_page_in_the_place_of_a_file_is_no_file() {
    let bench = bench();
    bench.write("table.toml", unpinned());
    let host = Host::new(|request| match request.path.ends_with("tokenizer.json") {
        true => Reply::whole(b"<html>Sign in</html>").with("Content-Type", "text/html; charset=utf-8"),
        false => good(request),
    });
    fetch(&bench, &host.url(), &[]).ended(1).says("a web page in its place");
    assert!(!bench.path("data/recipe-render/fetched.toml").exists());
}

/// A limit on the size of files stands for a full disk.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_what_came_is_kept() {
    let (bench, host) = (bench(), Host::new(good));
    let line = "ulimit -f 2000; trap '' XFSZ; exec \"$PROGRAM\" models fetch tiny";
    let mut limited = bench.around("bash", &program(&bench));
    limited.args(["-c", line]).env("HF_ENDPOINT", host.url());
    let ran = Ran::from(limited.output().unwrap()).ended(1).says("image.onnx.part").says("make room in");
    assert!(ran.err.contains("resumes where it stopped"), "{}", ran.err);
    fetch(&bench, &host.url(), &[]).ended(0).says("resuming after 2.0 MB");
    fetched(&bench);
}

#[cfg(unix)]
#[test]
fn an_interrupted_download_goes_on_later() {
    let silent = at_first(usize::MAX, |_, reply| Reply { cut: Some(900_000), silent: true, ..reply });
    let bench = bench();
    let mut program = program(&bench);
    program.env("HF_ENDPOINT", silent.url()).args(["models", "fetch", "tiny"]);
    let child = program.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let part = bench.path("data/recipe-render/downloads/tiny/image.onnx.part");
    crate::bench::until("the part is there", || part.metadata().is_ok_and(|part| part.len() == 900_000));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    Ran::from(child.wait_with_output().unwrap()).ended(130);
    assert_eq!(part.metadata().unwrap().len(), 900_000);
    let host = Host::new(good);
    fetch(&bench, &host.url(), &[]).ended(0);
    assert_eq!(image_offsets(&host), [Some(900_000)]);
    fetched(&bench);
}

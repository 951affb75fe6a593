//! Where files come from, and who is told what.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

#[test]
fn redirects_are_followed_and_the_token_stays_at_home() {
    let store = Host::new(|request| {
        match request.path.strip_prefix("/store").and_then(|path| asked(path.split('?').next()?)) {
            Some(bytes) => Reply::file(&bytes, "\"1\"", request),
            None => Reply::status(404),
        }
    });
    let (to, count) = (store.url(), AtomicUsize::new(0));
    // To another path of the same host, then to another host.
    let hub = Host::new(move |request| match request.path.strip_prefix("/moved") {
        None => Reply::status(307).with("Location", &format!("/moved{}", request.path)),
        Some(path) => {
            let cut = count.fetch_add(1, Ordering::SeqCst) == 0;
            let status = if cut { 301 } else { 302 };
            Reply::status(status).with("Location", &format!("{to}/store{path}?Signature=s3cret"))
        }
    });
    let bench = bench();
    let run = |token: &str| -> Ran {
        let mut program = program(&bench);
        program.env("HF_ENDPOINT", format!("{}/", hub.url())).env("HF_TOKEN", token);
        program.args(["models", "fetch", "tiny", "-v"]).output().unwrap().into()
    };
    let ran = run("hf_secret").ended(0);
    fetched(&bench);
    assert!(hub.requests().iter().all(|request| request.header("authorization") == Some("Bearer hf_secret")));
    assert_eq!(hub.requests().len(), 6);
    assert_eq!(store.requests().len(), 3);
    for request in store.requests() {
        assert_eq!(request.header("authorization"), None);
        assert!(request.path.starts_with("/store/some/"));
    }
    assert!(!ran.err.contains("secret") && !ran.err.contains("s3cret"), "{}", ran.err);
    run("hf secret").ended(0).says("already there");
    let circle = Host::new(|request| Reply::status(302).with("Location", &request.path));
    fetch(&bench, &circle.url(), &["--force"]).ended(1).says("redirects endlessly");
    let away = Host::new(|_| Reply::status(302).with("Location", "ftp://x/y"));
    fetch(&bench, &away.url(), &["--force"]).ended(1).says("redirects to ftp://x/y");
}

#[test]
fn a_token_that_is_none_and_an_endpoint_that_is_none_are_told() {
    let (bench, host) = (bench(), Host::new(|_| Reply::status(401)));
    let run = |endpoint: &str, token: &str| -> Ran {
        let mut program = program(&bench);
        program.env("HF_ENDPOINT", endpoint).env("HF_TOKEN", token);
        program.args(["models", "fetch", "tiny"]).output().unwrap().into()
    };
    run(&host.url(), "abc").ended(1).says("the token is not accepted").says("HF_TOKEN is wrong");
    run(&host.url(), "two words").ended(2).says("HF_TOKEN");
    run("mirror.example", "").ended(2).says("HF_ENDPOINT").says("https://");
    run("http://127.0.0.1:9", "").ended(1).says("cannot reach 127.0.0.1:9").says("is there a network?");
}

#[test]
fn proxies_are_honoured() {
    let (bench, host, proxy) = (bench(), Host::new(good), Host::new(|_| Reply::status(500)));
    let run = |variables: &[(&str, &str)]| -> Ran {
        let mut program = program(&bench);
        program.env("HF_ENDPOINT", host.url()).envs(variables.iter().copied());
        program.args(["models", "fetch", "tiny", "--force"]).output().unwrap().into()
    };
    run(&[("HTTP_PROXY", &proxy.url())]).ended(0);
    assert!(!proxy.requests().is_empty());
    assert!(proxy.requests().iter().all(|request| request.method == "CONNECT" && request.path == host.address()));
    let before = proxy.requests().len();
    run(&[("HTTP_PROXY", &proxy.url()), ("NO_PROXY", "example.org, 127.0.0.1")]).ended(0);
    run(&[("HTTPS_PROXY", &proxy.url())]).ended(0);
    assert_eq!(proxy.requests().len(), before);
    run(&[("http_proxy", "http://user:secret@127.0.0.1:9")]).ended(1).says("through the proxy of http_proxy");
    let ran = run(&[("http_proxy", "gopher://user:secret@127.0.0.1:9")]).ended(2).says("http_proxy");
    assert!(!ran.err.contains("secret"), "{}", ran.err);
}

#[test]
fn files_are_taken_from_folders_and_other_servers() {
    let bench = bench();
    let run = |from: &str, more: &[&str]| -> Ran {
        let mut program = program(&bench);
        program.env("HF_ENDPOINT", "http://127.0.0.1:9").args(["models", "fetch", "tiny", "--force", "--from", from]);
        program.args(more).output().unwrap().into()
    };
    for (role, name, path) in FILES {
        bench.write(&format!("flat/{name}"), content(name));
        bench.write(&format!("hub/some/{role}/resolve/{REVISION}/{path}"), content(name));
        bench.write(&format!("cache/models--some--{role}/snapshots/{REVISION}/{path}"), content(name));
        bench.write(&format!("clones/{role}/{path}"), content(name));
    }
    for folder in ["flat", "hub", "cache", "clones"] {
        run(folder, &["--offline"]).ended(0);
        fetched(&bench);
        std::fs::remove_dir_all(bench.path("data")).unwrap();
    }
    assert!(bench.read("flat/image.onnx") == content("image.onnx"), "the user's own files stay");
    bench.write("flat/text.onnx", "other");
    run("flat", &[]).ended(2).says("flat/text.onnx: it has 5 bytes, not");
    std::fs::remove_file(bench.path("flat/text.onnx")).unwrap();
    run("flat", &[]).ended(2).says("there is no text.onnx in this folder").says(REVISION);
    run("nowhere", &[]).ended(2).says("does not exist");
    run("ftp://x", &[]).ended(2).says("--from");
    assert!(!bench.path("data/recipe-render/models/tiny").exists());
    // A server with the files side by side.
    let flat = Host::new(|request| {
        let name = request.path.strip_prefix("/pub/").filter(|name| !name.contains('/'));
        match name {
            Some(name) => Reply::file(&content(name), "\"1\"", request),
            None => Reply::status(403),
        }
    });
    run(&format!("{}/pub/", flat.url()), &[]).ended(0);
    fetched(&bench);
    run(&flat.url(), &[]).ended(1).says("is not at http://127.0.0.1").says("side by side");
    let hub = Host::new(good);
    run(&hub.url(), &[]).ended(0);
    assert_eq!(hub.requests().len(), 3);
}

#[test]
fn offline_downloads_nothing_and_says_what_helps() {
    let (bench, host) = (bench(), Host::new(good));
    let ran = fetch(&bench, &host.url(), &["--offline"]).ended(1).says("--offline forbids downloading it (");
    assert!(ran.err.contains(&megabytes()), "{}", ran.err);
    assert!(ran.err.contains("--keep-downloads") && ran.err.contains("--from FOLDER"), "{}", ran.err);
    assert!(host.requests().is_empty());
    // As the hint says.
    fetch(&bench, &host.url(), &["--keep-downloads"]).ended(0).says("the downloads stay in");
    std::fs::rename(bench.path("data/recipe-render/downloads/tiny"), bench.path("brought")).unwrap();
    std::fs::remove_dir_all(bench.path("data")).unwrap();
    fetch(&bench, "http://127.0.0.1:9", &["--offline", "--from", "brought"]).ended(0);
    fetched(&bench);
    fetch(&bench, &host.url(), &["--offline"]).ended(0).says("already there");
}

#[test]
fn a_hash_that_was_not_known_is_recorded_and_compared() {
    let bench = bench();
    bench.write("table.toml", unpinned());
    let host = Host::new(|request| good(request).with("X-Repo-Commit", "aaaa"));
    fetch(&bench, &host.url(), &[]).ended(0).says("was not known beforehand").says(&sha256(&content("tokenizer.json")));
    fetched(&bench);
    let records = String::from_utf8(bench.read("data/recipe-render/fetched.toml")).unwrap();
    assert!(records.contains("some/tokenizer/tokenizer.json") && records.contains("aaaa"), "{records}");
    // From then on it is asked for at the recorded commit, and must be the same.
    let again = Host::new(|request| {
        let path = request.path.replace("resolve/aaaa", "resolve/main");
        asked(&path).map_or(Reply::status(404), |bytes| Reply::whole(&bytes))
    });
    let ran = fetch(&bench, &again.url(), &["--force"]).ended(0);
    assert!(!ran.err.contains("beforehand"), "{}", ran.err);
    assert!(again.paths().contains(&"/some/tokenizer/resolve/aaaa/tokenizer.json".to_owned()), "{:?}", again.paths());
    let changed = Host::new(|request| match request.path.ends_with("tokenizer.json") {
        true => {
            let mut bytes = content("tokenizer.json");
            bytes[9] ^= 1;
            Reply::whole(&bytes)
        }
        false => good(request),
    });
    fetch(&bench, &changed.url(), &["--force"]).ended(1).says("is not the expected file").says("fetched.toml");
    fetched_still(&bench);
}

/// A failure leaves the model that was there.
#[track_caller]
fn fetched_still(bench: &Bench) {
    assert!(bench.read("data/recipe-render/models/tiny/tokenizer.json") == content("tokenizer.json"));
}

//! `models fetch`, from servers that behave and servers that do not.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use sha2::{Digest, Sha256};

use crate::bench::{Bench, Ran, SMALL};
use crate::host::{Host, Reply, Request};

/// What the tests' table knows: the embedded model, as if it were on a hub.
const FILES: [(&str, &str, &str); 3] = [
    ("image", "image.onnx", "onnx/model.onnx"),
    ("text", "text.onnx", "model.onnx"),
    ("tokenizer", "tokenizer.json", "tokenizer.json"),
];

const REVISION: &str = "0123456789012345678901234567890123456789";

fn content(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("models/pocket").join(name)).unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A table with one model, `tiny`; `change` may spoil a file's entry.
fn table(change: impl Fn(&str, String) -> String) -> String {
    let mut text = "[[model]]\nname = 'tiny'\nabout = 'for tests'\nlicence = 'MIT'\n[model.settings]\nsize = 64\n\
         mean = [0.0, 0.0, 0.0]\ndeviation = [1.0, 1.0, 1.0]\ncontext = 0\n"
        .to_owned();
    for (role, name, path) in FILES {
        let bytes = content(name);
        let entry = format!(
            "[[model.file]]\nrole = '{role}'\nrepository = 'some/{role}'\nrevision = '{REVISION}'\npath = '{path}'\n\
             name = '{name}'\nbytes = {}\nsha256 = '{}'\n",
            bytes.len(),
            sha256(&bytes)
        );
        text += &change(role, entry);
    }
    text
}

/// Without the tokenizer's hash and length, and from a branch.
fn unpinned() -> String {
    table(|role, entry| {
        if role != "tokenizer" {
            return entry;
        }
        let kept = |line: &&str| !line.starts_with("bytes") && !line.starts_with("sha256");
        let lines: Vec<&str> = entry.lines().filter(kept).collect();
        lines.join("\n").replace(REVISION, "main") + "\n"
    })
}

fn bench() -> Bench {
    let bench = Bench::small();
    bench.write("table.toml", table(|_, entry| entry));
    bench
}

/// The program with nothing of the tester's own settings.
fn program(bench: &Bench) -> Command {
    let mut program = bench.program();
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        program.env_remove(name).env_remove(name.to_uppercase());
    }
    program.env_remove("HF_TOKEN").env_remove("HF_ENDPOINT");
    program.env("XDG_DATA_HOME", bench.path("data")).env("RECIPE_RENDER_MODEL_TABLE", bench.path("table.toml"));
    program
}

/// Fetches from `url`, in the place of the hub.
fn fetch(bench: &Bench, url: &str, more: &[&str]) -> Ran {
    let mut program = program(bench);
    program.env("HF_ENDPOINT", url).args(["models", "fetch", "tiny", "--timeout", "0.5"]).args(more);
    program.output().unwrap().into()
}

/// The file that a path of the hub means.
fn asked(path: &str) -> Option<Vec<u8>> {
    let of = |(role, name, file): &(&str, &str, &str)| {
        let revisions = [REVISION, "main"];
        let hub = revisions.iter().any(|revision| path == format!("/some/{role}/resolve/{revision}/{file}"));
        hub.then(|| content(name))
    };
    FILES.iter().find_map(of)
}

fn good(request: &Request) -> Reply {
    match asked(&request.path) {
        Some(bytes) => Reply::file(&bytes, &format!("\"{}\"", bytes.len()), request),
        None => Reply::status(404),
    }
}

/// As `good`, but the first requests for the image encoder are answered by `first`.
fn at_first(times: usize, first: impl Fn(&Request, Reply) -> Reply + Send + Sync + 'static) -> Host {
    let count = AtomicUsize::new(0);
    Host::new(move |request| {
        let image = request.path.ends_with("onnx/model.onnx");
        if image && count.fetch_add(1, Ordering::SeqCst) < times {
            first(request, good(request))
        } else {
            good(request)
        }
    })
}

fn image_offsets(host: &Host) -> Vec<Option<usize>> {
    let image = |request: &&Request| request.path.ends_with("onnx/model.onnx");
    host.requests().iter().filter(image).map(Request::offset).collect()
}

/// The fetched model is there, whole and usable, and nothing else is left.
#[track_caller]
fn fetched(bench: &Bench) {
    // The graphs may have been rewritten; of which files they were made stands beside them.
    let description = String::from_utf8(bench.read("data/recipe-render/models/tiny/model.toml")).unwrap();
    for (_, name, _) in FILES {
        assert!(description.contains(&sha256(&content(name))), "{name}: {description}");
        assert!(bench.path(&format!("data/recipe-render/models/tiny/{name}")).is_file());
    }
    assert!(!bench.path("data/recipe-render/downloads/tiny").exists());
    let ran = Ran::from(program(bench).args(["models", "list"]).output().unwrap()).ended(0);
    assert!(ran.out.lines().any(|line| line.starts_with("tiny") && line.contains("for tests")), "{}", ran.out);
}

#[test]
fn a_model_is_fetched_once_and_renders() {
    let (bench, host) = (bench(), Host::new(good));
    fetch(&bench, &host.url(), &[]).ended(0).says("tiny: ready, in ").says("licence: MIT");
    fetched(&bench);
    let requests = host.requests();
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|request| request.method == "GET" && request.header("authorization").is_none()));
    assert!(requests[0].header("user-agent").unwrap().starts_with("recipe-render/"));
    bench.write("small.toml", SMALL.replace("seed = 4", "seed = 4\nmodel = 'tiny'"));
    Ran::from(program(&bench).args(["small.toml"]).output().unwrap()).ended(0);
    fetch(&bench, &host.url(), &[]).ended(0).says("already there");
    assert_eq!(host.requests().len(), 3);
    bench.write("data/recipe-render/models/tiny/model.toml", "damaged");
    fetch(&bench, &host.url(), &["--force", "-q"]).ended(0);
    fetched(&bench);
    assert_eq!(host.requests().len(), 6);
}

#[test]
fn what_can_be_fetched_is_listed() {
    let (bench, host) = (bench(), Host::new(good));
    let list =
        |arguments: &[&str]| Ran::from(program(&bench).args(["models", "fetch"]).args(arguments).output().unwrap());
    let ran = list(&[]).ended(0);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(
        lines[0].starts_with("tiny ") && lines[0].contains("7.4 MB") && lines[0].contains("for tests"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("clip-vit-b32") && ran.out.contains("608.0 MB") && ran.out.contains("about 607.2 MB"));
    let here = |bench: &Ran| -> serde_json::Value {
        let all: serde_json::Value = serde_json::from_str(&bench.out).unwrap();
        all[0]["here"].clone()
    };
    assert_eq!(here(&list(&["--json"]).ended(0)), false);
    let ran = fetch(&bench, &host.url(), &["--json", "--keep-downloads"]).ended(0);
    let result: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&result["name"], &result["status"]), (&"tiny".into(), &"fetched".into()));
    assert_eq!(here(&list(&["--json"]).ended(0)), true);
    assert!(list(&[]).out.lines().next().unwrap().contains("  here  "));
    list(&["tyny"]).ended(2).says("did you mean `tiny`?");
    list(&["--force"]).ended(2).says("NAME");
    list(&["tiny", "--timeout", "0"]).ended(2).says("--timeout");
}

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
    let ran = fetch(&bench, &host.url(), &[]).ended(1).says("nothing came for 0.5 s").says("700 kB are here");
    assert!(
        ran.err.contains("run it again: it goes on where it stopped") && ran.err.contains("attempts"),
        "{}",
        ran.err
    );
    assert!(!bench.path("data/recipe-render/models/tiny").exists());
    let host = Host::new(good);
    fetch(&bench, &host.url(), &[]).ended(0).says("going on after 700 kB");
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
    fetch(&bench, &host.url(), &["--force"]).ended(0).says("beginning again");
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
        (401, 1, "wants to know who you are", "HF_TOKEN"),
        (403, 1, "does not give it to everybody", "ask for access"),
        (404, 1, "not found", "a newer recipe-render"),
        (429, 1, "too many requests", "run it again"),
        (503, 1, "in trouble (503)", "run it again"),
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
    fetch(&bench, &circle.url(), &["--force"]).ended(1).says("sends on and on");
    let away = Host::new(|_| Reply::status(302).with("Location", "ftp://x/y"));
    fetch(&bench, &away.url(), &["--force"]).ended(1).says("sends on to ftp://x/y");
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
    run("flat", &[]).ended(2).says("has no text.onnx").says(REVISION);
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
    let ran = fetch(&bench, &host.url(), &["--offline"]).ended(1).says("--offline forbids downloading it (7.4 MB)");
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

#[test]
fn two_at_once_fetch_it_once() {
    let (bench, host) = (bench(), Host::new(good));
    let start = || {
        let mut program = program(&bench);
        program.env("HF_ENDPOINT", host.url()).args(["models", "fetch", "tiny"]);
        program.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<_> = (0..3).map(|_| start()).collect();
    let mut ready = 0;
    for child in children {
        let ran = Ran::from(child.wait_with_output().unwrap()).ended(0);
        ready += usize::from(ran.err.contains("tiny: ready"));
    }
    assert_eq!(ready, 1);
    assert_eq!(host.requests().len(), 3);
    fetched(&bench);
}

#[test]
fn tables_and_folders_that_cannot_be_used_are_told() {
    let (bench, host) = (bench(), Host::new(good));
    bench.write("table.toml", "[[model]]\nname = '../tiny'\n");
    fetch(&bench, &host.url(), &[]).ended(2).says("table.toml: model `../tiny`");
    std::fs::remove_file(bench.path("table.toml")).unwrap();
    fetch(&bench, &host.url(), &[]).ended(2).says("RECIPE_RENDER_MODEL_TABLE");
    bench.write("table.toml", table(|_, entry| entry));
    bench.write("data/recipe-render", "a file where the folder should be");
    fetch(&bench, &host.url(), &[]).ended(1).says("recipe-render").says("XDG_DATA_HOME");
}

/// A limit on the size of files stands for a full disk.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_what_came_is_kept() {
    let (bench, host) = (bench(), Host::new(good));
    let mut shell = program(&bench);
    let path = shell.get_program().to_owned();
    let line = "ulimit -f 2000; trap '' XFSZ; exec \"$0\" models fetch tiny";
    let mut limited = Command::new("bash");
    limited.args(["-c", line]).arg(path).current_dir(bench.path("")).env("HF_ENDPOINT", host.url());
    for (name, value) in shell.env("A", "b").get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    limited.env("HF_ENDPOINT", host.url());
    let ran = Ran::from(limited.output().unwrap()).ended(1).says("image.onnx.part").says("make room in");
    assert!(ran.err.contains("goes on where it stopped"), "{}", ran.err);
    fetch(&bench, &host.url(), &[]).ended(0).says("going on after 2.0 MB");
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

use super::*;
use crate::runtime::{Runtime, open};

/// Returns a name that the search takes for onnxruntime's library.
fn library_name() -> &'static str {
    if cfg!(windows) {
        "onnxruntime.dll"
    } else if cfg!(target_vendor = "apple") {
        "libonnxruntime.dylib"
    } else {
        "libonnxruntime.so"
    }
}

/// Creates a folder with a file that is named like the library but is not one.
fn folder_with_text() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(library_name()), "text").unwrap();
    folder
}

/// Returns the folder of a usable library.
fn serving_folder() -> PathBuf {
    Runtime::for_tests().path().parent().unwrap().to_owned()
}

#[test]
fn an_unusable_library_is_noted_and_the_search_goes_on() {
    let (broken, empty) = (folder_with_text(), tempfile::tempdir().unwrap());
    let surroundings = Surroundings {
        executable_folder: Some(broken.path().to_owned()),
        libraries_folder: Some(empty.path().join("onnxruntime")),
        python_folders: vec![serving_folder()],
        system_folders: vec![broken.path().to_owned()],
        ..Surroundings::default()
    };
    let search = search(&surroundings, Want::Cpu).unwrap();
    let (source, probed) = search.found.unwrap();
    assert_eq!(source, Source::Python);
    assert_eq!(probed.version, Runtime::for_tests().version());
    let sources: Vec<Source> = search.places.iter().map(|place| place.source).collect();
    assert_eq!(sources, [Source::Executable, Source::Cache, Source::Python]);
    assert_eq!(search.places[0].outcome, Outcome::Unusable("is not a shared library".to_owned()));
    assert_eq!(search.places[1].outcome, Outcome::Absent("does not exist".to_owned()));
}

#[test]
fn an_explicit_library_that_does_not_serve_is_an_error() {
    let broken = folder_with_text();
    let good = Some(serving_folder());
    for surroundings in [
        Surroundings { option: Some(broken.path().join(library_name())), variable: good.clone(), ..Default::default() },
        Surroundings { option: Some(broken.path().join("missing")), variable: good.clone(), ..Default::default() },
        Surroundings {
            variable: Some(broken.path().to_owned()),
            python_folders: good.clone().into_iter().collect(),
            ..Default::default()
        },
    ] {
        let error = search(&surroundings, Want::Cpu).unwrap_err();
        assert!(error.message().contains(&*broken.path().to_string_lossy()), "{error}");
        assert!(error.hint().is_some());
    }
    let option = Surroundings { option: good, variable: Some(broken.path().to_owned()), ..Default::default() };
    assert_eq!(search(&option, Want::Cpu).unwrap().found.unwrap().0, Source::Option);
}

#[test]
fn a_library_without_cuda_does_not_serve_where_cuda_is_asked_for() {
    let Some(folder) = Some(serving_folder()).filter(|folder| !folder.join(probe::CUDA_PROVIDER).exists()) else {
        eprintln!("skipped: the library that the tests use has CUDA");
        return;
    };
    let surroundings = Surroundings { python_folders: vec![folder], ..Default::default() };
    let search = search(&surroundings, Want::Cuda).unwrap();
    assert!(search.found.is_none());
    assert_eq!(search.places[0].outcome, Outcome::Unusable("is onnxruntime without its CUDA provider".to_owned()));
}

#[test]
fn where_nothing_serves_every_place_is_listed_with_its_reason() {
    let (broken, empty) = (folder_with_text(), tempfile::tempdir().unwrap());
    let surroundings = Surroundings {
        executable_folder: Some(empty.path().to_owned()),
        libraries_folder: Some(empty.path().join("onnxruntime")),
        system_folders: vec![broken.path().to_owned()],
        ..Surroundings::default()
    };
    let search = search(&surroundings, Want::Cpu).unwrap();
    assert!(search.found.is_none());
    let text = open::not_found(Want::Cpu, &search.places).to_string();
    for part in [
        "beside the executable: ",
        "has no onnxruntime library",
        "cache: ",
        "does not exist",
        "Python environment: no Python environment",
        "system: ",
        "is not a shared library",
        "recipe-render runtime install",
    ] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}

#[test]
#[cfg(all(unix, not(target_vendor = "apple")))]
fn the_newest_of_several_libraries_comes_first_and_links_count_once() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["libonnxruntime.so.1.9.0", "libonnxruntime.so.1.32.0", "libonnxruntime_providers_shared.so", "x.so"] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    std::os::unix::fs::symlink("libonnxruntime.so.1.32.0", folder.path().join("libonnxruntime.so.1")).unwrap();
    let names: Vec<_> =
        libraries_in(folder.path()).iter().map(|p| p.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["libonnxruntime.so.1.32.0", "libonnxruntime.so.1.9.0"]);
}

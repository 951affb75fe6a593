//! The folders that the system's loader searches for libraries.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use super::locate::libraries_in;

/// Returns the folders of the system's loader that contain the library.
pub(super) fn library_folders() -> Vec<PathBuf> {
    let variable = if cfg!(windows) {
        "PATH"
    } else if cfg!(target_vendor = "apple") {
        "DYLD_LIBRARY_PATH"
    } else {
        "LD_LIBRARY_PATH"
    };
    let mut folders: Vec<PathBuf> =
        env::var_os(variable).iter().flat_map(env::split_paths).filter(|folder| folder.is_absolute()).collect();
    if cfg!(unix) {
        let triplet = format!("/usr/lib/{}-linux-gnu", env::consts::ARCH);
        let usual = ["/usr/local/lib", "/usr/local/lib64", "/opt/homebrew/lib", "/usr/lib", "/usr/lib64", &triplet];
        folders.extend(usual.iter().map(PathBuf::from));
    }
    if cfg!(target_os = "linux") {
        folders.extend(configured_folders(Path::new("/etc/ld.so.conf"), 0));
    }
    let mut kept = Vec::new();
    for folder in folders {
        if !kept.contains(&folder) && !libraries_in(&folder).is_empty() {
            kept.push(folder);
        }
    }
    kept
}

/// Returns the folders named in the Linux loader's configuration and in the files that it includes (`include PATTERN`,
/// where only the file's name may hold a `*`).
fn configured_folders(file: &Path, depth: usize) -> Vec<PathBuf> {
    let Ok(text) = fs::read_to_string(file) else { return Vec::new() };
    let mut folders = Vec::new();
    for line in text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()) {
        let Some(pattern) = line.strip_prefix("include ") else {
            if line.starts_with('/') {
                folders.push(PathBuf::from(line));
            }
            continue;
        };
        let pattern = file.parent().unwrap_or(Path::new("/")).join(pattern.trim());
        let (Some(folder), Some(name)) = (pattern.parent(), pattern.file_name().and_then(OsStr::to_str)) else {
            continue;
        };
        let (start, end) = name.split_once('*').unwrap_or((name, ""));
        let mut included: Vec<PathBuf> =
            fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
        included.retain(|path| {
            path.file_name().and_then(OsStr::to_str).is_some_and(|n| n.starts_with(start) && n.ends_with(end))
        });
        included.sort();
        if depth < 4 {
            folders.extend(included.iter().flat_map(|path| configured_folders(path, depth + 1)));
        }
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loader_s_configuration_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("conf.d")).unwrap();
        fs::write(folder.path().join("conf.d/a.conf"), "# comment\n/opt/a/lib # here\n").unwrap();
        fs::write(folder.path().join("conf.d/b.other"), "/opt/b/lib\n").unwrap();
        let main = folder.path().join("main.conf");
        // A file that includes itself must not be followed for ever.
        fs::write(&main, "include conf.d/*.conf\ninclude main.conf\n/opt/c/lib\n").unwrap();
        let folders = configured_folders(&main, 0);
        assert!(folders.contains(&PathBuf::from("/opt/a/lib")), "{folders:?}");
        assert!(folders.contains(&PathBuf::from("/opt/c/lib")), "{folders:?}");
        assert!(!folders.contains(&PathBuf::from("/opt/b/lib")), "{folders:?}");
    }
}

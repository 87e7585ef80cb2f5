//! Starting programs: finding them, running them, and reading what they print while it is printed.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Goes to the folder of the workspace, where every command of ours runs.
pub(crate) fn enter_root() -> Result<(), String> {
    let here = std::env::current_dir().map_err(|e| format!("no current folder: {e}"))?;
    let root = here
        .ancestors()
        .find(|dir| {
            std::fs::read_to_string(dir.join("Cargo.toml")).is_ok_and(|text| text.contains("[workspace]"))
        })
        .ok_or("not inside the workspace: change to the folder of the clone")?;
    std::env::set_current_dir(root).map_err(|e| format!("cannot enter {}: {e}", root.display()))
}

/// The cargo that runs us, else the one on the path.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Where built programs of this profile are: beside ourselves, wherever the target folder was put.
pub(crate) fn built(program: &str) -> Result<PathBuf, String> {
    let me = std::env::current_exe().map_err(|e| format!("cannot find our own file: {e}"))?;
    let folder = me.parent().ok_or("our own file has no folder")?;
    // A unit test runs from `deps/`, one further down.
    let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
    Ok(folder.join(program))
}

/// The target folder, for scratch files that `cargo clean` may take away.
pub(crate) fn target() -> Result<PathBuf, String> {
    let mut folder = built("")?;
    folder.pop();
    Ok(folder)
}

/// Looks along `PATH`, and in the folders of administrators' programs, which a plain user's path often lacks.
pub(crate) fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from))
        .map(|dir| dir.join(program))
        .find(|file| is_program(file))
}

pub(crate) fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// What a program prints, or what went wrong, in words that name it.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let name = shown(command);
    let out = command.stdin(Stdio::null()).output().map_err(|e| format!("`{name}` did not start: {e}"))?;
    if !out.status.success() {
        let why = String::from_utf8_lossy(&out.stderr);
        return Err(format!("`{name}` failed ({}): {}", out.status, why.trim()));
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// Runs a program whose output goes straight to the terminal. True when it succeeded.
pub(crate) fn shown_run(command: &mut Command) -> bool {
    lines(command, |_| ())
}

/// Runs a program, shows each line of its standard output at once and hands it to `each`. True when it succeeded.
pub(crate) fn lines(command: &mut Command, mut each: impl FnMut(&str)) -> bool {
    println!("$ {}", shown(command));
    let mut child = match command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(e) => {
            println!("did not start: {e}");
            return false;
        }
    };
    if let Some(out) = child.stdout.take() {
        let mut out = BufReader::new(out);
        let mut line = Vec::new();
        while out.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            let text = String::from_utf8_lossy(&line);
            print!("{text}");
            // Live, also when we are piped into something.
            let _ = std::io::stdout().flush();
            each(text.trim_end());
            line.clear();
        }
    }
    child.wait().is_ok_and(|status| status.success())
}

/// A command line as one would type it; only for reading.
fn shown(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(name).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// A loopback port that was free a moment ago.
pub(crate) fn free_port() -> Result<u16, String> {
    std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|socket| socket.local_addr())
        .map(|addr| addr.port())
        .map_err(|e| format!("no free loopback port: {e}"))
}

pub(crate) fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// A folder of our own for one run, readable by us alone; whoever makes it hands it to a keeper that removes it.
pub(crate) fn scratch(what: &str) -> Result<PathBuf, String> {
    use std::os::unix::fs::DirBuilderExt;
    let base = std::env::temp_dir();
    for n in 0..100 {
        let folder = base.join(format!("latchstring-{what}-{}-{n}", std::process::id()));
        match std::fs::DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => return Ok(folder),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(format!("cannot make {}: {e}", folder.display())),
        }
    }
    Err(format!("{} holds a hundred of our folders: remove latchstring-{what}-* there", base.display()))
}

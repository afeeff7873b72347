//! The command at a terminal, with a person who reads what it asks and answers.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use super::command::Ran;

/// What the person does once a text is on the screen.
pub(crate) enum Act<'a> {
    /// Types a line.
    Type(&'a str),
    /// Types a line once what is typed is no longer shown.
    TypeUnseen(&'a str),
    /// Does something with what is on the screen.
    Do(&'a dyn Fn(&str)),
}

/// Runs `cg-attest` at a terminal; `stderr` of the result is all that was on its screen, on one line.
pub(crate) fn cg_attest_at_a_terminal(args: &[String], variables: &[(&str, &str)], acts: &[(&str, Act<'_>)]) -> Ran {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&terminal).and_then(|()| unlockpt(&terminal)).expect("a terminal of ours");
    let name = ptsname(&terminal, Vec::new()).expect("its name").into_bytes();
    let name = std::ffi::OsString::from_vec(name);
    let screen = File::options().read(true).write(true).open(name).expect("its other end");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cg-attest"));
    command.args(args).env_clear().env("SIGSTORE_ROOT_FILE", "embedded").envs(variables.iter().copied());
    command.stdin(screen.try_clone().expect("a terminal")).stderr(screen).stdout(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    // It has this end as well, and the terminal is over when the last one is closed.
    drop(command);
    let mut terminal = File::from(terminal);
    let (mut seen, mut acts) = (String::new(), acts.iter());
    let mut next = acts.next();
    let mut bytes = [0; 4096];
    while let Ok(count) = terminal.read(&mut bytes)
        && count > 0
    {
        seen.push_str(&String::from_utf8_lossy(&bytes[..count]));
        // Several things may have come at once.
        while let Some((text, act)) = next.filter(|(text, _)| on_one_line(&seen).contains(text.trim())) {
            match act {
                Act::Do(act) => act(&seen),
                Act::Type(line) => terminal.write_all(format!("{line}\n").as_bytes()).expect("typed"),
                Act::TypeUnseen(line) => {
                    // What is typed before that is thrown away.
                    while tcgetattr(&terminal).expect("a terminal").local_modes.contains(LocalModes::ECHO) {
                        assert!(
                            child.try_wait().expect("ours").is_none(),
                            "{text}: it does not hide what is typed\n{seen}"
                        );
                        std::thread::sleep(Duration::from_millis(5));
                    }
                    terminal.write_all(format!("{line}\n").as_bytes()).expect("typed");
                }
            }
            next = acts.next();
        }
    }
    let mut stdout = String::new();
    child.stdout.take().expect("a pipe").read_to_string(&mut stdout).expect("UTF-8");
    let status = child.wait().expect("the command ends");
    assert!(next.is_none(), "nobody was asked {:?}\n{seen}{stdout}", next.map(|(text, _)| text));
    Ran { code: status.code().expect("an exit code"), stdout, stderr: on_one_line(&seen) }
}

/// A terminal is narrow, and sentences are broken to fit it.
fn on_one_line(screen: &str) -> String {
    screen.split_whitespace().collect::<Vec<_>>().join(" ")
}

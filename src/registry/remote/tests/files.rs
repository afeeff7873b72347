//! Logins from files and helpers, as the registry sees them.

use super::scene::*;
use crate::registry::CredentialFiles;
use crate::testing::Auth;

/// A registry with a password, and a client that reads this `config.json`.
async fn with_file(config: impl Fn(&str) -> String) -> (Scene, tempfile::TempDir) {
    let scene = Scene::new();
    scene.registry.auth(Auth::Basic { username: "user".to_owned(), password: "s3cret".to_owned() });
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("config.json"), config(scene.registry.address())).expect("a file");
    let path = folder.path().to_str().expect("a path of letters").to_owned();
    let values = |name: &str| matches!(name, "DOCKER_CONFIG" | "PATH").then(|| path.clone());
    let files = CredentialFiles::from_env_values(values);
    (scene.client(options().credential_files(files)), folder)
}

fn auths(key: &str) -> String {
    // user:s3cret
    format!(r#"{{"auths":{{"{key}":{{"auth":"dXNlcjpzM2NyZXQ="}}}}}}"#)
}

/// J-08: the whole host and port, not a part of it.
#[tokio::test]
async fn a_login_in_a_file_is_for_the_registry_it_names() {
    let (scene, _folder) = with_file(auths).await;
    assert_eq!(scene.problem().await, None);
    let (scene, _folder) = with_file(|address| auths(&format!("{address}/a"))).await;
    assert_eq!(scene.problem().await, None);
    let near: [fn(&str) -> String; 5] = [
        |address| address[..address.len() - 1].to_owned(),
        |address| format!("{address}0"),
        |address| address.replace("127", "27"),
        |address| address.split(':').next().unwrap_or_default().to_owned(),
        |address| format!("{address}/other"),
    ];
    for other in near {
        let (scene, folder) = with_file(|address| auths(&other(address))).await;
        let error = scene.by_tag().await.expect_err("no login");
        assert_eq!(error.problem(), Problem::Denied);
        let file = folder.path().join("config.json").display().to_string();
        assert!(error.detail().contains(&file) && error.detail().contains("no entry"), "{error}");
        assert!(scene.authorizations().iter().all(Option::is_none));
    }
}

/// J-11: files are named, their content is not told.
#[tokio::test]
async fn a_file_that_cannot_be_read_is_named() {
    for broken in [r#"{"auths": {"x": "dXNlcjpzM2NyZXQ="}}"#, "s3cret", r#"{"auths":{},"auths":{}}"#] {
        let (scene, _folder) = with_file(|_| broken.to_owned()).await;
        let error = scene.by_tag().await.expect_err("no login").to_string();
        assert!(error.contains("config.json") && error.contains("is not valid at line 1"), "{error}");
        assert!(!error.contains("s3cret") && !error.contains("dXNl"), "{error}");
    }
    let (scene, folder) = with_file(auths).await;
    std::fs::remove_file(folder.path().join("config.json")).expect("removed");
    let error = scene.by_tag().await.expect_err("no login").to_string();
    assert!(error.contains("(absent)"), "{error}");
}

/// J-12: a helper is a program of the user's, and still only answers a question.
#[cfg(unix)]
#[tokio::test]
async fn a_helper_is_asked_once_and_only_when_needed() {
    use std::os::unix::fs::PermissionsExt as _;

    let (scene, folder) = with_file(|address| format!(r#"{{"credHelpers":{{"{address}":"test"}}}}"#)).await;
    let _alone = crate::registry::remote::credentials::PROGRAMS.lock().await;
    let asked = folder.path().join("asked");
    let program = folder.path().join("docker-credential-test");
    // One line of output with the builtins of a shell: PATH has nothing else.
    let script = format!(
        "#!/bin/sh\nread server\necho \"$server\" >> {}\necho '{{\"Username\":\"user\",\"Secret\":\"s3cret\"}}'\n",
        asked.display()
    );
    std::fs::write(&program, script).expect("a script");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("a program");
    scene.registry.auth(Auth::Open);
    assert_eq!(scene.problem().await, None);
    assert!(!asked.exists(), "an open registry needs no login");
    scene.registry.auth(Auth::Basic { username: "user".to_owned(), password: "s3cret".to_owned() });
    assert_eq!(scene.problem().await, None);
    let other = scene.registry.repository("c/d");
    let absent = scene.remote.manifest(&scene.context, &other, &tag("latest")).await;
    assert!(absent.expect("an answer").is_none());
    let lines = std::fs::read_to_string(&asked).expect("what was asked");
    assert_eq!(lines, format!("{}\n", scene.registry.address()));

    let (scene, _folder) = with_file(|address| format!(r#"{{"credHelpers":{{"{address}":"../../evil"}}}}"#)).await;
    let error = scene.by_tag().await.expect_err("no helper").to_string();
    assert!(error.contains("is not a helper's name"), "{error}");
}

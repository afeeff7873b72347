//! Refreshes against a repository that is minted here, or is not there any more.

#![expect(clippy::disallowed_methods, reason = "the tests look into the cache and damage it")]

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;

use super::{Instance, Refresh, TrustError, TrustRoot};
use crate::code::Code;
use crate::limits::Limits;
use crate::testing::{Answer, TufRepository, TufServer, VirtualSigstore};
use crate::time::Timestamp;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// `seconds` after a time at which the embedded roots are of the past.
fn at(seconds: i64) -> Timestamp {
    let begin: Timestamp = "2026-12-01T12:00:00Z".parse().expect("a time");
    Timestamp::from_unix(begin.unix() + seconds).expect("a time")
}

fn trusted_root() -> String {
    VirtualSigstore::new().trusted_root_json()
}

/// A private instance's repository that expires in a week, its server, and an empty cache.
struct Scene {
    repository: TufRepository,
    server: Option<TufServer>,
    url: String,
    folder: TempDir,
}

impl Scene {
    fn new() -> Self {
        Self::with(TufRepository::new(trusted_root(), at(7 * DAY)))
    }

    fn with(repository: TufRepository) -> Self {
        let server = TufServer::start(&repository);
        let folder = tempfile::tempdir().expect("a folder");
        Self { url: server.url(), repository, server: Some(server), folder }
    }

    fn server(&self) -> &TufServer {
        self.server.as_ref().expect("it has not died")
    }

    fn dies(&mut self) {
        self.server = None;
    }

    fn cacheless(&self) -> Refresh {
        let refresh = Refresh::of(Instance::PublicGood).mirror(&self.url).expect("a URL");
        let refresh = refresh.backoff(Duration::from_millis(1), Duration::from_millis(2));
        refresh.first_root(self.repository.first_root()).expect("a root")
    }

    fn refresh(&self) -> Refresh {
        self.cacheless().cache_folder(self.folder.path())
    }

    async fn load(&self, seconds: i64) -> Result<TrustRoot, TrustError> {
        self.refresh().load(at(seconds)).await
    }

    /// A cache that was confirmed at the beginning.
    async fn cached(self) -> Self {
        loaded(self.load(0).await, "tuf", &[]);
        self.server().take_requests();
        self
    }

    fn cache_file(&self) -> PathBuf {
        let mut files = fs::read_dir(self.folder.path()).expect("the folder");
        let file = files.next().expect("a file").expect("an entry").path();
        assert!(files.next().is_none(), "one repository has one file");
        file
    }

    /// Changes the cache where `from` stands last in it: the timestamp is the last file, and no first root is.
    fn edit_cache(&self, from: &str, to: &str) {
        let file = self.cache_file();
        let text = fs::read_to_string(&file).expect("text");
        let (before, after) = text.rsplit_once(from).unwrap_or_else(|| panic!("{from:?} is not in: {text}"));
        fs::write(file, format!("{before}{to}{after}")).expect("written");
    }
}

/// Asserts where a root came from, and that each warning says this.
#[track_caller]
fn loaded(root: Result<TrustRoot, TrustError>, origin: &str, warnings: &[&[&str]]) {
    let root = root.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(root.source().split(' ').next(), Some(origin), "{:?}", root.warnings());
    assert_eq!(root.warnings().len(), warnings.len(), "{:?}", root.warnings());
    for (warning, words) in root.warnings().iter().zip(warnings) {
        words.iter().for_each(|word| assert!(warning.contains(word), "{word:?} is not in: {warning}"));
    }
    let of_private_instance = root.instances().any(|(name, _)| name.contains("fulcio.virtual.test"));
    assert_eq!(of_private_instance, origin != "embedded", "{root:?}");
}

#[track_caller]
fn refused(root: Result<TrustRoot, TrustError>, code: Code, words: &[&str]) {
    let error = root.map(|root| root.source().to_owned()).expect_err("refused");
    assert_eq!(error.code(), code, "{error}");
    words.iter().for_each(|word| assert!(error.to_string().contains(word), "{word:?} is not in: {error}"));
}

#[tokio::test]
async fn the_first_load_takes_five_files_and_the_next_none_for_a_day() {
    let scene = Scene::new();
    let root = scene.load(0).await.expect("a root");
    assert_eq!(root.source(), format!("tuf {}", scene.url));
    assert_eq!(root.date(), Some("2026-12-01T12:00:00Z"));
    let requests = scene.server().take_requests();
    let names: Vec<&str> = requests.iter().filter_map(|line| line.rsplit_once('.')?.0.strip_prefix("GET /")).collect();
    assert_eq!(names[..4], ["2.root", "timestamp", "1.snapshot", "1.targets"]);
    assert!(names.len() == 5 && names[4].starts_with("targets/"), "{names:?}");

    loaded(scene.load(23 * HOUR).await, "cache", &[]);
    assert_eq!(scene.load(23 * HOUR).await.expect("a root").date(), Some("2026-12-01T12:00:00Z"));
    assert_eq!(scene.server().take_requests(), [""; 0], "a fresh cache asks for nothing");

    loaded(scene.load(25 * HOUR).await, "tuf", &[]);
    assert_eq!(scene.server().take_requests(), ["GET /2.root.json", "GET /timestamp.json"], "nothing changed");
    loaded(scene.load(26 * HOUR).await, "cache", &[]);
    assert_eq!(scene.server().take_requests(), [""; 0], "that it was confirmed is kept too");
}

#[tokio::test]
async fn how_long_a_cache_is_fresh_is_bounded_by_the_caller_by_its_metadata_and_by_the_clock() {
    let scene = Scene::new().cached().await;
    loaded(scene.refresh().fresh_for(Duration::from_secs(60)).load(at(59)).await, "cache", &[]);
    loaded(scene.refresh().fresh_for(Duration::from_secs(60)).load(at(60)).await, "tuf", &[]);
    loaded(scene.load(-HOUR).await, "tuf", &[]);

    let scene = Scene::with(TufRepository::new(trusted_root(), at(2 * HOUR))).cached().await;
    loaded(scene.load(HOUR).await, "cache", &[]);
    let next = scene.repository.clone().publish(trusted_root(), at(DAY));
    scene.server().serve(&next);
    loaded(scene.load(3 * HOUR).await, "tuf", &[]);
}

#[tokio::test]
async fn what_is_published_replaces_what_was_kept_and_new_keys_are_followed() {
    let scene = Scene::new().cached().await;
    let other = VirtualSigstore::new();
    let next = scene.repository.clone().rotate().rotate().publish(other.trusted_root_json(), at(9 * DAY));
    scene.server().serve(&next);
    loaded(scene.load(2 * DAY).await, "tuf", &[]);
    assert!(
        scene
            .server()
            .take_requests()
            .starts_with(&["GET /2.root.json", "GET /3.root.json", "GET /4.root.json"].map(str::to_owned))
    );
    // The chain of roots is kept as well, and leads there from the first one without a request.
    loaded(scene.load(2 * DAY).await, "cache", &[]);
    let kept = fs::read_to_string(scene.cache_file()).expect("text");
    assert!(kept.contains("root_history/3.root.json") && !kept.contains("1.snapshot.json"), "{kept}");
}

#[tokio::test]
async fn without_the_repository_an_old_cache_is_used_with_a_warning() {
    let mut scene = Scene::new().cached().await;
    let answers = [Answer::status(500), Answer::status(404), Answer::redirect(301, "https://tuf.example.test/")];
    for (answer, word) in answers.into_iter().zip(["500", "not found", "not followed"]) {
        scene.server().answer("timestamp.json", answer);
        loaded(scene.load(3 * DAY).await, "cache", &[&["confirmed 3 d ago: http://127.0.0.1", word]]);
    }
    scene.dies();
    loaded(scene.load(3 * DAY).await, "cache", &[&["confirmed 3 d ago: http://127.0.0.1", "cannot be reached"]]);
    let root = scene.load(3 * DAY).await.expect("a root");
    assert_eq!(root.source(), format!("cache {}", scene.url));
    assert_eq!(root.date(), Some("2026-12-01T12:00:00Z"), "not the date of this run");
    // Expired since then: judged as of the time when it was confirmed.
    let expired = "(its timestamp metadata expired at 2026-12-08T12:00:00Z)";
    loaded(scene.load(30 * DAY).await, "cache", &[&["confirmed 30 d ago", expired, "cannot be reached"]]);
}

#[tokio::test]
async fn a_repository_that_fails_for_now_is_asked_again() {
    let scene = Scene::new();
    let timestamps =
        |scene: &Scene| scene.server().take_requests().iter().filter(|line| *line == "GET /timestamp.json").count();
    for (answer, times) in [
        (Answer::status(503), 4),
        (Answer::status(429).header("retry-after", "0"), 4),
        // Longer than a refresh may take: not waited for.
        (Answer::status(503).header("retry-after", "31"), 1),
        (Answer::status(418), 1),
    ] {
        scene.server().answer("timestamp.json", answer.clone());
        refused(scene.load(0).await, Code::TrustRoot, &["to timestamp.json"]);
        assert_eq!(timestamps(&scene), times, "{answer:?}");
    }
    // Twice, and then it is there.
    scene.server().serve(&scene.repository);
    scene.server().fail("timestamp.json", 2);
    loaded(scene.load(0).await, "tuf", &[]);
    assert_eq!(timestamps(&scene), 3);
}

#[tokio::test]
async fn without_repository_and_cache_the_embedded_root_is_used_with_a_warning() {
    let mut scene = Scene::new();
    scene.dies();
    let public = Refresh::of(Instance::PublicGood).mirror(&scene.url).expect("a URL");
    let words: &[&str] = &["the embedded one of 2026-", "cannot be reached"];
    loaded(public.load(at(0)).await, "embedded", &[words]);
    loaded(public.cache_folder(scene.folder.path()).load(at(0)).await, "embedded", &[&["nothing is in the cache"]]);
    // Nobody asked to trust the public instance.
    refused(scene.load(0).await, Code::TrustRoot, &["cannot be reached", "nothing is in the cache"]);
}

#[tokio::test]
async fn offline_makes_no_request() {
    let scene = Scene::new().cached().await;
    let offline = scene.refresh().offline(true);
    loaded(offline.load(at(HOUR)).await, "cache", &[]);
    loaded(offline.load(at(9 * DAY)).await, "cache", &[&["confirmed 9 d ago", "expired", "no request is made"]]);
    refused(
        scene.cacheless().offline(true).load(at(0)).await,
        Code::TrustRoot,
        &["no request is made; there is no cache"],
    );
    let public = Refresh::of(Instance::PublicGood).mirror(&scene.url).expect("a URL").offline(true);
    loaded(public.load(at(0)).await, "embedded", &[&["no request is made; there is no cache"]]);
    assert_eq!(scene.server().take_requests(), [""; 0]);
}

#[tokio::test]
async fn a_cache_older_than_the_embedded_root_yields_to_it() {
    let scene = Scene::new().cached().await;
    let public = Refresh::of(Instance::PublicGood).mirror(&scene.url).expect("a URL");
    let public = public.cache_folder(scene.folder.path()).offline(true);
    // Here the reason is that the cache is another instance's …
    loaded(public.load(at(2 * DAY)).await, "embedded", &[&["threshold"]]);
    // … and here, that it is old.
    scene.edit_cache("2026-12-01T12:00:00Z", "2026-10-22T00:00:00Z");
    loaded(public.load(at(2 * DAY)).await, "embedded", &[&["older than the embedded"]]);
}

#[tokio::test]
async fn going_back_is_refused_and_going_on_is_not() {
    let scene = Scene::new();
    let first = scene.repository.clone();
    let second = first.clone().publish(trusted_root(), at(3 * DAY));
    scene.server().serve(&second);
    let scene = scene.cached().await;
    scene.server().serve(&first);
    refused(scene.load(2 * DAY).await, Code::TrustRoot, &["rollback", "tuf http://127.0.0.1"]);
    // The floor stands also when what was kept has expired.
    refused(scene.load(6 * DAY).await, Code::TrustRoot, &["rollback"]);
    scene.server().serve(&second.publish(trusted_root(), at(9 * DAY)));
    loaded(scene.load(6 * DAY).await, "tuf", &[]);
}

#[tokio::test]
async fn an_expired_repository_is_one_that_cannot_be_used() {
    let scene = Scene::new().cached().await;
    let expired = scene.repository.clone().publish(trusted_root(), at(HOUR));
    scene.server().serve(&expired);
    let words: &[&str] = &["from the cache", "its timestamp metadata expired at 2026-12-01T13:00:00Z"];
    loaded(scene.load(2 * DAY).await, "cache", &[words]);
    refused(scene.cacheless().load(at(2 * DAY)).await, Code::TrustRoot, &["expired at 2026-12-01T13:00:00Z"]);
    loaded(scene.cacheless().load(at(HOUR)).await, "tuf", &[]);
}

#[tokio::test]
async fn what_no_honest_repository_answers_is_an_error_whatever_is_in_the_cache() {
    let scene = Scene::new().cached().await;
    let next = scene.repository.clone().publish(trusted_root(), at(7 * DAY));
    let target = next.files().into_keys().find(|path| path.starts_with("targets/")).expect("a target");
    let stranger = TufRepository::new(trusted_root(), at(7 * DAY)).publish(trusted_root(), at(7 * DAY));
    let changed = |path: &str, from: &str, to: &str| {
        let text = String::from_utf8(next.files()[path].clone()).expect("text");
        assert!(text.contains(from), "{text}");
        Answer::status(200).body(text.replacen(from, to, 1))
    };
    let wrong = [
        (target.as_str(), changed(&target, "rekor.virtual.test", "rekor.hostile.test"), "integrity"),
        ("timestamp.json", Answer::html(), "JSON"),
        ("timestamp.json", Answer::status(200).body(stranger.files()["timestamp.json"].clone()), "threshold"),
        ("timestamp.json", changed("timestamp.json", "\"version\":2", "\"version\":3"), "threshold"),
        ("2.snapshot.json", changed("2.snapshot.json", "1.0.31", "1.0.30"), "integrity"),
        ("2.targets.json", changed("2.targets.json", "1.0.31", "1.0.30"), "integrity"),
        ("2.root.json", Answer::status(200).body(next.first_root().to_vec()), "root version"),
        (
            "2.root.json",
            Answer::status(200).body(stranger.clone().rotate().files()["2.root.json"].clone()),
            "threshold",
        ),
    ];
    for (path, answer, word) in wrong {
        scene.server().serve(&next);
        scene.server().answer(path, answer);
        refused(scene.load(2 * DAY).await, Code::TrustRoot, &[word]);
    }
    scene.server().serve(&next);
    loaded(scene.load(2 * DAY).await, "tuf", &[]);
}

#[tokio::test]
async fn what_is_too_long_or_too_many_is_over_a_limit() {
    let scene = Scene::new();
    let limits = Limits { trusted_root_bytes: 100, ..Limits::default() };
    let words = ["trusted_root.json has more than 100 bytes"];
    refused(scene.cacheless().limits(limits).load(at(0)).await, Code::Limit, &words);
    scene.server().answer("timestamp.json", Answer::status(200).body(vec![b' '; 20_000]));
    refused(scene.load(0).await, Code::Limit, &["timestamp.json has more than 16384 bytes"]);

    let endless = (0..60).fold(scene.repository.clone(), |repository, _| repository.rotate());
    scene.server().serve(&endless);
    refused(scene.load(0).await, Code::Limit, &["more than 48 files"]);
    scene.server().serve(&(0..40).fold(scene.repository.clone(), |repository, _| repository.rotate()));
    loaded(scene.load(0).await, "tuf", &[]);
}

#[tokio::test]
async fn a_trusted_root_that_cannot_be_used_is_not_kept() {
    let scene = Scene::new().cached().await;
    scene.server().serve(&scene.repository.clone().publish("{}", at(7 * DAY)));
    refused(scene.load(2 * DAY).await, Code::TrustRoot, &["tuf http://127.0.0.1"]);
    loaded(scene.load(HOUR).await, "cache", &[]);
}

#[tokio::test]
async fn an_edited_cache_is_not_used() {
    for (from, to) in [
        // The root itself, the metadata over it, and the signatures over that (scenario M-08).
        ("rekor.virtual.test", "rekor.hostile.test"),
        (r#"\"_type\":\"timestamp\""#, r#"\"_type\":\"timestamp\",\"x\":1"#),
        (r#"\"sig\":\""#, r#"\"sig\":\"00"#),
        (r#""files":{"#, r#""files":{"timestamp.json":"{}","#),
        (r#""timestamp.json":"#, r#""timestamp.jsom":"#),
        ("2026-12-01T12:00:00Z", "yesterday"),
    ] {
        let mut scene = Scene::new().cached().await;
        loaded(scene.refresh().offline(true).load(at(HOUR)).await, "cache", &[]);
        scene.edit_cache(from, to);
        refused(scene.refresh().offline(true).load(at(HOUR)).await, Code::TrustRoot, &["the cache cannot be"]);
        loaded(scene.load(HOUR).await, "tuf", &[]);
        scene.dies();
        loaded(scene.load(HOUR).await, "cache", &[]);
    }
}

#[tokio::test]
async fn a_cache_that_cannot_be_written_is_a_warning() {
    let scene = Scene::new();
    let file = scene.folder.path().join("file");
    fs::write(&file, "").expect("written");
    for folder in [file.clone(), file.join("below")] {
        let refresh = scene.cacheless().cache_folder(folder);
        loaded(refresh.load(at(0)).await, "tuf", &[&["cannot be kept in", "the next run asks again"]]);
    }
    loaded(scene.cacheless().load(at(0)).await, "tuf", &[]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loads_side_by_side_do_not_disturb_each_other() {
    let mut scene = Scene::new();
    let one = |n: i64| {
        let refresh = scene.refresh().fresh_for(Duration::ZERO);
        async move { refresh.load(at(n)).await }
    };
    let runs: Vec<_> = (0..16).map(|n| tokio::task::spawn(one(n))).collect();
    for run in runs {
        loaded(run.await.expect("a task"), "tuf", &[]);
    }
    assert!(scene.cache_file().is_file(), "and nothing else is left there");
    scene.dies();
    loaded(scene.load(HOUR).await, "cache", &[]);
}

#[test]
fn wrong_settings_are_found_before_the_first_request() {
    let public = || Refresh::of(Instance::PublicGood);
    let url = |url| public().mirror(url).err().map(|error| error.code());
    assert_eq!(url("https://tuf.example.test/repository"), None);
    assert_eq!(url("tuf.example.test"), Some(Code::TrustRoot));
    let repository = TufRepository::new("{}", at(0));
    let root = |root: &[u8]| public().first_root(root).err().map(|error| error.code());
    assert_eq!(root(repository.first_root()), None);
    assert_eq!(root(&repository.files()["timestamp.json"]), Some(Code::TrustRoot));
    for instance in [Instance::PublicGood, Instance::Staging, Instance::GitHub] {
        assert!(format!("{:?}", Refresh::of(instance)).contains("https"));
    }
}

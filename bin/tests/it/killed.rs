//! The command killed at every one of its requests in turn, as a machine that
//! goes away does it, and interrupted as a person does it: the second run
//! completes it, nothing is there twice and nothing is lost.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cg_attest::digest::Digest;
use cg_attest::image::Descriptor;
use cg_attest::limits::Limits;
use cg_attest::registry::{Context, Pull as _, RemoteOptions};
use cg_attest::testing::{Identity, ReferrersApi, RegistryFault, Statement, Upload};

use crate::support::signing::Scene;

const BUNDLES: usize = 2;

/// How a run ends before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Killed,
    /// Ctrl-C.
    Interrupted,
}

impl End {
    fn befall(self, child: &mut Child) {
        match self {
            Self::Killed => child.kill().expect("it is ours"),
            Self::Interrupted => {
                let told = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
                assert!(told.success());
                // Not before it is over: the request is answered after that.
                child.wait().expect("it is ours");
            }
        }
    }
}

/// A scene whose image has the evidence of somebody else already: the bundle's
/// manifest, and the list of it as it was written.
fn scene(api: ReferrersApi) -> (Scene, Descriptor, String) {
    let scene = Scene::new();
    scene.registry.referrers_api(api);
    let platform = &scene.image.platforms[0].1;
    let other = Identity::email("mallory@example.com", scene.server.url());
    let bundle = scene.server.sigstore().sign(&other).statement(&Statement::about(&platform.digest).spdx());
    let bundle = Upload::bundle(platform, &bundle);
    let listed = Upload::fallback_tag(platform, &[&bundle]);
    let uploads = if api == ReferrersApi::Present { vec![&bundle] } else { vec![&bundle, &listed] };
    for upload in uploads {
        scene.push(upload);
    }
    let list = listed.manifests().next().expect("a list").2.bytes().to_vec();
    (scene, bundle.descriptor().expect("a referrer"), String::from_utf8(list).expect("text"))
}

/// A list of referrers, byte for byte: what others wrote as they wrote it, and then ours.
fn list_of(before: Option<&str>, ours: &[Descriptor]) -> String {
    let empty = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    let list = before.unwrap_or(empty);
    let (begin, end) = list.split_at(list.rfind(']').expect("its manifests are its one list"));
    let ours: Vec<String> = ours.iter().map(|entry| serde_json::to_string(entry).expect("JSON")).collect();
    let between = if before.is_some() && !ours.is_empty() { "," } else { "" };
    format!("{begin}{between}{}{end}", ours.join(","))
}

impl Scene {
    fn attest(&self) -> Vec<String> {
        self.signing("attest", "v2", &self.documents(false).iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Starts the command and ends it when it has sent so many requests;
    /// how many it sent in all, and whether it came to its own end.
    fn ended_at(&self, end: End, request: usize) -> (usize, bool) {
        let (child, seen) = (Arc::new(Mutex::new(None::<Child>)), Arc::new(AtomicUsize::new(0)));
        let rule = || {
            let (child, seen) = (Arc::clone(&child), Arc::clone(&seen));
            RegistryFault::on("/").compute(move |_| {
                if seen.fetch_add(1, Ordering::SeqCst) + 1 == request {
                    let mut child = child.lock().expect("nobody panicked");
                    end.befall(child.as_mut().expect("it was started"));
                }
                // The request itself is answered, to nobody.
                None
            })
        };
        self.server.fault(rule());
        self.registry.fault(rule());
        {
            // Held until it is stored: its first request waits for that.
            let mut started = child.lock().expect("nobody panicked");
            let mut command = Command::new(env!("CARGO_BIN_EXE_cg-attest"));
            command.args(self.attest()).env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            *started = Some(command.spawn().expect("the command starts"));
        }
        let status = loop {
            let ended = child.lock().expect("nobody panicked").as_mut().expect("started").try_wait().expect("ours");
            match ended {
                Some(status) => break status,
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        self.server.clear_faults();
        self.registry.clear_faults();
        (seen.load(Ordering::SeqCst), status.success())
    }

    /// What is at the tag that lists the referrers of a digest, byte for byte.
    fn list(&self, digest: &Digest) -> Option<String> {
        let (context, repository) = (Context::new(Limits::default()), self.registry.repository("a/b"));
        let tag = cg_attest::image::ImageName::Tag(digest.tag(""));
        let found = self.registry.content().manifest(&context, &repository, &tag);
        let found = futures_util::FutureExt::now_or_never(found).expect("memory does not wait").expect("memory");
        found.map(|fetched| String::from_utf8(fetched.blob.bytes().to_vec()).expect("text"))
    }

    /// That each list is whole, whoever was interrupted while writing it: all
    /// that was there before and whole entries of ours, and not a byte more.
    fn assert_lists_are_whole(&self, foreign: &Descriptor, before: &str) {
        for (number, (_, platform)) in self.image.platforms.iter().enumerate() {
            let before = (number == 0).then_some(before);
            let Some(list) = self.list(&platform.digest) else {
                assert_eq!(before, None, "what was there is there");
                continue;
            };
            let listed = self.listed(&platform.digest);
            let ours: Vec<_> = listed.into_iter().filter(|entry| entry.digest != foreign.digest).collect();
            assert_eq!(list, list_of(before, &ours));
        }
    }

    /// What is listed for a digest, as any client sees it.
    fn listed(&self, digest: &Digest) -> Vec<Descriptor> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let remote = RemoteOptions::new().build().expect("a client");
        let (context, repository) = (Context::new(Limits::default()), self.registry.repository("a/b"));
        runtime.block_on(remote.referrers(&context, &repository, digest)).expect("a listing").descriptors
    }
}

/// One break and its repair.
fn broken_and_mended(api: ReferrersApi, end: End, request: usize) {
    let (scene, foreign, before) = scene(api);
    let (_, whole) = scene.ended_at(end, request);
    assert!(!whole, "{api:?} {request}: it was {end:?}");
    let platforms: Vec<&Digest> = scene.image.platforms.iter().map(|(_, platform)| &platform.digest).collect();
    if api != ReferrersApi::Present {
        scene.assert_lists_are_whole(&foreign, &before);
    }
    // What is listed is there, also half-way.
    let (context, repository) = (Context::new(Limits::default()), scene.registry.repository("a/b"));
    for listed in platforms.iter().flat_map(|digest| scene.listed(digest)) {
        let name = cg_attest::image::ImageName::Digest(listed.digest.clone());
        let there = scene.registry.content().manifest(&context, &repository, &name);
        let there = futures_util::FutureExt::now_or_never(there).expect("memory does not wait").expect("memory");
        assert!(there.is_some(), "{api:?} {request}: {} is listed", listed.digest);
    }
    let flags = scene.documents(false);
    let second = scene.signs("attest", "v2", &flags.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(second.code, 0, "{api:?} {request}: {}", second.stderr);
    if api != ReferrersApi::Present {
        scene.assert_lists_are_whole(&foreign, &before);
    }
    let all: Vec<Digest> = platforms.iter().flat_map(|digest| scene.listed(digest)).map(|entry| entry.digest).collect();
    assert_eq!(all.len(), BUNDLES + 1, "{api:?} {request}: {all:?}");
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    assert!(all.contains(&foreign.digest), "{api:?} {request}: what somebody else attached is there");
    let verified = scene.verify("spdx");
    for platform in ["linux/amd64", "linux/arm64"] {
        assert_eq!(verified.state(platform, "spdx"), "ok", "{api:?} {request}: {}", verified.stdout);
    }
}

/// Without the referrers API every run waits seconds for other writers; they all wait at the same time.
#[test]
fn a_run_that_ends_at_any_request_is_completed_by_the_next() {
    for api in [ReferrersApi::Present, ReferrersApi::Absent(404)] {
        let (whole, ended) = scene(api).0.ended_at(End::Killed, usize::MAX);
        assert!(ended && whole >= 20, "{api:?}: {whole}");
        std::thread::scope(|scope| {
            // A person is as unlucky as a machine, only not at every request.
            let killed = (1..whole).map(|request| (End::Killed, request));
            let all = killed.chain((1..whole).step_by(4).map(|request| (End::Interrupted, request)));
            let runs: Vec<_> =
                all.map(|(end, request)| scope.spawn(move || broken_and_mended(api, end, request))).collect();
            for run in runs {
                run.join().expect("a run that ends as it should");
            }
        });
    }
}

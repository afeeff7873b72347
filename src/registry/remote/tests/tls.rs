//! Registries with TLS: whom we believe, and what must not lead out of it.

use super::scene::*;
use crate::testing::{Answer, Auth, RegistryFault as Fault, TokenService};

const NAME: &str = "registry.example";

/// A registry with TLS, reached by a name, and the options of a client that knows the name.
fn secure() -> (Registry, Repository, RemoteOptions) {
    let registry = Registry::start_with_tls(&[NAME]);
    let port = registry.address().rsplit_once(':').expect("a port").1;
    let repository = Repository::new(&format!("{NAME}:{port}"), "a/b").expect("a repository");
    (registry, repository, options().name_of_tests(NAME))
}

async fn ask(options: RemoteOptions, repository: &Repository) -> Result<bool, RegistryError> {
    let remote = options.build().expect("a client");
    let context = Context::new(Limits::default());
    Ok(remote.manifest(&context, repository, &tag("latest")).await?.is_some())
}

/// J-14: a certificate that nobody vouches for, or one for another name.
#[tokio::test]
async fn a_certificate_is_trusted_when_it_was_named() {
    let (registry, repository, options) = secure();
    let pem = registry.certificate().expect("TLS").to_owned();
    let trusting = options.clone().certificate_authorities(pem.clone());
    assert_eq!(ask(trusting, &repository).await, Ok(false));
    assert_eq!(registry.requests()[0].version, "HTTP/2.0");
    registry.clear_log();
    let error = ask(options, &repository).await.expect_err("an unknown certificate");
    assert_eq!(error.problem(), Problem::Unavailable);
    assert!(error.detail().contains("TLS with registry.example"), "{error}");
    // Another name for the same server.
    let port = registry.address().rsplit_once(':').expect("a port").1;
    let other = Repository::new(&format!("other.example:{port}"), "a/b").expect("a repository");
    let options = super::scene::options().name_of_tests("other.example").certificate_authorities(pem);
    let error = ask(options, &other).await.expect_err("a certificate for another name");
    assert!(error.detail().contains("TLS with other.example"), "{error}");
    assert_eq!(registry.lines(), [""; 0]);
}

/// J-03, J-04: nothing leads from https to http.
#[tokio::test]
async fn nothing_leads_out_of_tls() {
    let (registry, repository, options) = secure();
    let options = options.certificate_authorities(registry.certificate().expect("TLS")).name_of_tests("plain.example");
    let plain = Registry::start();
    let port = plain.address().rsplit_once(':').expect("a port").1;
    let elsewhere = format!("http://plain.example:{port}");
    registry.fault(Fault::on("latest").times(1).answer(Answer::redirect(307, &format!("{elsewhere}/v2/"))));
    let error = ask(options.clone(), &repository).await.expect_err("a redirect to http");
    assert_eq!(error.problem(), Problem::Protocol);
    let own = format!("https://{}/v2/a/b/manifests/other", repository.registry());
    registry.fault(Fault::on("latest").times(1).answer(Answer::redirect(307, &own)));
    assert_eq!(ask(options.clone(), &repository).await, Ok(false));

    registry.auth(Auth::Bearer(TokenService::new().anonymous().realm(&format!("{elsewhere}/token"))));
    let error = ask(options.clone(), &repository).await.expect_err("a token service without TLS");
    assert_eq!(error.problem(), Problem::CredentialScope);
    let own = format!("https://{}/token", repository.registry());
    registry.auth(Auth::Bearer(TokenService::new().anonymous().realm(&own)));
    assert_eq!(ask(options, &repository).await, Ok(false));
    assert_eq!(plain.lines(), [""; 0]);
}

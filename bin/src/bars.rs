//! How far a scan is: a bar for each layer on its way, and the packages found so far.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use cg_attest::digest::Digest;
use cg_attest::scan::Progress;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The bars. They are gone when this is dropped.
pub(crate) struct Bars {
    all: MultiProgress,
    /// The last line.
    found: ProgressBar,
    packages: AtomicUsize,
    layers: Mutex<BTreeMap<Digest, ProgressBar>>,
}

impl Bars {
    /// On stderr, redrawn a few times a second.
    pub(crate) fn drawn() -> Self {
        Self::on(ProgressDrawTarget::stderr_with_hz(10))
    }

    /// Nowhere.
    pub(crate) fn hidden() -> Self {
        Self::on(ProgressDrawTarget::hidden())
    }

    fn on(target: ProgressDrawTarget) -> Self {
        let all = MultiProgress::with_draw_target(target);
        let found = all.add(ProgressBar::no_length().with_style(style("{msg}")));
        Self { all, found, packages: AtomicUsize::new(0), layers: Mutex::default() }
    }

    fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<Digest, ProgressBar>) -> T) -> T {
        // Whoever panicked meanwhile left a map that is whole.
        act(&mut self.layers.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

impl Progress for Bars {
    fn begin(&self, layer: &Digest, bytes: u64) {
        let bar = ProgressBar::new(bytes).with_style(style("layer {prefix}  {bar:24}  {bytes} of {total_bytes}"));
        let bar = self.all.insert_before(&self.found, bar.with_prefix(layer.short().to_owned()));
        let before = self.with(|layers| layers.insert(layer.clone(), bar));
        before.iter().for_each(ProgressBar::finish_and_clear);
    }

    fn arrived(&self, layer: &Digest, bytes: u64) {
        self.with(|layers| layers.get(layer).inspect(|bar| bar.inc(bytes)).is_some());
    }

    fn end(&self, layer: &Digest, packages: usize) {
        let bar = self.with(|layers| layers.remove(layer));
        bar.iter().for_each(ProgressBar::finish_and_clear);
        let packages = self.packages.fetch_add(packages, Ordering::Relaxed) + packages;
        self.found.set_message(format!("{packages} packages found"));
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.with(|layers| layers.values().for_each(ProgressBar::finish_and_clear));
        self.found.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_follow_their_layers_and_packages_are_counted() {
        let (bars, layers) = (Bars::hidden(), [b"a", b"b"].map(|bytes| Digest::sha256(bytes)));
        let positions = |bars: &Bars| {
            let of = |bar: &ProgressBar| (bar.prefix(), bar.position(), bar.length());
            bars.with(|layers| layers.values().map(of).collect::<std::collections::BTreeSet<_>>())
        };
        for layer in &layers {
            bars.begin(layer, 100);
        }
        bars.arrived(&layers[0], 30);
        bars.arrived(&layers[0], 20);
        bars.arrived(&Digest::sha256(b"not begun"), 1);
        let at = |layer: &Digest, position| (layer.short().to_owned(), position, Some(100));
        assert_eq!(positions(&bars), [at(&layers[0], 50), at(&layers[1], 0)].into());
        bars.end(&layers[0], 3);
        bars.end(&layers[1], 4);
        assert_eq!(
            (positions(&bars), bars.found.message()),
            (std::collections::BTreeSet::new(), "7 packages found".to_owned())
        );
        // A second reading of a layer begins anew.
        bars.begin(&layers[0], 100);
        bars.arrived(&layers[0], 10);
        bars.begin(&layers[0], 100);
        assert_eq!(positions(&bars), [at(&layers[0], 0)].into());
    }

    #[test]
    fn every_template_is_one() {
        for template in ["{msg}", "layer {prefix}  {bar:24}  {bytes} of {total_bytes}"] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}

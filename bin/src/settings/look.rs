//! What the commands take that show what is attached, and believe nothing of it.

use clap::Args;

use super::{Format, PlatformArgs, RegistryArgs, Source, Sources};
use crate::error::CliError;

#[derive(Debug, Clone, Args)]
pub(crate) struct LookArgs {
    #[command(flatten)]
    platforms: PlatformArgs,
    /// What to print
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Format,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
    /// Make no request at all; the image has to be in an OCI layout
    #[arg(long)]
    offline: bool,
}

impl LookArgs {
    /// Opens an image argument, for these platforms of it; nothing is asked yet.
    pub(crate) fn open(&self, image: &str) -> Result<Source, CliError> {
        let mut source = Sources::prepare(&[image.to_owned()], &self.registry, self.offline)?.open(image)?;
        source.image = source.image.platforms(self.platforms.named());
        Ok(source)
    }
}

//! `hearken run`: the daemon in the foreground, as a service manager or a terminal wants it.

use std::path::Path;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::{fail, load};
use crate::config::{LogFormat, LogSettings};
use crate::daemon::{Daemon, Failure, Order};

pub(super) fn run(config: &Path) -> ExitCode {
    let loaded = match load(config) {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    log_as(loaded.deployment.log);
    eprint!("{}", loaded.warnings.render(false));
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(error),
    };
    let served = runtime.block_on(async {
        let orders = orders_by_signal().map_err(Failure::Sip)?;
        let daemon = Daemon::start(loaded.deployment, orders, ()).await?;
        for (transport, address) in daemon.addresses() {
            println!("listening on {} {address}", transport.name().to_ascii_lowercase());
        }
        println!("ready");
        daemon.run().await
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => fail(failure),
    }
}

/// SIGTERM drains, a second SIGTERM or any SIGINT stops, SIGHUP is only noted.
fn orders_by_signal() -> std::io::Result<mpsc::Receiver<Order>> {
    let (sender, orders) = mpsc::channel(8);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        let mut draining = false;
        loop {
            let order = tokio::select! {
                _ = terminate.recv() => if draining { Order::Stop } else { Order::Drain },
                _ = interrupt.recv() => Order::Stop,
                _ = hang_up.recv() => {
                    tracing::warn!("SIGHUP: a running daemon does not read its configuration again; nothing was done");
                    continue;
                }
            };
            draining = true;
            if sender.send(order).await.is_err() {
                return;
            }
        }
    });
    Ok(orders)
}

/// Sets up the log on standard error; `RUST_LOG` overrides the configured level.
pub(super) fn log_as(settings: LogSettings) {
    use tracing_subscriber::EnvFilter;
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(settings.level.to_string()));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    match settings.format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}

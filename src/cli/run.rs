//! `hearken run`: the daemon in the foreground, as a service manager or a terminal wants it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::{fail, load, today};
use crate::config::{self, Loaded, LogFormat, LogSettings};
use crate::daemon::{Daemon, Failure, Order, Past, Reload};

pub(super) fn run(config: &Path) -> ExitCode {
    let mut loaded = match load(config) {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    log_as(loaded.deployment.log);
    eprint!("{}", loaded.warnings.render(false));
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(error),
    };
    let past = match Past::open(&mut loaded.deployment) {
        Ok(past) => past,
        Err(failure) => return fail(failure),
    };
    let served = runtime.block_on(async {
        let running = Running { path: config.to_owned(), loaded: loaded.clone() };
        let orders = orders_by_signal(running).map_err(Failure::Sip)?;
        let daemon = Daemon::start(loaded.deployment, past, orders, ()).await?;
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

/// SIGTERM drains, a second SIGTERM or any SIGINT stops, SIGHUP reads the configuration again.
fn orders_by_signal(mut running: Running) -> std::io::Result<mpsc::Receiver<Order>> {
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
                    running = running.reload(&sender).await;
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

/// The configuration in force.
struct Running {
    path: PathBuf,
    loaded: Loaded,
}

impl Running {
    /// Reads the file again and hands it to the daemon; whatever is wrong with it, the old one stays in force.
    async fn reload(self, daemon: &mpsc::Sender<Order>) -> Running {
        let (path, old) = (self.path.clone(), self.loaded.clone());
        // Reading and encoding sound takes its time, which no call has.
        let prepared = tokio::task::spawn_blocking(move || {
            let next = config::load_after(&path, today(), &old)
                .map_err(|errors| format!("\n{}", errors.0.render(false)))?;
            let (reload, verdict) =
                Reload::prepare(next.deployment.clone()).map_err(|error| error.to_string())?;
            Ok::<_, String>((next, reload, verdict))
        });
        let (next, reload, verdict) = match prepared.await {
            Ok(Ok(prepared)) => prepared,
            Ok(Err(reason)) => {
                tracing::error!("the configuration is not taken over, the old one stays in force: {reason}");
                return self;
            }
            Err(error) => {
                tracing::error!(%error, "the configuration could not be read; the old one stays in force");
                return self;
            }
        };
        let changes = config::changes(&self.loaded.text, &next.text);
        if daemon.send(Order::Reload(Box::new(reload))).await.is_err() {
            return self;
        }
        match verdict.await {
            Ok(Ok(())) => {
                eprint!("{}", next.warnings.render(false));
                for change in &changes {
                    tracing::info!("{change}");
                }
                tracing::info!(changes = changes.len(), "the configuration is taken over");
                Running { path: self.path, loaded: next }
            }
            Ok(Err(lines)) => {
                for (line, callers) in lines {
                    tracing::error!(
                        "line `{line}` is gone from the file, and {callers} wait in it: the old configuration stays \
                         in force. Let it go with [removed.{line}] and `drain = true` or `remap-to = \"LINE\"`"
                    );
                }
                self
            }
            Err(_) => self,
        }
    }
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

//! `hearken run`: the daemon in the foreground, as a service manager or a terminal wants it.

use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::plans::InForce;
use super::report::Served;
use super::{BAD_CONFIGURATION, fail, load, today};
use crate::config::{self, Loaded, LogFormat, LogSettings, Report, Shadow};
use crate::daemon::inherit::Inherited;
use crate::daemon::{Daemon, Order, Past};

pub(super) fn run(config: &Path, shadow: Option<PathBuf>) -> ExitCode {
    // Before anything is opened, and before somebody puts a new program where this one was.
    let inherited = Inherited::take();
    let program = std::env::current_exe();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(error),
    };
    // An order that comes while the calls of the daemon before are read must not end this one.
    let signals = match runtime.block_on(async { Signals::listen() }) {
        Ok(signals) => signals,
        Err(error) => return fail(error),
    };
    let mut loaded = match load(config) {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    let trial = shadow.as_deref().or(loaded.deployment.shadow.as_deref());
    let trial = trial.map(|path| config::load_shadow(path, today(), &loaded.deployment)).transpose();
    let (trial, spoilt) = match trial {
        Ok(trial) => (trial, None),
        Err(errors) => (None, Some(errors.0.render(false))),
    };
    loaded.deployment.plan.guide.trial = trial.as_ref().map(|shadow| shadow.trial.clone());
    log_as(loaded.deployment.log);
    warn(&loaded.warnings, loaded.deployment.log.format);
    let past = Past::open(&mut loaded.deployment, inherited);
    if let Some(why) = spoilt {
        if !past.as_ref().is_ok_and(Past::goes_on) {
            eprint!("{why}");
            return ExitCode::from(BAD_CONFIGURATION);
        }
        // Calls are worth more than rules that do nothing.
        tracing::error!("the shadow policy is not on trial:\n{why}");
    }
    let past = match past {
        Ok(past) => past,
        Err(failure) => return fail(failure),
    };
    announce(trial.as_ref(), loaded.deployment.log.format);
    let served = runtime.block_on(async {
        let (orders, given) = mpsc::channel(8);
        let plans = Arc::new(InForce::new(config, loaded.clone(), (shadow, trial), orders.clone()));
        signals.obey(orders, Arc::clone(&plans), program);
        let reports = Served::new(Arc::clone(&plans), loaded.deployment.ledger.path.clone());
        let daemon = Daemon::start(loaded.deployment, past, given, ())?;
        plans.begin();
        daemon.show_plans(plans);
        daemon.show_reports(Arc::new(reports));
        for (transport, address) in daemon.addresses() {
            println!("listening on {} {address}", transport.name().to_ascii_lowercase());
        }
        if let Some(address) = daemon.web_address() {
            println!("web on http://{address}/");
        }
        println!("ready");
        daemon.run().await
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => fail(failure),
    }
}

/// SIGTERM drains, a second SIGTERM or any SIGINT stops, SIGHUP reads the configuration again, SIGUSR2 hands over to
/// the program that now lies where ours was.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    hand_over: Signal,
}

impl Signals {
    /// From here on signals wait to be made into orders. Must be called within a runtime.
    fn listen() -> std::io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            hand_over: signal(SignalKind::user_defined2())?,
        })
    }

    /// Makes them into orders for the daemon.
    fn obey(mut self, orders: mpsc::Sender<Order>, plans: Arc<InForce>, program: std::io::Result<PathBuf>) {
        tokio::spawn(async move {
            let mut draining = false;
            loop {
                let order = tokio::select! {
                    _ = self.terminate.recv() => if draining { Order::Stop } else { Order::Drain },
                    _ = self.interrupt.recv() => Order::Stop,
                    _ = self.hang_up.recv() => {
                        let plans = Arc::clone(&plans);
                        // Reading and encoding sound takes its time, which no call has.
                        let reloaded = tokio::task::spawn_blocking(move || plans.reload()).await;
                        if let Err(error) = reloaded {
                            tracing::error!(%error, "the configuration could not be read; the old one stays in force");
                        }
                        continue;
                    }
                    _ = self.hand_over.recv() => {
                        if let Some(program) = successor(&program, plans.path()).await
                            && orders.send(Order::HandOver(program)).await.is_err()
                        {
                            return;
                        }
                        continue;
                    }
                };
                draining = true;
                if orders.send(order).await.is_err() {
                    return;
                }
            }
        });
    }
}

/// The program to hand over to, once it has said that it can read the configuration.
async fn successor(program: &std::io::Result<PathBuf>, config: &Path) -> Option<PathBuf> {
    let checked = match program {
        Ok(program) => {
            let mut check = tokio::process::Command::new(program);
            let check = check.arg("--config").arg(config).arg("check");
            check.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            check.status().await.map(|status| status.success().then(|| program.clone()))
        }
        Err(error) => Err(std::io::Error::new(error.kind(), error.to_string())),
    };
    match checked {
        Ok(Some(program)) => return Some(program),
        Ok(None) => tracing::error!("the new program refuses the configuration: this one goes on"),
        Err(error) => tracing::error!(%error, "the new program cannot be started: this one goes on"),
    }
    None
}

/// The rules to try beside a new configuration; while their file is no good, those that were on trial go on.
pub(super) fn trial_beside(next: &Loaded, shadow: Option<PathBuf>, before: Option<Shadow>) -> Option<Shadow> {
    let path = shadow.or_else(|| next.deployment.shadow.clone())?;
    let errors = match config::load_shadow(&path, today(), &next.deployment) {
        Ok(trial) => return Some(trial),
        Err(errors) => errors,
    };
    let why = errors.0.render(false);
    tracing::error!("the shadow policy is not taken over, what was on trial stays so:\n{why}");
    let again = before?.beside(today(), &next.deployment);
    again
        .inspect_err(|errors| {
            let why = errors.0.render(false);
            tracing::error!("the old shadow policy cannot go on beside the new configuration:\n{why}");
        })
        .ok()
}

/// Says which rules are on trial, and what is odd about them.
pub(super) fn announce(trial: Option<&Shadow>, format: LogFormat) {
    if let Some(Shadow { trial, warnings, path, .. }) = trial {
        warn(warnings, format);
        tracing::info!(file = %path.display(), rules = trial.rules.rules().len(), "a shadow policy is on trial");
    }
}

/// Says what is odd about a configuration: to people with its place in the file, to machines as one event.
pub(super) fn warn(warnings: &Report, format: LogFormat) {
    let found = warnings.render(false);
    match format {
        LogFormat::Text => eprint!("{found}"),
        LogFormat::Json if found.is_empty() => {}
        LogFormat::Json => tracing::warn!(found, "the configuration is odd"),
    }
}

/// Sets up the log on standard error; `RUST_LOG` overrides the configured level.
pub(super) fn log_as(settings: LogSettings) {
    use tracing_subscriber::EnvFilter;
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(settings.level.to_string()));
    // What is said to the provider of [web.oidc], secrets and all, is in the trace of these.
    let quiet = ["ureq=off", "ureq_proto=off", "rustls=off"].into_iter().flat_map(str::parse);
    let filter = quiet.fold(filter, EnvFilter::add_directive);
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    match settings.format {
        LogFormat::Text => log.init(),
        LogFormat::Json => {
            log.json().init();
            // Whatever else writes there would be no object.
            std::panic::set_hook(Box::new(|panic| {
                let at = panic.location().map(ToString::to_string);
                tracing::error!(at, why = panic.payload_as_str(), "panicked");
            }));
        }
    }
}

//! `hearken run`: the daemon in the foreground, as a service manager or a terminal wants it.

use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::plans::InForce;
use super::{BAD_CONFIGURATION, fail, load, today};
use crate::config::{self, Loaded, LogFormat, LogSettings, Shadow};
use crate::daemon::inherit::Inherited;
use crate::daemon::{Daemon, Order, Past, Reload};

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
    eprint!("{}", loaded.warnings.render(false));
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
    announce(trial.as_ref());
    let served = runtime.block_on(async {
        let plans = Arc::new(InForce::new(config, loaded.clone()));
        let shown = Arc::clone(&plans);
        let running = Running { shadow, trial, plans };
        let orders = signals.orders(running, program);
        let daemon = Daemon::start(loaded.deployment, past, orders, ())?;
        daemon.show_plans(shown);
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

    fn orders(mut self, mut running: Running, program: std::io::Result<PathBuf>) -> mpsc::Receiver<Order> {
        let (sender, orders) = mpsc::channel(8);
        tokio::spawn(async move {
            let mut draining = false;
            loop {
                let order = tokio::select! {
                    _ = self.terminate.recv() => if draining { Order::Stop } else { Order::Drain },
                    _ = self.interrupt.recv() => Order::Stop,
                    _ = self.hang_up.recv() => {
                        running = running.reload(&sender).await;
                        continue;
                    }
                    _ = self.hand_over.recv() => {
                        if let Some(program) = successor(&program, running.plans.path()).await
                            && sender.send(Order::HandOver(program)).await.is_err()
                        {
                            return;
                        }
                        continue;
                    }
                };
                draining = true;
                if sender.send(order).await.is_err() {
                    return;
                }
            }
        });
        orders
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

/// The configuration in force.
struct Running {
    /// The file and what was read from it, which the web interface is shown.
    plans: Arc<InForce>,
    /// The file of rules on trial, as the command line names it.
    shadow: Option<PathBuf>,
    /// What is on trial.
    trial: Option<Shadow>,
}

impl Running {
    /// Reads the file again and hands it to the daemon; whatever is wrong with it, the old one stays in force.
    async fn reload(self, daemon: &mpsc::Sender<Order>) -> Running {
        let (path, old) = (self.plans.path().to_owned(), self.plans.loaded());
        let before = Arc::clone(&old);
        let (shadow, trial) = (self.shadow.clone(), self.trial.clone());
        // Reading and encoding sound takes its time, which no call has.
        let prepared = tokio::task::spawn_blocking(move || {
            let mut next = config::load_after(&path, today(), &old)
                .map_err(|errors| format!("\n{}", errors.0.render(false)))?;
            let trial = trial_beside(&next, shadow, trial);
            next.deployment.plan.guide.trial = trial.as_ref().map(|shadow| shadow.trial.clone());
            let (reload, verdict) =
                Reload::prepare(next.deployment.clone()).map_err(|error| error.to_string())?;
            Ok::<_, String>((next, trial, reload, verdict))
        });
        let (next, trial, reload, verdict) = match prepared.await {
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
        let changes = config::changes(&before.text, &next.text);
        if daemon.send(Order::Reload(Box::new(reload))).await.is_err() {
            return self;
        }
        match verdict.await {
            Ok(Ok(())) => {
                eprint!("{}", next.warnings.render(false));
                for change in &changes {
                    tracing::info!("{change}");
                }
                announce(trial.as_ref());
                tracing::info!(changes = changes.len(), "the configuration is taken over");
                self.plans.set(next);
                Running { trial, ..self }
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

/// The rules to try beside a new configuration; while their file is no good, those that were on trial go on.
fn trial_beside(next: &Loaded, shadow: Option<PathBuf>, before: Option<Shadow>) -> Option<Shadow> {
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
fn announce(trial: Option<&Shadow>) {
    if let Some(Shadow { trial, warnings, path, .. }) = trial {
        eprint!("{}", warnings.render(false));
        tracing::info!(file = %path.display(), rules = trial.rules.rules().len(), "a shadow policy is on trial");
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

//! Replicas behind a balancer without affinity: none is missed when it dies, and nobody notices when
//! all are replaced.

use std::time::Duration;

use fal_sim::{Fault, FaultKind, Operation, Sim};
use tokio::time::sleep;

use crate::balancer::{self, Balancer, CHECK_INTERVAL};
use crate::load::{self, Jobs};
use crate::replica::Replica;
use crate::shown;

/// How many jobs there are while replicas are killed.
const JOBS: u32 = 500;
/// How long all replicas live before the next is killed, and how long it is gone.
const LIFE: Duration = Duration::from_millis(1_500);
const DEATH: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_survive_replicas_that_are_killed_and_none_is_submitted_twice() {
    if !balancer::is_installed() {
        return;
    }
    let sim = load::sim().await;
    // Many submits are under way for long enough for a kill to hit them before fal took the job (slow
    // headers), or after it and before its answer was there (slow body).
    let slow =
        [FaultKind::SlowHeaders { milliseconds: 300 }, FaultKind::SlowBody { milliseconds: 20 }];
    for kind in slow {
        sim.faults().add(Fault::new(kind).on(Operation::Submit).with_probability(0.5));
    }
    let mut replicas = three(&sim, &[]).await;
    let balancer = Balancer::start(replicas.iter().map(|replica| replica.addr)).await;

    let jobs = Jobs::new(JOBS);
    let mut kills = 0;
    let killing = async {
        while !jobs.are_taken() {
            sleep(LIFE).await;
            let replica = &mut replicas[kills % 3];
            replica.kill().await;
            sleep(DEATH).await;
            replica.start_again().await;
            kills += 1;
        }
    };
    let (tally, ()) = tokio::join!(load::run(&balancer.endpoint, jobs.clone()), killing);

    shown::measured(&format!("{kills} replicas killed: {tally}"));
    load::assert_each_job_once(&sim, &tally);
    assert_eq!(tally.fetched.len(), JOBS as usize);
    assert_eq!(tally.recoveries(), tally.failed_calls(), "each failed call was recovered from");
    assert!(tally.failed_calls() > 0, "the kills hit something: {tally}");
    assert!(tally.moved > JOBS / 8, "jobs moved between replicas: {tally}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_fails_no_call() {
    if !balancer::is_installed() {
        return;
    }
    let sim = load::sim().await;
    // The notice is many times what the balancer needs to see it. Calls that still wait three seconds
    // before the end of the grace answer with their handles.
    let settings =
        [("FAL_MCP_SHUTDOWN_NOTICE_SECONDS", "3"), ("FAL_MCP_SHUTDOWN_GRACE_SECONDS", "5")];
    let mut replicas = three(&sim, &settings).await;
    let balancer = Balancer::start(replicas.iter().map(|replica| replica.addr)).await;

    let jobs = Jobs::new(u32::MAX);
    let restarting = async {
        sleep(LIFE).await;
        for replica in &mut replicas {
            replica.terminate().await;
            let status = replica.ended().await;
            assert!(status.success(), "{status}");
            replica.start_again().await;
            // The balancer sees it before the next one goes.
            sleep(CHECK_INTERVAL * 5).await;
        }
        jobs.stop();
    };
    let (tally, ()) = tokio::join!(load::run(&balancer.endpoint, jobs.clone()), restarting);

    shown::measured(&format!("3 replicas restarted: {tally}"));
    load::assert_each_job_once(&sim, &tally);
    assert_eq!(tally.failed_calls(), 0, "{tally}");
}

async fn three(sim: &Sim, settings: &[(&str, &str)]) -> [Replica; 3] {
    let start = || Replica::start(sim, settings);
    tokio::join!(start(), start(), start()).into()
}

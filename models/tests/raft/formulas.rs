//! Exact counts and latencies, where nothing but the network takes time.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use murphy_models::raft::Raft;
use murphy_reports::RunRecord;
use murphy_scenarios::{Study, model};
use murphy_sim::Keep;

/// One client, a request each second, every message takes a millisecond.
fn record(replicas: u32, seconds: u32, ops: &str, reads: &str) -> RunRecord {
    let text = format!(
        "schema = 1\nname = \"formula\"\nduration = \"{seconds}s\"\n\
         [network]\nlatency = \"1ms\"\n\
         [cpu]\nreceive = \"0s\"\nsend = \"0s\"\nper_kilobyte = \"0s\"\nsignature = \"0s\"\nevent = \"0s\"\n\
         [disk]\nwrite = \"0s\"\nsync = \"0s\"\nper_kilobyte = \"0s\"\n\
         [[node]]\nname = \"r\"\ncount = {replicas}\nmodel = \"raft.replica\"\nparams = {{ reads = \"{reads}\" }}\n\
         [[node]]\nname = \"client\"\nmodel = \"raft.client\"\n\
         [[workload]]\nname = \"kv\"\nfrom = \"client\"\nops = {{ {ops} = 1.0 }}\n\
         arrivals = {{ dist = \"constant\", rate = \"1/s\" }}\ndeadline = \"1s\"\nprobe = \"0s\"\n"
    );
    let models = [model::<Raft>()];
    let study = Study::open(&text, "formula.toml", &|_| unreachable!("no other files"), &models, &[]);
    let study = study.unwrap_or_else(|wrong| panic!("{}", wrong.render(false)));
    let run = models[0].prepare(&Arc::clone(&study.points()[0]), 1, Keep::Nothing);
    run.finish(&AtomicBool::new(false)).expect("nobody stops it")
}

fn sent(record: &RunRecord, kind: &str) -> u64 {
    record.messages.iter().find(|sent| sent.kind == kind).expect("a kind").count
}

/// Latencies of all but the first three requests, by which time somebody leads and is known to.
fn latencies(record: &RunRecord) -> Vec<u64> {
    let done = record.requests.iter().skip(3);
    done.filter_map(|request| request.done_ns.map(|at| at - request.arrived_ns)).collect()
}

/// Ongaro 2014, section 3.5: a command costs a message to each follower and its answer, and four hops with the client's.
#[test]
fn messages_and_hops_of_one_command() {
    for n in [1, 3, 5, 7] {
        let record = record(n, 21, "put", "index");
        let others = u64::from(n) - 1;
        // Twenty requests, and the entry that starts the leader's term.
        assert_eq!(sent(&record, "append"), 21 * others, "n = {n}");
        assert_eq!(sent(&record, "appended"), (21 * others) + sent(&record, "heartbeat"), "n = {n}");
        let hops = if n == 1 { 2 } else { 4 };
        assert_eq!(latencies(&record), vec![hops * 1_000_000; 17], "n = {n}");
    }
}

/// Section 6.4: a read by read index takes the same hops but appends nothing; one by lease takes those of the client.
#[test]
fn hops_of_a_read() {
    for (reads, hops, appended) in [("log", 4, 21), ("index", 4, 1), ("lease", 2, 1)] {
        let record = record(5, 21, "get", reads);
        assert_eq!(latencies(&record), vec![hops * 1_000_000; 17], "{reads}");
        assert_eq!(sent(&record, "append"), 4 * appended, "{reads}");
    }
}

package telemetry

// An alert is one row of the table of alerts, from which the rules for Prometheus
// and the runbook's rows in AGENTS.md come.
type alert struct {
	Name     string
	Expr     string // PromQL
	For      string // how long it holds before somebody is told
	Severity string // critical: now; warning: today
	Summary  string // one line, a template of Prometheus
	// Look is what to look at first and what to do, Normal what is normal. They
	// are Markdown.
	Look, Normal string
}

// job is the name that Prometheus is to give the nodes.
const job = "fleetfuse"

const (
	critical = "critical"
	warning  = "warning"
)

// The alerts are what an operator is to be told, the worst first. Fleets that share
// a Prometheus are told apart by a label "cluster" of its configuration, which may be
// missing.
var alerts = []alert{
	{"FleetfuseNodeDown", `up{job="fleetfuse"} == 0 or fleetfuse_ready == 0`, "1m", critical,
		"The node {{ $labels.instance }} does not answer, or does not end although it was told to.",
		"`bin/fleetfuse-ctl status` on its machine; exit 3: start it, its log says why it ended or does not become ready",
		"both 1; `fleetfuse_ready` is 0 for seconds while it stops; its breakers have other owners, its SDK workers go on with their rings, those on HTTP get no answer"},
	{"FleetfuseNotScraped", `absent(up{job="fleetfuse"})`, "5m", critical,
		"Prometheus scrapes no node of Fleetfuse, so no other alert can come.",
		"the targets page of Prometheus; its job must be called `fleetfuse`, see `deploy/prometheus/prometheus.yaml`",
		"as many targets as nodes"},
	{"FleetfuseClockApart", `fleetfuse_cluster_apart == 1`, "1m", critical,
		"The clock of {{ $labels.instance }} is off by more than a day; it owns no breaker.",
		"`bin/fleetfuse-ctl status` says by how much; set the clock, then restart the node",
		"0"},
	{"FleetfuseStoreFailing", `fleetfuse_store_ok == 0`, "1m", critical,
		"{{ $labels.instance }} cannot write its state.db.",
		"`bin/fleetfuse-ctl status` says why; free disk space, repair the disk",
		"1; decisions go on, `fleetfuse_store_pending` falls to 0 by itself when there is room"},
	{"FleetfuseStoreDropped", `increase(fleetfuse_store_dropped_total[15m]) > 0`, "1m", warning,
		"{{ $labels.instance }} gave up changes that it could not write.",
		"`bin/fleetfuse-ctl status`: why does the store fail? `bin/fleetfuse-ctl breaker show` says what is not durable",
		"0; the other members hold them, a restart of all nodes would forget them"},
	{"FleetfuseEventsNotWritten", `fleetfuse_events_ok == 0`, "5m", warning,
		"{{ $labels.instance }} cannot write its telemetry.db: what happens is kept in memory only.",
		"`bin/fleetfuse-ctl status` says why; free disk space, repair the disk; decisions do not need it",
		"1; events wait in memory, `fleetfuse_events_pending` falls by itself when there is room; what did not fit is shown as a gap"},
	{"FleetfuseSharedStoreAway", `fleetfuse_shared_ok == 0`, "5m", warning,
		"{{ $labels.instance }} does not reach the shared store.",
		"`bin/fleetfuse-ctl status`, row `shared`; is the Redis up, its password right?",
		"1; decisions go on, other clusters hear nothing new until it is back"},
	{"FleetfuseSharedStoreWarns", `fleetfuse_shared_warnings > 0`, "15m", warning,
		"Something is not as it should be at the shared store of {{ $labels.instance }}.",
		"`bin/fleetfuse-ctl status`; mostly `maxmemory-policy` of the Redis, or keys nobody can read",
		"0"},
	{"FleetfuseMembersMissing",
		`fleetfuse_cluster_members < on (job, cluster) group_left () count by (job, cluster) (up{job="fleetfuse"})`, "5m", warning,
		"{{ $labels.instance }} sees {{ $value }} members, Prometheus knows more nodes.",
		"`bin/fleetfuse-ctl cluster members`; a node is down, cut off, or was replaced and is still scraped",
		"the number of nodes; less during a restart"},
	{"FleetfuseMembersDiffer",
		`max by (job, cluster) (fleetfuse_cluster_members) != min by (job, cluster) (fleetfuse_cluster_members)`, "2m", warning,
		"The nodes do not agree who is a member.",
		"`bin/fleetfuse-ctl cluster members` on a node of each side: split brain; repair the network",
		"the same on all nodes but for seconds; each side owns all breakers meanwhile, 15 s after healing all is one again"},
	{"FleetfuseConfigMismatch", `max by (job, cluster) (fleetfuse_cluster_config_mismatch) > 0`, "15m", warning,
		"Nodes of one cluster run different configurations.",
		"`bin/fleetfuse-ctl cluster members`, column CONFIG; on each that differs `bin/fleetfuse-ctl config reload`",
		"0, but during a rollout; a breaker follows its owner's policy"},
	{"FleetfuseReloadFailed", `fleetfuse_config_last_reload_successful == 0`, "1m", warning,
		"{{ $labels.instance }} refused its configuration; what was in force stays so.",
		"`bin/fleetfuse-ctl status` says why; correct the file, `bin/fleetfuse-ctl config reload`",
		"1"},
	{"FleetfuseOverlayNotObeyed", `fleetfuse_policy_overlays_invalid > 0`, "5m", warning,
		"{{ $value }} policies that were replaced do not fit the configuration of {{ $labels.instance }}.",
		"`bin/fleetfuse-ctl status` names one; `bin/fleetfuse-ctl policy reset HOST`, or give the node the others' file",
		"0; the node obeys what is configured"},
	{"FleetfuseTunerRolledBack", `sum by (job, cluster) (increase(fleetfuse_tuner_rolled_back_total[1h])) > 0`, "1m", warning,
		"The tuner took back changes of {{ $value | humanize }} breakers within an hour: they did worse than before.",
		"`bin/fleetfuse-ctl breaker advise` and `bin/fleetfuse-ctl events --since 2h --kind policy` say which; `bin/fleetfuse-ctl breaker advise --explain HOST` says why",
		"0; one now and then is what watching is for: the old policy is in force again. If it goes on, `--tuner.mode suggest`"},
	{"FleetfuseTunerRecordsNotWritten", `fleetfuse_tuner_records_ok == 0`, "5m", warning,
		"{{ $labels.instance }} cannot write its tuner.db: the tuner enforces nothing until it can.",
		"`bin/fleetfuse-ctl status` says why; free disk space, repair the disk; decisions do not need it",
		"1; records wait in memory, `fleetfuse_tuner_records_pending` falls by itself when there is room; the other members have them too"},
	{"FleetfuseManyBreakersOpen",
		`max by (job, cluster) (fleetfuse_breakers_open) > 20 and max by (job, cluster) (fleetfuse_breakers_open) > 3 * max by (job, cluster) (avg_over_time(fleetfuse_breakers_open[1d]))`,
		"5m", warning,
		"{{ $value }} breakers are open, more than three times as many as over a day.",
		"`bin/fleetfuse-ctl breaker show --open-only`: what do they have in common? A resolver, a network, a proxy of ours?",
		"some hosts are always down; many at once are an outage, or our own way out"},
	{"FleetfuseViewDropped", `increase(fleetfuse_view_dropped_total[10m]) > 0`, "1m", warning,
		"The view of {{ $labels.instance }} is full: exceptions are dropped.",
		"`bin/fleetfuse-ctl breaker show --open-only`: 200,000 are more than hosts go down at once; who reports on them?",
		"0; those that end soonest go"},
	{"FleetfuseOutcomesLost", `rate(fleetfuse_outcomes_lost_total[5m]) > 1`, "5m", warning,
		"{{ $labels.instance }} loses {{ $value | humanize }} outcomes a second: breakers trip late.",
		"`bin/fleetfuse-ctl cluster members` and `bin/fleetfuse-ctl status`: a member whose actor port does not answer, or a machine that is starved; if `fleetfuse_actors_refused_total` grows too, more than 200,000 hosts failed within minutes, which is mostly a way out of ours",
		"0; a few when a member goes"},
	{"FleetfuseFramesDropped", `rate(fleetfuse_frames_dropped_total[5m]) > 1`, "10m", warning,
		"{{ $labels.instance }} cannot hand frames to another member.",
		"`bin/fleetfuse-ctl status` names a member that is mute; is its actor port open, are its certificates good?",
		"0; some for seconds when a member goes"},
	{"FleetfuseGossipRefused",
		`increase(fleetfuse_gossip_refused_label_total[10m]) + increase(fleetfuse_gossip_refused_key_total[10m]) + increase(fleetfuse_gossip_refused_version_total[10m]) + increase(fleetfuse_gossip_malformed_total[10m]) > 0`, "10m", warning,
		"{{ $labels.instance }} refuses gossip: another cluster, key or version, or nonsense.",
		"its log says who and why; `bin/fleetfuse-ctl cluster members` on both",
		"0; during a key rotation that went wrong it grows"},
	{"FleetfuseEvicted", `increase(fleetfuse_cluster_evictions_total[1h]) > 3`, "1m", warning,
		"The others gave {{ $labels.instance }} up again and again.",
		"`bin/fleetfuse-ctl cluster members`, column EPOCH; is the machine starved or suspended, does the network lose packets?",
		"0; 1 after a pause of the machine"},
	{"FleetfusePanic", `increase(fleetfuse_actor_panics_total[15m]) + increase(fleetfuse_http_panics_total[15m]) > 0`, "1m", warning,
		"{{ $labels.instance }} contained a panic: a mistake in the program.",
		"its log has the stack: report it; `bin/fleetfuse-ctl status`",
		"0; the breaker started over from its last snapshot"},
}

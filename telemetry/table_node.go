package telemetry

var (
	frameKinds = []string{
		"push", "ack", "batch", "batch_ack", "settle", "witness_ask", "witness_reply", "digest", "want", "synced", "request", "reply", "refusal", other,
	}
	queues = []string{"outcomes", "pushes", "settles", "requests", "mailboxes", "activations"}
)

// With a unit of Grafana, when something began, as a date.
const epochSeconds = "dateTimeAsIso"

var clusterMetrics = []Metric{
	{Name: "ready", Type: Gauge, Help: "1 while the node is ready, 0 while it drains.",
		Panel: Panel{Row: "Cluster", Title: "Ready", Kind: "stat", Query: "sum(fleetfuse_ready{SEL})", Legend: "ready", Width: 4}},
	{Name: "build_info", Type: Gauge, Help: "1, for the program that runs.", Labels: []Label{{Name: "version"}, {Name: "goversion"}},
		Panel: Panel{Row: "Cluster", Title: "Versions", Kind: "stat", Query: "count by (version) (fleetfuse_build_info{SEL})", Legend: "{{version}}", Width: 4}},
	{Name: "cluster_members", Type: Gauge, Help: "Live members, this node among them.",
		Panel: Panel{Row: "Cluster", Title: "Members"}},
	{Name: "cluster_members_known", Type: Gauge, Help: "Live members and those lost without leaving in the last 10 minutes.",
		Panel: Panel{Row: "Cluster", Title: "Members"}},
	{Name: "breakers_owned", Type: Gauge, Help: "Breakers owned here that are not closed.",
		Panel: Panel{Row: "Cluster", Title: "Owned breakers that are not closed"}},
	{Name: "actors_active", Type: Gauge, Help: "Breaker actors on this node.",
		Panel: Panel{Row: "Cluster", Title: "Actors"}},
	{Name: "ownership_moves_total", Type: Counter, Help: "Breakers that were not closed when they became this node's: it started, or members changed.",
		Panel: Panel{Row: "Cluster", Title: "Breakers that changed their owner", Query: "sum by (instance) (increase(fleetfuse_ownership_moves_total{SEL}[$__rate_interval]))",
			Legend: "{{instance}}", Unit: "short"}},
	{Name: "cluster_config_mismatch", Type: Gauge, Help: "Live members that run another configuration than this node.",
		Panel: Panel{Row: "Cluster", Title: "Not as it should be"}},
	{Name: "cluster_apart", Type: Gauge, Help: "1 while most members' clocks differ from this node's by more than a day.",
		Panel: Panel{Row: "Cluster", Title: "Not as it should be"}},
	{Name: "cluster_evictions_total", Type: Counter, Help: "Times that the others had given this node up.",
		Panel: Panel{Row: "Cluster", Title: "Evictions and rejoins"}},
	{Name: "cluster_rejoins_total", Type: Counter, Help: "Addresses of members that were not live and answered.",
		Panel: Panel{Row: "Cluster", Title: "Evictions and rejoins"}},
}

var messageMetrics = []Metric{
	{Name: "frames_sent_total", Type: Counter, Help: "Frames handed over for other members, by kind.", Labels: []Label{closed("kind", frameKinds...)},
		Panel: Panel{Row: "Messages", Title: "Frames sent", Query: "sum by (kind) (rate(fleetfuse_frames_sent_total{SEL}[$__rate_interval]))", Legend: "{{kind}}"}},
	{Name: "batches_total", Type: Counter, Help: "Batches of outcomes for owners on other nodes: sent, and by end.", Labels: []Label{closed("event", "sent", "acked", "lost")},
		Panel: Panel{Row: "Messages", Title: "Batches of outcomes", Query: "sum by (event) (rate(fleetfuse_batches_total{SEL}[$__rate_interval]))", Legend: "{{event}}"}},
	{Name: "queue_length", Type: Gauge,
		Help:   "What waits: outcomes, keys to be pushed, ends of permits and requests for other members; outcomes in mailboxes; activations.",
		Labels: []Label{closed("queue", queues...)},
		Panel:  Panel{Row: "Messages", Title: "Queues", Query: "sum by (queue) (fleetfuse_queue_length{SEL})", Legend: "{{queue}}"}},
	{Name: "frames_dropped_total", Type: Counter, Help: "Frames for members that do not keep up or are gone.",
		Panel: Panel{Row: "Messages", Title: "Frames dropped and refused"}},
	{Name: "frames_refused_total", Type: Counter, Help: "Frames of members that were not taken: a clock days off, or no sense in them.",
		Panel: Panel{Row: "Messages", Title: "Frames dropped and refused"}},
	{Name: "frames_strangers_total", Type: Counter, Help: "Frames from nobody who is a member.",
		Panel: Panel{Row: "Messages", Title: "Frames dropped and refused"}},
	{Name: "frames_unknown_total", Type: Counter, Help: "Frames of a kind that only a later version knows.",
		Panel: Panel{Row: "Messages", Title: "Frames dropped and refused"}},
	{Name: "frames_malformed_total", Type: Counter, Help: "Messages on the actor port that no node sends.",
		Panel: Panel{Row: "Messages", Title: "Frames dropped and refused"}},
	{Name: "gossip_refused_label_total", Type: Counter, Help: "Gossip of another cluster.",
		Panel: Panel{Row: "Messages", Title: "Gossip refused"}},
	{Name: "gossip_refused_key_total", Type: Counter, Help: "Gossip encrypted with no key of this node's.",
		Panel: Panel{Row: "Messages", Title: "Gossip refused"}},
	{Name: "gossip_refused_version_total", Type: Counter, Help: "Members that speak another version.",
		Panel: Panel{Row: "Messages", Title: "Gossip refused"}},
	{Name: "gossip_malformed_total", Type: Counter, Help: "Gossip that makes no sense.",
		Panel: Panel{Row: "Messages", Title: "Gossip refused"}},
	{Name: "view_dropped_total", Type: Counter, Help: "Exceptions dropped because the view was full.",
		Panel: Panel{Row: "Messages", Title: "Exceptions dropped"}},
}

const sharedOnly = "with a shared store"

var storeMetrics = []Metric{
	{Name: "store_ok", Type: Gauge, Help: "1 while the store works.",
		Panel: Panel{Row: "Stores", Title: "Stores that work"}},
	{Name: "store_pending", Type: Gauge, Help: "Changes not written yet.",
		Panel: Panel{Row: "Stores", Title: "Waiting to be written"}},
	{Name: "store_dropped_total", Type: Counter, Help: "Changes lost because too many were pending.",
		Panel: Panel{Row: "Stores", Title: "Given up"}},
	{Name: "store_degraded_since_seconds", Type: Gauge, Help: "When the store began to fail, in seconds since 1970; 0 while it works.",
		Panel: Panel{Row: "Stores", Title: "Fails since", Query: "fleetfuse_store_degraded_since_seconds{SEL} * 1000 > 0", Unit: epochSeconds, Kind: "stat"}},
	{Name: "shared_ok", Type: Gauge, Help: "1 while the shared store works.", When: sharedOnly,
		Panel: Panel{Row: "Stores", Title: "Stores that work"}},
	{Name: "shared_pending", Type: Gauge, Help: "Keys whose cooldown waits to be shared.", When: sharedOnly,
		Panel: Panel{Row: "Stores", Title: "Waiting to be written"}},
	{Name: "shared_dropped_total", Type: Counter, Help: "Cooldowns given up because too many waited to be shared.", When: sharedOnly,
		Panel: Panel{Row: "Stores", Title: "Given up"}},
	{Name: "shared_degraded_since_seconds", Type: Gauge, Help: "When the shared store began to fail, in seconds since 1970; 0 while it works.", When: sharedOnly,
		Panel: Panel{Row: "Stores", Title: "Fails since", Query: "fleetfuse_shared_degraded_since_seconds{SEL} * 1000 > 0"}},
	{Name: "shared_warnings", Type: Gauge, Help: "What may go wrong at the shared store, such as that it may evict; see readyz?verbose.", When: sharedOnly,
		Panel: Panel{Row: "Stores", Title: "The shared store"}},
	{Name: "shared_entries", Type: Gauge, Help: "Keys in the last whole listing of the shared store.", When: sharedOnly,
		Panel: Panel{Row: "Stores", Title: "The shared store"}},
}

var policyMetrics = []Metric{
	{Name: "policy_overlays", Type: Gauge, Help: "Breakers whose policy was replaced at run time.",
		Panel: Panel{Row: "Policies and configuration", Title: "Overlays"}},
	{Name: "policy_overlays_invalid", Type: Gauge, Help: "Breakers whose overlay does not fit this node's configuration and is not obeyed.",
		Panel: Panel{Row: "Policies and configuration", Title: "Overlays"}},
	{Name: "config_last_reload_successful", Type: Gauge, Help: "0 if the last reload of the configuration was refused.",
		Panel: Panel{Row: "Policies and configuration", Title: "The last reload succeeded"}},
	{Name: "config_reloads_total", Type: Counter, Help: "Reloads of the configuration that succeeded.",
		Panel: Panel{Row: "Policies and configuration", Title: "Reloads", Query: "increase(fleetfuse_config_reloads_total{SEL}[$__rate_interval])", Legend: "{{instance}}", Unit: "short"}},
	{Name: "config_reload_failures_total", Type: Counter, Help: "Reloads of the configuration that were refused.",
		Panel: Panel{Row: "Policies and configuration", Title: "Reloads", Query: "increase(fleetfuse_config_reload_failures_total{SEL}[$__rate_interval])", Legend: "{{instance}} refused"}},
	{Name: "config_loaded_timestamp_seconds", Type: Gauge, Help: "When the configuration in force was read, in seconds since 1970.",
		Panel: Panel{Row: "Policies and configuration", Title: "Configuration read at", Query: "fleetfuse_config_loaded_timestamp_seconds{SEL} * 1000", Unit: epochSeconds, Kind: "stat"}},
}

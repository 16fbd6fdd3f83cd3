package telemetry

var tunerMetrics = []Metric{
	{Name: "tuner_host", Type: Gauge, Help: "1 on the member that hosts the fleet's tuner, 0 on the others.",
		Panel: Panel{Row: "Tuner", Title: "Where the tuner is"}},
	{Name: "tuner_suggestions", Type: Gauge, Help: "Changes of policies that the tuner would make if its last plan was enforced, on the member that hosts it; 0 on the others.",
		Panel: Panel{Row: "Tuner", Title: "Suggestions", Query: "sum(fleetfuse_tuner_suggestions{SEL})", Legend: "suggestions"}},
	{Name: "tuner_enforced_total", Type: Counter, Help: "Breakers whose policy the tuner changed, by itself or because an operator enforced a plan, while it was hosted here.",
		Panel: Panel{Row: "Tuner", Title: "Enforced and taken back", Query: "sum(increase(fleetfuse_tuner_enforced_total{SEL}[$__rate_interval]))", Legend: "enforced", Unit: "short"}},
	{Name: "tuner_rolled_back_total", Type: Counter, Help: "Breakers whose change the tuner took back, because it did worse or nobody could tell, while it was hosted here.",
		Panel: Panel{Row: "Tuner", Title: "Enforced and taken back", Query: "sum(increase(fleetfuse_tuner_rolled_back_total{SEL}[$__rate_interval]))", Legend: "taken back"}},
}

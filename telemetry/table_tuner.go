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
	{Name: "tuner_records_ok", Type: Gauge, Help: "1 while what the tuner did is written to tuner.db.",
		Panel: Panel{Row: "Tuner", Title: "Records that are written"}},
	{Name: "tuner_records_pending", Type: Gauge, Help: "Records of the tuner that are not on disk yet.",
		Panel: Panel{Row: "Tuner", Title: "Records not written yet"}},
	{Name: "tuner_records_dropped_total", Type: Counter, Help: "Records of the tuner that were never written: the disk took none and too many waited.",
		Panel: Panel{Row: "Tuner", Title: "Records lost"}},
}

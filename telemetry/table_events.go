package telemetry

var eventMetrics = []Metric{
	{Name: "events_ok", Type: Gauge, Help: "1 while the event log is written.",
		Panel: Panel{Row: "Events", Title: "Event logs that are written"}},
	{Name: "events_appended_total", Type: Counter, Help: "Events that this node logged.",
		Panel: Panel{Row: "Events", Title: "Events"}},
	{Name: "events_duplicates_total", Type: Counter, Help: "Events that were logged already.",
		Panel: Panel{Row: "Events", Title: "Events"}},
	{Name: "events_pending", Type: Gauge, Help: "Events in memory that are not on disk yet.",
		Panel: Panel{Row: "Events", Title: "Events waiting for the disk"}},
	{Name: "events_dropped_total", Type: Counter, Help: "Events that were never written: the disk took none and memory was full. The log shows a gap.",
		Panel: Panel{Row: "Events", Title: "Events and followers given up"}},
	{Name: "events_bytes", Type: Gauge, Help: "What the event log keeps on disk.",
		Panel: Panel{Row: "Events", Title: "Event log on disk", Unit: "bytes"}},
	{Name: "event_followers", Type: Gauge, Help: "Who follows the events on this node.",
		Panel: Panel{Row: "Events", Title: "Followers"}},
	{Name: "event_followers_dropped_total", Type: Counter, Help: "Followers cut off because they did not read for 10 s; they may come back and miss nothing.",
		Panel: Panel{Row: "Events", Title: "Events and followers given up"}},
}

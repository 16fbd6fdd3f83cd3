module example.org/worker

go 1.26.0

require fleetfuse v0.0.0

require (
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

// Until fleetfuse has a home of its own.
replace fleetfuse => ../../

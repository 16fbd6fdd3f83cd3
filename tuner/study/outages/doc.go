// Package outages replays recorded outages of real web sites through
// policies for reset_timeout, among them the one of package outage, and writes
// docs/studies/outages.md. It is run by "make study"; no program of ours links it.
//
// The recordings are other people's and are not part of the repository: the
// environment variable FLEETFUSE_DATA names the folder that holds them (below
// outages).
package outages

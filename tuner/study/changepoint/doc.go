// Package changepoint scores the detectors of package detect on the Turing
// change-point benchmark, beside the published scores of others, and writes
// docs/studies/change-points.md. It is run by "make study"; no program of ours links it.
//
// The series and scores are other people's and are not part of the
// repository: the environment variable FLEETFUSE_DATA names the folder that holds
// copies of alan-turing-institute/TCPD (below tcpd) and of the scores of
// alan-turing-institute/TCPDBench (below tcpdbench).
package changepoint

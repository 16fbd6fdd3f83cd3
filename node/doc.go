// Package node builds a node of everything below it: New, Start, Stop. No rule
// lives here, only wiring.
package node

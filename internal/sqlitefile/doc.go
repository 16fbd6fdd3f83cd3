// Package sqlitefile is what every SQLite file of a node needs: connections that
// are all set up alike, a look at whether it is sound, a way to set a damaged one
// aside, and advice.
package sqlitefile

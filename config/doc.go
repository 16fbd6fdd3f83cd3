// Package config is one struct that says how a node runs, and the ways to
// fill it: defaults, YAML files, environment variables and flags, the later
// of these winning.
//
//	base := config.Default()
//	base.AddFlags(fs)
//	err := config.FlagError(fs, fs.Parse(args))
//	cfg, err := config.Load(base, fs, os.Environ())
//
// Two tables describe everything that can be set. option.go lists the
// options of a node: each has a flag, an environment variable and a key in a
// file. field.go lists the fields of a policy: the text grammar of the
// --breaker flags and the policies in a file both look names up there, so a
// new policy field is one line.
//
// A policy is not read into a breaker.Policy at once. Each field somebody set
// becomes a setting, which remembers where it came from; settings are
// collected from the weakest source to the strongest and resolved in one
// place (resolve.go), field by field: host role, host, wildcard role, wildcard
// (the longest first), default role, default. The more specific setting wins
// whatever its source; among equally specific ones the stronger source does.
// docs/policy.md tells users the same.
//
// What is replaced while a node runs is an Overlay: settings again, of one
// breaker, which Overlaid lays over those it has here, and Values shows with
// their origins. Who stores and sends overlays sees only their text.
//
// What options mean together is in reach.go: a port that other machines can
// reach needs something that guards it. hash.go sums up what the nodes of a
// fleet must agree on.
//
// Everything read here is input from a person. Load reports all that is wrong
// at once, each problem with its flag, variable or file:line:column, and never
// replaces a value it does not understand by a default.
package config

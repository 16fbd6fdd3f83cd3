//go:build !cgo

package decisions

// The SQLite driver builds without cgo and then fails at the first query.
// This fails the build instead, with a sentence.
const _ = this_package_needs_a_C_compiler__install_gcc_and_set_CGO_ENABLED_1

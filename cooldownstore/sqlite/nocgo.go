//go:build !cgo

package sqlite

// The SQLite driver builds without a C compiler and fails at the first query.
// This line fails the build instead.
var _ = this_package_needs_a_C_compiler__install_gcc_and_set_CGO_ENABLED_to_1

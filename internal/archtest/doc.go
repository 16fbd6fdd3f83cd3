// Package archtest holds the architecture, DESIGN section 9, to the code. The
// table in archtest_test.go is the architecture; the tests fail with a
// sentence that says which line breaks it and what to do.
package archtest

// Package httpapi speaks HTTP for the gate and the breakers: the worker API,
// the operator API, the view stream and a page for people. It translates and
// checks; it decides nothing.
package httpapi

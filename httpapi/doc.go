// Package httpapi speaks HTTP for the gate and the breakers: the worker API,
// the operator API and the view stream. It translates and checks; it decides
// nothing.
package httpapi

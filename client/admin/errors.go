package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"syscall"
)

// ErrUnreachable is in every error that says that no node answered.
var ErrUnreachable = errors.New("node unreachable")

// ErrAnswer is in every error that says that something answered, but not as a
// node does.
var ErrAnswer = errors.New("not a node's answer")

// An UnreachableError says that a node did not answer, or broke off.
type UnreachableError struct {
	Addr string
	// Sent is true when a request that changes something may have arrived: it
	// is unknown whether it was carried out.
	Sent bool
	// Hint says what to do where that is known: where something listens, but
	// the two ends do not speak the same protocol or do not believe each
	// other's certificate.
	Hint string
	Err  error
}

func (e *UnreachableError) Error() string {
	if e.Hint != "" {
		return e.What() + " (try: " + e.Hint + ")"
	}
	return e.What() + " (is a node running? try: " + e.Try() + ")"
}

// What is the error without advice.
func (e *UnreachableError) What() string {
	s := "no answer from a node at " + e.Addr + ": " + cause(e.Err)
	if e.Sent {
		s += "; whether the request was carried out is unknown"
	}
	return s
}

// Try is what to go on with: the hint, else a command.
func (e *UnreachableError) Try() string { return cmp.Or(e.Hint, "fleetfuse-node dev") }

func (e *UnreachableError) Unwrap() []error { return []error{ErrUnreachable, e.Err} }

// cause is the part of a connection error that an operator has use for.
func cause(err error) string {
	var dns *net.DNSError
	var request *url.Error
	var differ *mismatch
	switch {
	case errors.As(err, &differ):
		return differ.why
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "it did not answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, os.ErrNotExist):
		return "there is no such socket"
	case errors.Is(err, os.ErrPermission):
		return "permission denied"
	case hungUp(err):
		return "it hung up in the middle"
	case errors.As(err, &dns):
		return dns.Error()
	case errors.As(err, &request):
		return request.Err.Error() // without the URL, which the message names
	}
	return err.Error()
}

// hungUp reports whether the other side ended the connection.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// An AnswerError describes an answer that no node gives.
type AnswerError struct {
	Addr string
	Path string
	Why  string
}

func (e *AnswerError) Error() string {
	return fmt.Sprintf("the answer of %s to %s is not a node's: %s", e.Addr, e.Path, e.Why)
}

// Is makes errors.Is(err, ErrAnswer) true.
func (e *AnswerError) Is(err error) bool { return err == ErrAnswer }

func (c *Client) strange(path, why string) error {
	return &AnswerError{Addr: c.addr, Path: path, Why: why}
}

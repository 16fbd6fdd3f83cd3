package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"fleetfuse/api"
	"fleetfuse/client/admin"
)

// The exit codes. Up to 1 there was an answer; from 2 on there was none.
const (
	exitYes         = 0
	exitNo          = 1
	exitUsage       = 2
	exitNoAnswer    = 3
	exitConflict    = 4
	exitNotFound    = 5
	exitRefused     = 6
	exitInterrupted = 130 // as shells have it: 128 + SIGINT
)

func exitCodesTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "What the exit codes mean",
		Long: `Every command of fleetfuse-ctl exits with one of these:

  0    yes, or done
  1    the answer is no: the breaker stops calls (check), the node, a member
       or the store is not normal (status; an open breaker is normal), no member
       can own the breaker (cluster owner), a configuration has errors (config
       check, config reload), a change of a plan was not made (breaker advise
       --enforce), or a simulated run broke a promise (sim)
  2    usage: the command line or the request makes no sense (HTTP 400 and
       other 4xx not named below)
  3    no answer: the node is unreachable, too slow or broken (HTTP 5xx, 408,
       429), TLS with it fails, what answers is not a node, or the answer could
       not be written
  4    conflict: what you saw has changed meanwhile (HTTP 409, 412)
  5    not found (HTTP 404, 410), or no such version (policy rollback)
  6    refused: you may not do this, or not from here (HTTP 401, 403, 421), or
       nothing may be enforced now (breaker advise --enforce)
  130  interrupted

Up to 1 there was an answer, from 2 on there was none. A command that names
several hosts does nothing if one of the names makes no sense. After an error of
one host it goes on with the next, and exits with the highest code.`,
	}
}

// errNo ends a command whose answer, already printed, is no.
var errNo = errors.New("the answer is no")

// A usageError is a command line that makes no sense.
type usageError struct {
	what string
	try  string // the next command, may be empty
}

func (e *usageError) Error() string { return e.what }

// An outputError says that the answer could not be written.
type outputError struct{ err error }

func (e *outputError) Error() string { return "write the answer: " + e.err.Error() }
func (e *outputError) Unwrap() error { return e.err }

// A failure is an error already reported, of which only the code is left.
type failure int

func (f failure) Error() string { return fmt.Sprintf("exit code %d", int(f)) }

// finish reports what ended a command and returns the exit code.
func (s *session) finish(cmd *cobra.Command, err error) int {
	var reported failure
	if err != nil && !errors.Is(err, errNo) && !errors.As(err, &reported) {
		s.complain(cmd, "", err)
	}
	return exitCode(err)
}

func exitCode(err error) int {
	var (
		problem  *api.Problem
		reported failure
		output   *outputError
	)
	switch {
	case err == nil:
		return exitYes
	case errors.Is(err, errNo):
		return exitNo
	case errors.As(err, &reported):
		return int(reported)
	case errors.As(err, &problem):
		return problemCode(problem.Status)
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.Is(err, admin.ErrUnreachable), errors.Is(err, admin.ErrAnswer), errors.As(err, &output):
		return exitNoAnswer
	}
	return exitUsage // what is left comes from cobra, about the command line
}

func problemCode(status int) int {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusMisdirectedRequest:
		return exitRefused
	case http.StatusNotFound, http.StatusGone:
		return exitNotFound
	case http.StatusConflict, http.StatusPreconditionFailed:
		return exitConflict
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return exitNoAnswer
	}
	if status < 500 {
		return exitUsage
	}
	return exitNoAnswer
}

// complain writes an error to stderr: what, where, and what to try next.
func (s *session) complain(cmd *cobra.Command, about string, err error) {
	what, try := advice(cmd, err)
	if about != "" {
		what = about + ": " + what
	}
	fmt.Fprintln(s.stderr, "fleetfuse-ctl: "+printable(what))
	s.listErrors(what, err)
	if try != "" {
		fmt.Fprintln(s.stderr, "Try: "+printable(try))
	}
}

// listErrors lists each thing that was wrong with a request, if the problem's
// own words do not say it already.
func (s *session) listErrors(what string, err error) {
	var problem *api.Problem
	if !errors.As(err, &problem) {
		return
	}
	if len(problem.Errors) == 1 && strings.Contains(what, problem.Errors[0]) {
		return
	}
	for _, text := range problem.Errors {
		fmt.Fprintln(s.stderr, "  "+printable(text))
	}
}

func advice(cmd *cobra.Command, err error) (what, try string) {
	var (
		usage       *usageError
		problem     *api.Problem
		unreachable *admin.UnreachableError
		strange     *admin.AnswerError
	)
	switch {
	case errors.As(err, &usage):
		return usage.what, usage.try
	case errors.As(err, &problem):
		return problem.Detail, problem.Try
	case errors.As(err, &unreachable):
		return unreachable.What(), afterSilence(cmd, unreachable)
	case errors.As(err, &strange):
		return strange.Error(), "--addr, if the node listens elsewhere"
	case errors.Is(err, context.Canceled):
		return "interrupted", ""
	case exitCode(err) == exitUsage:
		return err.Error(), cmd.CommandPath() + " --help"
	}
	return err.Error(), ""
}

// afterSilence is what to do after a request that nobody answered. One that
// changes something may have been carried out: where to look whether it was.
func afterSilence(cmd *cobra.Command, e *admin.UnreachableError) string {
	switch {
	case e.Hint != "":
		return e.Hint
	case !e.Sent:
		return e.Try() + " (if no node is running), or --addr"
	case cmd.Name() == "leave":
		return "fleetfuse-ctl cluster members --addr of another member"
	case cmd.Name() == "reload":
		return "fleetfuse-ctl config show"
	case cmd.Flags().Lookup("enforce") != nil:
		return "fleetfuse-ctl breaker advise, which says what was made and is watched"
	case cmd.HasParent() && cmd.Parent().Name() == "policy":
		return "fleetfuse-ctl policy history " + shellWord(cmd.Flags().Arg(0))
	}
	return "fleetfuse-ctl breaker show"
}

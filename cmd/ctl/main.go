// Command fleetfuse-ctl asks a node about the breakers and members of its
// cluster and tells it to open or close a breaker. Answers go to stdout, messages to stderr, and the exit code says
// whether the answer is yes (exit.go).
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, environment{os.Getenv, os.Hostname, time.Now, openConsole})
	stop()
	os.Exit(code)
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"fleetfuse/cluster"
	"fleetfuse/config"
	"fleetfuse/cooldownstore"
	"fleetfuse/internal/tty"
	"fleetfuse/node"
)

// version is set by the linker: -ldflags "-X main.version=v1.2.3".
var version = "dev"

// command is the command tree.
func command(environ []string, stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use: "fleetfuse-node", Short: "Shared circuit breakers for a fleet of workers",
		SilenceUsage: true, SilenceErrors: true,
		RunE: func(c *cobra.Command, _ []string) error { // a supervisor must not take that for a node that ran
			return fmt.Errorf("no command is named; try: %s --help", c.Name())
		},
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.AddCommand(
		runCommand("run", "Run a node", environ, stderr),
		runCommand("dev", "Run one node on loopback with its data in ./data", environ, stderr),
		&cobra.Command{Use: "version", Short: "Print the version", Args: cobra.NoArgs, Run: func(c *cobra.Command, _ []string) {
			fmt.Fprintln(c.OutOrStdout(), describe())
		}},
	)
	return root
}

func runCommand(name, short string, environ []string, stderr io.Writer) *cobra.Command {
	cfg := config.Default()
	c := &cobra.Command{Use: name, Short: short, Args: cobra.NoArgs}
	cfg.AddFlags(c.Flags())
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return config.FlagError(c.Flags(), err) })
	c.RunE = func(c *cobra.Command, _ []string) error {
		load := func() (config.Config, error) { return config.Load(cfg, c.Flags(), environ) }
		loaded, err := load()
		if err != nil {
			return err
		}
		if err := run(c.Context(), &loaded, load, stderr); err != nil {
			return &failure{err}
		}
		return nil
	}
	return c
}

// The exit codes, as those of fleetfuse-ctl.
const (
	exitFailed = 1 // the node did not start
	exitUsage  = 2 // the command line or the configuration makes no sense
)

// A failure is an error of what was understood.
type failure struct{ error }

func (f *failure) Unwrap() error { return f.error }

// exitCode is what the process ends with.
func exitCode(err error) int {
	if _, ok := errors.AsType[*failure](err); ok {
		return exitFailed
	}
	return exitUsage
}

// run runs a node until the context is over. load reads the configuration again.
func run(ctx context.Context, cfg *config.Config, load func() (config.Config, error), stderr io.Writer) error {
	name, err := displayName(cfg)
	if err != nil {
		return err
	}
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	hangups := make(chan os.Signal, 1) // from here on none ends the process
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	var shared cooldownstore.Shared // nil: with nobody
	if cfg.SharesCooldowns() {
		if shared, err = node.OpenShared(cfg.CooldownStore); err != nil {
			return err
		}
	}
	log := logger(cfg, stderr)
	// What a starting node takes into its memory stays there: collecting
	// garbage meanwhile finds little.
	percent := debug.SetGCPercent(startGCPercent)
	n, err := node.Start(ctx, node.Options{
		Name: name, Shared: shared, DataDir: cfg.Node.DataDir, Memory: cfg.CooldownStore == config.StoreMemory, HTTPListen: cfg.HTTP.ListenAddress,
		HTTPSocket: cfg.HTTP.Socket, AllowedHosts: cfg.HTTP.AllowedHosts,
		Gossip: cluster.Gossip{
			Listen: cfg.Cluster.ListenAddress, Advertise: cfg.Cluster.AdvertiseAddress, Label: cfg.Cluster.Label,
			Profile: cfg.Cluster.GossipProfile, Peers: cfg.Cluster.Peers, KeyringFile: cfg.Cluster.KeyringFile,
		},
		Actor:    cluster.Actor{Listen: cfg.Actor.ListenAddress, Advertise: cfg.Actor.AdvertiseAddress},
		TLS:      cluster.TLS(cfg.TLS),
		Insecure: cfg.Insecure, EventAge: cfg.Telemetry.MaxAge, EventBytes: int64(cfg.Telemetry.MaxBytes), OnLeave: leave, Config: cfg, Reload: load, Version: version, Logger: log,
	})
	debug.SetGCPercent(percent)
	if err != nil {
		return err
	}
	defer func() {
		n.Stop()
		log.Info("stopped")
	}()
	if cfg.Node.ReadyFile != "" {
		if err := writeReady(cfg.Node.ReadyFile, n.Addresses()); err != nil {
			return err
		}
		defer os.Remove(cfg.Node.ReadyFile)
	}
	for {
		select {
		case <-ctx.Done():
			log.Info("told to stop; what is owned here is handed over")
			return nil
		case <-hangups:
			go func() { _, _ = n.Reload(ctx) }() // its log says how it went; one at a time
		}
	}
}

// startGCPercent is Go's GOGC until a node is ready.
const startGCPercent = 400

// displayName is the configured name, else the machine's.
func displayName(cfg *config.Config) (string, error) {
	if cfg.Node.Name != "" {
		return cfg.Node.Name, nil
	}
	name, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("%w; give --node.name", err)
	}
	return name, nil
}

// ready is what the ready file says.
type ready struct {
	PID int `json:"pid"`
	node.Addresses
}

// writeReady writes the ready file in one step, so that nobody reads half.
func writeReady(path string, a node.Addresses) error {
	text, err := json.Marshal(ready{os.Getpid(), a})
	if err != nil {
		return err
	}
	tmp := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%d", filepath.Base(path), os.Getpid()))
	if err := os.WriteFile(tmp, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("--ready-file: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("--ready-file: %w", err)
	}
	return nil
}

func logger(cfg *config.Config, w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(cfg.Log.Level)) // checked by Load
	opt := &slog.HandlerOptions{Level: level}
	if cfg.Log.Format == "text" || cfg.Log.Format == "auto" && tty.Is(w) {
		return slog.New(slog.NewTextHandler(w, opt))
	}
	return slog.New(slog.NewJSONHandler(w, opt))
}

func describe() string {
	text := "fleetfuse-node " + version
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				text += " " + s.Value
			}
		}
		text += " " + info.GoVersion
	}
	return text
}

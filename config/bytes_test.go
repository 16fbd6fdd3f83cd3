package config

import (
	"strings"
	"testing"
	"time"
)

func TestBytes(t *testing.T) {
	for text, want := range map[string]Bytes{"1048576": 1 << 20, "512KiB": 512 << 10, "256MiB": 256 << 20, "2 GiB": 2 << 30, "0": 0} {
		got, err := parseBytes(text)
		if got != want || err != nil {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
		if again, err := parseBytes(got.String()); again != got || err != nil {
			t.Errorf("%q is written as %q, which is %d, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"", "-1", "1.5GiB", "10MB", "many", "9999999999GiB", "9223372036854775808"} {
		if got, err := parseBytes(text); err == nil {
			t.Errorf("%q is read as %d", text, got)
		}
	}
}

func TestTelemetryOptions(t *testing.T) {
	load := func(environ ...string) (Config, error) { return Load(Default(), nil, environ) }
	c, err := load("FLEETFUSE_TELEMETRY_MAX_AGE=24h", "FLEETFUSE_TELEMETRY_MAX_BYTES=64MiB")
	if err != nil || c.Telemetry != (Telemetry{24 * time.Hour, 64 << 20}) {
		t.Errorf("%+v, %v", c.Telemetry, err)
	}
	for _, bad := range []string{"MAX_AGE=1s", "MAX_AGE=soon", "MAX_BYTES=100", "MAX_BYTES=2TB"} {
		name, value, _ := strings.Cut(bad, "=")
		if _, err := load("FLEETFUSE_TELEMETRY_" + bad); err == nil || !strings.Contains(err.Error(), "FLEETFUSE_TELEMETRY_"+name) || !strings.Contains(err.Error(), value) {
			t.Errorf("%s: %v; want the variable and the value named", bad, err)
		}
	}
}

package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Bytes is a size.
type Bytes int64

// byteUnits are the units of sizes, the largest first.
var byteUnits = []struct {
	name  string
	bytes Bytes
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}

// String is the size in the largest unit that has no fraction.
func (b Bytes) String() string {
	for _, u := range byteUnits {
		if b != 0 && b%u.bytes == 0 {
			return strconv.FormatInt(int64(b/u.bytes), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// parseBytes reads what String wrote.
func parseBytes(text string) (Bytes, error) {
	number, unit := text, Bytes(1)
	for _, u := range byteUnits {
		if before, ok := strings.CutSuffix(text, u.name); ok {
			number, unit = strings.TrimSpace(before), u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("is %s: want a size: bytes as a number, or 512KiB, 256MiB, 2GiB", quote(text))
	}
	if n > int64(maxBytes/unit) {
		return 0, fmt.Errorf("is %s: want at most %v", quote(text), maxBytes)
	}
	return Bytes(n) * unit, nil
}

// Limits of what is kept of events.
const (
	minAge, maxAge     = time.Minute, 10 * 365 * 24 * time.Hour
	minBytes, maxBytes = Bytes(1 << 20), Bytes(1 << 40)
)

func checkAge(d time.Duration) error {
	if d < minAge || d > maxAge {
		return fmt.Errorf("is %v: want %v to %v", d, minAge, maxAge)
	}
	return nil
}

func checkBytes(b Bytes) error {
	if b < minBytes || b > maxBytes {
		return fmt.Errorf("is %v: want %v to %v", b, minBytes, maxBytes)
	}
	return nil
}

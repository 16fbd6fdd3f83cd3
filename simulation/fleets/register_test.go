package fleets

import (
	"testing"

	"github.com/anishathalye/porcupine"
)

// The register's model takes what one owner answers, and nothing else.
func TestRegisterModel(t *testing.T) {
	write := func(call, end int64, version, base string) porcupine.Operation {
		return porcupine.Operation{Input: registerOp{value: 7}, Call: call, Return: end, Output: registerAnswer{register: register{version: version}, base: base}}
	}
	read := func(call, end int64, version string, value float64) porcupine.Operation {
		return porcupine.Operation{Input: registerOp{}, Call: call, Return: end, Output: registerAnswer{register: register{version, value}}}
	}
	for _, x := range []struct {
		name    string
		history []porcupine.Operation
		want    bool
	}{
		{"one after the other", []porcupine.Operation{read(0, 1, "0", 5), write(2, 3, "1", "0"), read(4, 5, "1", 7)}, true},
		{"at once", []porcupine.Operation{write(0, 9, "1", "0"), read(1, 2, "0", 5), read(3, 4, "1", 7)}, true},
		{"a stale read", []porcupine.Operation{write(0, 1, "1", "0"), read(2, 3, "0", 5)}, false},
		{"a lost write", []porcupine.Operation{write(0, 1, "1", "0"), write(2, 3, "2", "0")}, false},
		{"two owners", []porcupine.Operation{write(0, 1, "1", "0"), write(2, 3, "2", "1"), read(4, 5, "1", 7)}, false},
	} {
		if got := porcupine.CheckOperations(registerModel, x.history); got != x.want {
			t.Errorf("%s: linearizable is %v, want %v", x.name, got, x.want)
		}
	}
}

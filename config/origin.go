package config

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An Origin says where a value came from. The zero Origin is the built-in
// default.
type Origin struct {
	Source string // "flag --http.socket", "env FLEETFUSE_HTTP_SOCKET" or a file's path
	Line   int32  // in a file, from 1; 0 elsewhere
	Column int32  // in a file, in characters from 1; 0 elsewhere
}

// String is "default", "flag --http.socket", "env FLEETFUSE_HTTP_SOCKET" or
// "breakers.yaml:14:5".
func (o Origin) String() string {
	switch {
	case o.Source == "":
		return "default"
	case o.Line == 0:
		return o.Source
	case o.Column == 0:
		return o.Source + ":" + strconv.Itoa(int(o.Line))
	}
	return o.Source + ":" + strconv.Itoa(int(o.Line)) + ":" + strconv.Itoa(int(o.Column))
}

func flagOrigin(name string) Origin { return Origin{Source: "flag --" + name} }

func environmentOrigin(name string) Origin { return Origin{Source: "env " + shownName(name)} }

// shownName is the name of a variable. The host in it may be any bytes.
func shownName(name string) string {
	if len(name) > maxShownName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return quote(name)
	}
	return name
}

// maxShownName is room for the longest host and role.
const maxShownName = 512

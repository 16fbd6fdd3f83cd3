package config

import "strings"

// An OptionValue is an option of a node as it is in force.
type OptionValue struct {
	Name   string // as in a file: http.listen_address
	Value  string // a list with commas; a URL without its password
	Origin Origin
}

// Options lists every option in the order of the table.
func (c *Config) Options() []OptionValue {
	list := make([]OptionValue, 0, len(options))
	for i := range options {
		o := &options[i]
		list = append(list, OptionValue{o.key, withoutPassword(o.text(c)), c.Origin(o.flag)})
	}
	return list
}

// masked is shown in place of a password.
const masked = "xxxxx"

// withoutPassword hides what may be a password in a URL; other texts come back
// as they are. A password that was not escaped may have been cut apart: rather
// too much is hidden than too little.
func withoutPassword(text string) string {
	scheme, rest, isURL := strings.Cut(text, "://")
	if !isURL || scheme == "sqlite" {
		return text
	}
	place, query, hasQuery := strings.Cut(rest, "?")
	i := strings.LastIndexByte(place, '@')
	if i < 0 && strings.Contains(query, "@") {
		return scheme + "://" + masked
	}
	if i >= 0 {
		place = masked + place[i:]
	}
	if !hasQuery {
		return scheme + "://" + place
	}
	parameters := strings.Split(query, "&")
	for i, parameter := range parameters {
		name, _, hasValue := strings.Cut(parameter, "=")
		switch {
		case !hasValue:
			parameters[i] = masked
		case strings.Contains(name, "password"):
			parameters[i] = name + "=" + masked
		}
	}
	return scheme + "://" + place + "?" + strings.Join(parameters, "&")
}

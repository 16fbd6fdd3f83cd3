package redis

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// setting is what errors tell the operator to change.
const setting = "--cooldown-store"

// maxPrefixBytes bounds key_prefix.
const maxPrefixBytes = 128

// shape is how the server is reached.
type shape string

const (
	single   shape = ""
	sentinel shape = "+sentinel"
	cluster  shape = "+cluster"
)

// An address is what a URL says.
type address struct {
	shape          shape
	tls            bool
	user, password string
	hosts          []string // host:port
	master         string   // of the sentinels
	database       int
	prefix         string

	// What the sentinels themselves ask for.
	sentinelUser, sentinelPassword string
}

// escapes is said where a password may have been cut apart: the text around it
// is not shown.
const escapes = "in a user or password write % as %25, @ as %40, / as %2F, ? as %3F, & as %26"

// parseURL reads
//
//	redis://[user:password@]host[:port][/database]
//	redis+sentinel://[user:password@]host[:port],…/master[/database]
//	redis+cluster://[user:password@]host[:port],…
//
// and rediss in place of redis for TLS, each with ?key_prefix=, that of sentinels
// which ask for a password with ?sentinel_user= and &sentinel_password= too. Its
// errors show nothing of the URL but its scheme.
func parseURL(raw string) (address, error) {
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		return address{}, errors.New("write redis://host:6379/0")
	}
	var a address
	name, kind, plus := strings.Cut(scheme, "+")
	a.tls = name == "rediss"
	if plus {
		a.shape = shape("+" + kind)
	}
	if name != "redis" && name != "rediss" || !slices.Contains([]shape{single, sentinel, cluster}, a.shape) {
		return address{}, errors.New("the scheme is not known; use redis, rediss, redis+sentinel or redis+cluster")
	}
	rest, query, _ := strings.Cut(rest, "?")
	authority, path, _ := strings.Cut(rest, "/")
	if i := strings.LastIndex(authority, "@"); i >= 0 {
		if err := a.credentials(authority[:i]); err != nil {
			return address{}, err
		}
		authority = authority[i+1:]
	}
	if err := errors.Join(a.setHosts(authority), a.setPath(path), a.setQuery(query)); err != nil {
		return address{}, fmt.Errorf("%s: %w", scheme, err)
	}
	return a, nil
}

func (a *address) credentials(text string) error {
	user, password, _ := strings.Cut(text, ":")
	var err [2]error
	a.user, err[0] = url.PathUnescape(user)
	a.password, err[1] = url.PathUnescape(password)
	if err[0] != nil || err[1] != nil {
		return errors.New("the user or password is not escaped rightly; " + escapes)
	}
	// String shows users, so what may be a password must not pass for one.
	switch {
	case strings.Contains(user, "@"):
		return errors.New("the user has an @; " + escapes)
	case a.user != "" && a.password == "":
		return errors.New("what stands before @ has no password; write redis://:password@host, or redis://user:password@host")
	}
	return nil
}

func (a *address) setHosts(text string) error {
	port := "6379"
	if a.shape == sentinel {
		port = "26379"
	}
	for host := range strings.SplitSeq(text, ",") {
		if !strings.Contains(host[strings.LastIndex(host, "]")+1:], ":") {
			host += ":" + port
		}
		name, p, err := net.SplitHostPort(host)
		n, portErr := strconv.Atoi(p)
		if err != nil || portErr != nil || name == "" || strings.ContainsAny(name, "@ ") || n < 1 || n > 65535 {
			return errors.New("want host or host:port, with commas between several; " + escapes)
		}
		a.hosts = append(a.hosts, net.JoinHostPort(name, p))
	}
	if a.shape == single && len(a.hosts) > 1 {
		return errors.New("several hosts need redis+sentinel:// or redis+cluster://")
	}
	return nil
}

func (a *address) setPath(path string) error {
	database := path
	if a.shape == sentinel {
		a.master, database, _ = strings.Cut(path, "/")
		if a.master == "" {
			return errors.New("the name of the master is missing: redis+sentinel://host,host/NAME")
		}
		if strings.Contains(a.master, "@") { // part of a password, with which String would show it
			return errors.New("the name of the master has an @; " + escapes)
		}
	}
	if database == "" {
		return nil
	}
	n, err := strconv.ParseUint(database, 10, 31)
	switch {
	case err != nil:
		return errors.New("the database at the end must be a number; " + escapes)
	case n != 0 && a.shape == cluster:
		return errors.New("a cluster has only database 0; to keep apart what shares it use ?key_prefix=")
	}
	a.database = int(n)
	return nil
}

// literally escapes what a query would read as a blank or refuse, and what
// passwords are often made of.
var literally = strings.NewReplacer("+", "%2B", ";", "%3B")

func (a *address) setQuery(text string) error {
	query, err := url.ParseQuery(literally.Replace(text))
	if err != nil {
		return errors.New("what follows ? cannot be read; " + escapes)
	}
	for name, values := range query {
		if into := a.parameter(name); into != nil && len(values) == 1 {
			*into = values[0]
			continue
		}
		return errors.New("after ? only one key_prefix= is known, and of sentinels one sentinel_user= and one sentinel_password=; " + escapes)
	}
	if a.sentinelUser != "" && a.sentinelPassword == "" {
		return errors.New("sentinel_user= needs a sentinel_password=; a password alone is sentinel_password=")
	}
	if len(a.prefix) > maxPrefixBytes || !utf8.ValidString(a.prefix) || strings.ContainsFunc(a.prefix, unicode.IsControl) {
		return fmt.Errorf("key_prefix must be at most %d bytes of printable text", maxPrefixBytes)
	}
	return nil
}

// parameter is where a parameter of the query goes, nil if it is not known.
func (a *address) parameter(name string) *string {
	switch {
	case name == "key_prefix":
		return &a.prefix
	case name == "sentinel_user" && a.shape == sentinel:
		return &a.sentinelUser
	case name == "sentinel_password" && a.shape == sentinel:
		return &a.sentinelPassword
	}
	return nil
}

// masked is shown in place of a password.
const masked = "xxxxx"

// String is the URL without its passwords.
func (a address) String() string {
	u := url.URL{Scheme: "redis" + string(a.shape), Host: strings.Join(a.hosts, ",")}
	if a.tls {
		u.Scheme = "rediss" + string(a.shape)
	}
	if a.password != "" {
		u.User = url.UserPassword(a.user, masked)
	}
	switch a.shape {
	case sentinel:
		u.Path = fmt.Sprintf("/%s/%d", a.master, a.database)
	case single:
		u.Path = fmt.Sprintf("/%d", a.database)
	}
	query := url.Values{}
	if a.prefix != "" {
		query.Set("key_prefix", a.prefix)
	}
	if a.sentinelUser != "" {
		query.Set("sentinel_user", a.sentinelUser)
	}
	if a.sentinelPassword != "" {
		query.Set("sentinel_password", masked)
	}
	u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20") // a + is itself, see literally
	return u.String()
}

package redis

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"time"

	"fleetfuse/cooldownstore"
)

var errReplica = errors.New("READONLY this server is a replica")

// usable reports why the store cannot be used at all.
func (s *Store) usable(ctx context.Context) error {
	if s.closing.Err() != nil {
		return cooldownstore.ErrClosed
	}
	return ctx.Err()
}

// fail turns an error of an operation into what the caller sees.
func (s *Store) fail(ctx context.Context, op string, err error) error {
	gone := s.usable(ctx) // the driver's own words for it vary
	if end, ok := ctx.Deadline(); ok && isTimeout(err) && !time.Now().Before(end) {
		gone = context.DeadlineExceeded
	}
	if gone != nil {
		return fmt.Errorf("%s: %w", op, gone)
	}
	advice := s.advise(err)
	if advice == "" {
		return fmt.Errorf("%s: %s: %w", op, s, err)
	}
	return fmt.Errorf("%s: %s: %w: %s", op, s, err, advice)
}

// answers says what to do about a server's error, by how it starts. It stands
// at the end of what is wrapped around it.
var answers = []struct{ prefix, advice string }{
	{"WRONGPASS", "correct the user and password in " + setting},
	{"NOAUTH", "name a user and password in " + setting},
	{"ERR AUTH", "this server wants no password: remove it from " + setting},
	{"ERR Client sent AUTH", "this server wants no password: remove it from " + setting},
	{"ERR DB index", "this server has fewer databases: correct the number at the end of " + setting},
	{"ERR SELECT is not allowed", "a cluster has only database 0: correct " + setting},
	{"READONLY", "name the primary in " + setting + ", or its sentinels with redis+sentinel://"},
	{"MOVED", "this server is part of a cluster: use redis+cluster:// in " + setting},
	{"ERR This instance has cluster support disabled", "this server is no cluster: use redis:// in " + setting},
	{"ERR unknown command", "if this is a sentinel use redis+sentinel:// in " + setting + "; else the server must know SCAN, EVALSHA and PUBLISH"},
	{"OOM", "the server is full: raise its maxmemory"},
	{"MISCONF", "the server cannot save to its disk: free space there"},
	{"DENIED", "the server runs in protected mode: give it a password, and name it in " + setting},
}

// starts reports whether a server's error starts so, whatever was wrapped
// around it.
func starts(err error, prefix string) bool { return strings.Contains(": "+err.Error(), ": "+prefix) }

// ofSentinels reports whether an error says that no sentinel told the master.
func ofSentinels(err error) bool { return strings.Contains(err.Error(), "all sentinels") }

// adviseSentinel says what to do about a sentinel's refusal, "" if it is none.
// Sentinels have users and passwords of their own.
func adviseSentinel(err error) string {
	switch {
	case !ofSentinels(err):
		return ""
	case starts(err, "NOAUTH"):
		return "the sentinels ask for a password: add ?sentinel_password=PASSWORD to " + setting + ", and &sentinel_user=USER if it is not the default user's"
	case starts(err, "WRONGPASS"):
		return "the sentinels refuse: correct sentinel_user and sentinel_password in " + setting
	case starts(err, "ERR AUTH"):
		return "the sentinels want no password: remove sentinel_password from " + setting
	case starts(err, "NOPERM"):
		return "allow the sentinel_user in " + setting + ": ACL SETUSER USER &* +sentinel +subscribe +ping"
	}
	return ""
}

// rights is what the user needs, as ACL SETUSER takes it.
func (s *Store) rights() string {
	more := ""
	switch {
	case s.address.shape == cluster:
		more = " +cluster|slots +asking"
	case s.address.database != 0:
		more = " +select"
	}
	return fmt.Sprintf("~%s* &%s +@read +@write +@scripting +@pubsub +ping +info%s", glob.Replace(s.keys), glob.Replace(s.events), more)
}

// advise says what to do about an error, "" if nothing is known.
func (s *Store) advise(err error) string {
	if refused := adviseSentinel(err); refused != "" {
		return refused
	}
	if starts(err, "NOPERM") {
		return "allow the user in " + setting + ": ACL SETUSER " + cmp.Or(s.address.user, "default") + " " + s.rights()
	}
	for _, a := range answers {
		if starts(err, a.prefix) {
			return a.advice
		}
	}
	_, badRecord := errors.AsType[tls.RecordHeaderError](err)
	_, badCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, unknownCA := errors.AsType[x509.UnknownAuthorityError](err)
	switch {
	case badRecord:
		return "that port speaks no TLS: use redis:// in " + setting + ", or its TLS port"
	case badCertificate, unknownCA:
		return "the server's certificate is not trusted for this name: correct the host in " + setting + ", or add the authority to the system's or to $SSL_CERT_FILE"
	case !s.address.tls && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)):
		return "it hung up; if that port speaks TLS use rediss:// in " + setting
	case ofSentinels(err):
		return "check the sentinels and the name of the master in " + setting
	case isTimeout(err) && s.address.tls:
		return "it does not answer in time; if that port speaks no TLS use redis:// in " + setting
	case isTimeout(err):
		return "it does not answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "no server listens there: start it, or correct " + setting
	}
	return ""
}

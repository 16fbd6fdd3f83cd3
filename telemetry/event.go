package telemetry

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// A Kind says what sort of thing happened.
type Kind string

// The kinds, which api.EventKinds lists, and what From and To of an event hold.
const (
	// KindTransition is a change of a breaker's state: two states.
	KindTransition Kind = "transition"
	// KindLocal is a change of the ring of one node, Node: two states.
	KindLocal Kind = "local"
	// KindCooldown is a deadline set or extended by a Retry-After that Node saw, or
	// found in a store. To is "open".
	KindCooldown Kind = "cooldown"
	// KindOperator is an operator's word: the state before, and "open" or "closed".
	KindOperator Kind = "operator"
	// KindPolicy is a change of a policy. To is the register and what became of
	// it: "operator replaced", "tuner reset", "operator expired", "operator
	// superseded".
	KindPolicy Kind = "policy"
	// KindProbe is the result of a probe by Node. To is "success", "failure",
	// "neutral" or "expired".
	KindProbe Kind = "probe"
	// KindAdvice is what the tuner proposes for a breaker, or says of a change that
	// was on trial: To is "suggested" or "promoted". What it changes and takes back
	// are events of KindPolicy.
	KindAdvice Kind = "advice"
	// KindMember is a change of Node's membership: two of the states of a member.
	KindMember Kind = "member"
	// KindDegraded is a part of Node that stopped working; To names the part.
	KindDegraded Kind = "degraded"
	// KindRecovered is a part of Node that works again; To names the part.
	KindRecovered Kind = "recovered"
)

// ParseKind reads a Kind that a person wrote.
func ParseKind(s string) (Kind, error) {
	if slices.Contains(api.EventKinds, s) {
		return Kind(s), nil
	}
	return "", fmt.Errorf("%.80q is no kind of event: name one of %s", s, strings.Join(api.EventKinds, " "))
}

// ofNode reports whether two nodes to which it happens at one stamp are two
// events. What becomes of a breaker is one, whichever owner wrote it down: by what
// name a node that is gone went, another may not know.
func (k Kind) ofNode() bool {
	switch k {
	case KindTransition, KindCooldown, KindOperator, KindPolicy:
		return false
	}
	return true
}

// Limits of an event; Trim holds one to them.
const (
	maxKeyBytes  = len(breaker.ScopeResolver) + 1 + breaker.MaxNameBytes
	maxWitnesses = 16 // the most a policy can ask for
	// maxDetailBytes has room for what the tuner says of a change, whole.
	maxDetailBytes = 512
)

// An Event is one thing that happened. Names of nodes are display names.
type Event struct {
	// Seq is the event's position in the log of the node that wrote it; zero
	// until it is logged.
	Seq  uint64
	Time time.Time
	Kind Kind
	// Key is empty where the event is about a node.
	Key breaker.Key
	// Node is whom the event is about or who saw it.
	Node string
	Role string
	// From and To depend on the kind.
	From, To string
	Reason   breaker.Reason
	Detail   string
	Author   string
	// Length is how long what began lasts, as asked for; to the millisecond.
	Length   time.Duration
	Evidence Evidence
	// PolicyVersion is the operator's version in force, zero for none.
	PolicyVersion breaker.Stamp
	// Owner is the node that wrote the event.
	Owner string
	// Stamp is that of the word the event is about. A deadline that ran out has
	// none of its own: its event carries the stamp of the cooldown or circuit that
	// ran out, so that every owner that notices gives it the same ID. Zero where
	// there is nothing to stamp (a degraded part).
	Stamp breaker.Stamp
}

// Evidence is what an event rested on.
type Evidence struct {
	Failures int // that completed the rule
	// Of the last outcome: its HTTP status, its transport error, its raw header.
	Status     int
	Error      string
	RetryAfter string
	Witnesses  []string
}

// An ID names what happened, whoever wrote it down. IDs are comparable.
type ID struct {
	Stamp breaker.Stamp
	Kind  Kind
	State string
	Key   breaker.Key
	Node  string // only where the kind happens to nodes apart
}

// ID is the event's identity. Where it has no stamp its time stands in, to the
// millisecond.
func (e *Event) ID() ID {
	id := ID{Stamp: e.Stamp, Kind: e.Kind, State: e.To, Key: e.Key}
	if id.Stamp == 0 {
		id.Stamp = breaker.StampAt(e.Time)
	}
	if e.Kind.ofNode() {
		id.Node = e.Node
	}
	return id
}

func (id ID) String() string {
	const stampDigits = 16
	stamp := strconv.FormatUint(uint64(id.Stamp), 16)
	s := strings.Repeat("0", stampDigits-len(stamp)) + stamp + "-" + string(id.Kind) + "-" + id.State + "-" + string(id.Key)
	if id.Node != "" {
		s += "@" + id.Node
	}
	return s
}

// Trim brings an event to the form in which it is kept, the same in memory, on
// disk and on the wire: times in UTC to the microsecond, texts that are UTF-8 and
// of limited length, no empty list.
func (e *Event) Trim() {
	e.Time = e.Time.UTC().Truncate(time.Microsecond)
	if y := e.Time.Year(); y < 1 || y > 9999 {
		e.Time = time.UnixMicro(0).UTC() // JSON has no such year
	}
	e.Length = e.Length.Truncate(time.Millisecond)
	if len(e.Key) > maxKeyBytes {
		e.Key = e.Key[:maxKeyBytes]
	}
	e.Key = breaker.Key(strings.ToValidUTF8(string(e.Key), "�"))
	e.Kind, e.Reason = Kind(trim(string(e.Kind))), breaker.Reason(trim(string(e.Reason)))
	for _, s := range []*string{
		&e.Node, &e.Role, &e.From, &e.To, &e.Author, &e.Owner, &e.Evidence.Error, &e.Evidence.RetryAfter,
	} {
		*s = trim(*s)
	}
	e.Detail = trimDetail(e.Detail)
	e.Evidence.Witnesses = trimNames(e.Evidence.Witnesses)
}

// trimDetail marks the place where it cuts, at a rune: a reader must not take half a
// sentence for all of it.
func trimDetail(s string) string {
	const cut = "…"
	s = strings.ToValidUTF8(s, "�")
	if len(s) <= maxDetailBytes {
		return s
	}
	n := maxDetailBytes - len(cut)
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + cut
}

func trim(s string) string { return breaker.Cut(strings.ToValidUTF8(s, "�")) }

// trimNames copies the list: an event is read by many at once, and whoever
// handed it in may go on using his.
func trimNames(names []string) []string {
	if len(names) == 0 {
		return nil
	}
	names = slices.Clone(names[:min(len(names), maxWitnesses)])
	for i := range names {
		names[i] = trim(names[i])
	}
	return names
}

package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"fleetfuse/api"
)

func sortMembers(members []api.Member) {
	slices.SortFunc(members, func(a, b api.Member) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
}

// marked is a member's name, with a mark at the node that answered.
func marked(name string, self bool) string {
	if self {
		return name + " (asked)"
	}
	return name
}

// hashShown is how much of a configuration's hash tells two apart for people.
const hashShown = 8

func (s *session) printMembers(members []api.Member) error {
	now := s.env.now()
	rows := make([][]string, len(members))
	for i, m := range members {
		epoch := "-"
		if m.Epoch > 0 {
			epoch = strconv.FormatUint(m.Epoch, 10)
		}
		rows[i] = []string{
			marked(m.Name, m.Self), orDash(m.State), goneFor(m, now), strconv.Itoa(m.Owned), orDash(m.Address), orDash(m.APIAddress),
			orDash(m.Version), orDash(m.ConfigHash[:min(len(m.ConfigHash), hashShown)]), epoch, m.ID,
		}
	}
	return s.table([]string{"MEMBER", "STATE", "GONE", "OWNED", "ADDRESS", "API", "VERSION", "CONFIG", "EPOCH", "ID"}, rows)
}

// goneFor is how long ago a member left or was lost.
func goneFor(m api.Member, now time.Time) string {
	switch {
	case m.State == api.MemberLost && m.LostAt != nil:
		return ago(*m.LostAt, now)
	case m.State == api.MemberLeft && m.LeftAt != nil:
		return ago(*m.LeftAt, now)
	}
	return "-"
}

// memberProblems says which members are not well, and which do not fit
// together. One that left was told to.
func memberProblems(members []api.Member, now time.Time) []string {
	var problems []string
	for _, m := range members {
		switch m.State {
		case api.MemberAlive, api.MemberLeft:
			continue
		case api.MemberDraining:
			problems = append(problems, "member "+m.Name+" is draining: it is about to leave")
		case api.MemberApart:
			problems = append(problems, "member "+m.Name+" is apart: its clock is days off, so it owns nothing")
		case api.MemberLost:
			when := "is lost"
			if m.LostAt != nil {
				when = "was lost " + ago(*m.LostAt, now)
			}
			problems = append(problems, fmt.Sprintf("member %s %s: it went without leaving", m.Name, when))
		default:
			problems = append(problems, fmt.Sprintf("member %s is %s", m.Name, orDash(m.State)))
		}
	}
	return append(problems, misfits(members)...)
}

// misfits says which members run another configuration than the node asked,
// and which share one name.
func misfits(members []api.Member) []string {
	var present []api.Member
	for _, m := range members {
		if m.State != api.MemberLost && m.State != api.MemberLeft { // what those ran, and were called, is past
			present = append(present, m)
		}
	}
	problems := twins(present)
	if len(problems) > 0 {
		for i := range present {
			present[i].Name += " (" + present[i].ID + ")" // else nobody knows which one is meant
		}
	}
	return append(problems, mismatches(present)...)
}

func mismatches(members []api.Member) []string {
	hash := "" // of the node asked, else of the first that tells
	for _, m := range members {
		if m.ConfigHash != "" && (hash == "" || m.Self) {
			hash = m.ConfigHash
		}
	}
	var same, other []string
	for _, m := range members {
		switch m.ConfigHash {
		case "": // not told
		case hash:
			same = append(same, m.Name)
		default:
			other = append(other, m.Name)
		}
	}
	if len(other) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("config mismatch: %s %s another configuration than %s",
		list(other), verb(len(other), "runs", "run"), list(same))}
}

func twins(members []api.Member) []string {
	ids := map[string][]string{}
	for _, m := range members {
		ids[m.Name] = append(ids[m.Name], m.ID)
	}
	var problems []string
	for _, name := range slices.Sorted(maps.Keys(ids)) {
		if n := len(ids[name]); n > 1 {
			problems = append(problems, fmt.Sprintf("%d members are called %s (ids %s); give each its own --node.name", n, name, list(ids[name])))
		}
	}
	return problems
}

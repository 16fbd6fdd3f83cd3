//go:build cgo

package sqlite_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/sqlite"
)

func newsKeys(t *testing.T, s *sqlite.Store) map[breaker.Key]bool {
	t.Helper()
	got := map[breaker.Key]bool{}
	if err := s.News(t.Context(), func(r cooldownstore.Record) bool { got[r.Key] = true; return true }); err != nil {
		t.Fatalf("News: %v", err)
	}
	return got
}

// Rows of a state.db of the first schema are told apart by what more says they
// showed.
func TestFirstSchema(t *testing.T) {
	dir := t.TempDir()
	db := raw(t, dir)
	first, err := os.ReadFile("migrations/0001_breakers.sql")
	try(t, err)
	exec(t, db, string(first))
	for _, column := range []string{"author", "detail", "more"} {
		exec(t, db, "ALTER TABLE breaker_cooldowns ADD COLUMN "+column+" TEXT")
	}
	wall := time.Now()
	until := cooldownstore.EpochSeconds(wall.Add(time.Hour))
	more := fmt.Sprintf(`{"shown":%v,"cooldowns":[{"setter":"n1","stamp":144115188075855873,"until":%q,"length_ns":%d,"reason":"cli-open"}]}`,
		until, cooldownstore.FromEpochSeconds(until).Format(time.RFC3339Nano), time.Hour)
	for host, row := range map[string]struct {
		until float64
		more  any
	}{
		"ours": {until, more}, "changed": {until + 60, more}, "theirs": {until, nil}, "garbage": {until, "{"}, "text": {until, `{"shown":"x"}`},
		"cleared": {0, `{"shown":0,"clear":5,"clear_kept":"2999-01-01T00:00:00Z"}`},
	} {
		exec(t, db, "INSERT INTO breaker_cooldowns (host, until_wall, updated_at, more) VALUES (?, ?, ?, ?)", host, row.until, until-3600, row.more)
	}
	exec(t, db, "PRAGMA user_version = 1")
	db.Close()
	s := open(t, dir)
	got := newsKeys(t, s)
	if len(got) != 4 || got["host:ours"] || got["host:cleared"] {
		t.Errorf("after the migration the news is %v, want all but ours and what was cleared", got)
	}
	if ours := load(t, s, "host:ours", wall); len(ours.Cooldowns) != 1 || ours.Cooldowns[0].Stamp != 144115188075855873 {
		t.Errorf("our row reads %+v", ours)
	}
	if cleared := load(t, s, "host:cleared", wall); cleared.Clear != 5 {
		t.Errorf("the cleared row reads %+v", cleared)
	}
}

// However many rows are ours, looking for news reads none of them.
func TestNewsIsIndexed(t *testing.T) {
	b := newBench(t)
	for name, query := range map[string]string{"News": sqlite.NewsQuery, "the rows of others": sqlite.TheirsQuery} {
		rows, err := b.other.Query("EXPLAIN QUERY PLAN "+query, 1.0)
		if strings.Count(query, "?") == 0 {
			rows, err = b.other.Query("EXPLAIN QUERY PLAN " + query)
		}
		try(t, err)
		var plan string
		for rows.Next() {
			var id, parent, unused int
			var step string
			try(t, rows.Scan(&id, &parent, &unused, &step))
			plan += step + "\n"
		}
		rows.Close()
		if !strings.Contains(plan, "idx_cd_news") || strings.Contains(plan, "SCAN c\n") {
			t.Errorf("%s goes\n%s, want it by idx_cd_news", name, plan)
		}
	}
}

// What ended long ago is deleted, with a save, an hour after the start and then
// every hour; what still counts is not, nor are other programs' rows.
func TestPrune(t *testing.T) {
	b := newBench(t)
	pause := func(left time.Duration) breaker.Snapshot {
		return breaker.Snapshot{Cooldowns: []breaker.Cooldown{cooldown(5, left)}}
	}
	cleared := pause(time.Minute)
	cleared.Cooldowns[0].Stamp = 9
	cleared.Clear, cleared.ClearKept = 8, now.Add(breaker.KeepClear)
	for host, s := range map[string]breaker.Snapshot{
		"minute": pause(time.Minute), "month": pause(breaker.MaxOpen), "cleared": cleared,
		"circuit": {Circuit: breaker.Circuit{State: breaker.Open, Stamp: 5, Until: now.Add(time.Minute)}},
		"closed":  {Circuit: breaker.Circuit{Stamp: 5, Keep: now.Add(breaker.MaxOpen)}},
	} {
		save(t, b, breaker.HostKey(host), s, b.wall)
	}
	exec(t, b.other, replaceRow, "theirs", b.epoch(time.Minute), "", b.epoch(0))
	exec(t, b.other, replaceRow, "met", b.epoch(time.Minute), "", b.epoch(0))
	save(t, b, "host:met", breaker.Snapshot{}, b.wall) // notes it in breaker_foreign
	exec(t, b.other, replaceRow, "odd", 1e300, "", b.epoch(0))
	save(t, b, "host:odd", breaker.Snapshot{}, b.wall)
	exec(t, b.other, replaceRow, "gone", 1e299, "", b.epoch(0))
	save(t, b, "host:gone", breaker.Snapshot{}, b.wall)
	exec(t, b.other, "DELETE FROM breaker_cooldowns WHERE host = 'gone'")
	hosts := func(table string) (list string) {
		try(t, b.other.QueryRow("SELECT coalesce(group_concat(host, ' '), '') FROM (SELECT host FROM "+table+" WHERE host <> 'beside' ORDER BY host)").Scan(&list))
		return list
	}
	check := func(when, cooldowns, circuits, foreign string) {
		t.Helper()
		save(t, b, "host:beside", pause(time.Minute), b.wall)
		if a, c, f := hosts("breaker_cooldowns"), hosts("breaker_circuits"), hosts("breaker_foreign"); a != cooldowns || c != circuits || f != foreign {
			t.Errorf("%s there are the cooldowns %q, circuits %q, others' deadlines %q; want %q, %q, %q", when, a, c, f, cooldowns, circuits, foreign)
		}
	}
	start := b.wall
	b.wall = start.Add(sqlite.PruneEvery)
	check("after an hour", "cleared met minute month odd theirs", "circuit closed", "gone met odd")
	b.wall = start.Add(25*time.Hour + time.Minute)
	check("after a day", "cleared met month odd theirs", "closed", "gone odd")
	b.wall = start.Add(breaker.KeepClear + 23*time.Hour)
	check("after a month", "cleared met month odd theirs", "closed", "gone odd")
	b.wall = start.Add(breaker.KeepClear + 25*time.Hour)
	check("after a month and a day", "met odd theirs", "", "odd")
}

func TestPruneIsBounded(t *testing.T) {
	b := newBench(t)
	records := make([]cooldownstore.Record, sqlite.MaxPruned+10)
	for i := range records {
		s := breaker.Snapshot{Cooldowns: []breaker.Cooldown{cooldown(5, time.Minute)}}
		records[i] = cooldownstore.FromSnapshot(breaker.HostKey(fmt.Sprint("h", i)), s, now, b.wall)
	}
	try(t, b.Save(t.Context(), records, cooldownstore.SurvivesKill))
	b.wall = b.wall.Add(48 * time.Hour)
	for _, want := range []int{11, 1, 1} {
		save(t, b, "host:new", breaker.Snapshot{Clear: 1, ClearKept: now.Add(time.Hour)}, b.wall)
		var n int
		try(t, b.other.QueryRow("SELECT count(*) FROM breaker_cooldowns").Scan(&n))
		if n != want {
			t.Errorf("%d rows, want %d", n, want)
		}
	}
}

// TestPruneKeepsRecentHistory: a version that was in force for long stays in the
// history until it was out of force for long.
func TestPruneKeepsRecentHistory(t *testing.T) {
	b := newBench(t)
	lay := func(i int) {
		t.Helper()
		s := breaker.Snapshot{Overlays: []breaker.Overlay{{
			Register: breaker.RegisterOperator, Stamp: breaker.StampAt(b.wall), Fields: "fail_max:" + strconv.Itoa(i),
		}}}
		r := cooldownstore.FromSnapshot("host:a.example", s, 1, b.wall)
		try(t, b.Save(t.Context(), []cooldownstore.Record{r}, cooldownstore.SurvivesKill))
	}
	versions := func() int {
		t.Helper()
		list, err := b.Overlays(t.Context(), "host:a.example")
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	lay(1)
	b.wall = b.wall.Add(200 * 24 * time.Hour)
	lay(2)
	b.wall = b.wall.Add(2 * sqlite.PruneEvery)
	lay(3)
	if n := versions(); n != 3 {
		t.Errorf("%d versions are remembered, want 3: the first went out of force two hours ago", n)
	}
	b.wall = b.wall.Add(cooldownstore.KeepPastOverlays + time.Hour)
	lay(4)
	if n := versions(); n != 2 {
		t.Errorf("90 days later %d are, want 2: that in force, and the one before it", n)
	}
}

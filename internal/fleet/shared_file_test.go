package fleet_test

import (
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3" // of the third program

	"fleetfuse/internal/fleet"
)

// openThird opens a database as a program does that knows nothing of ours.
func openThird(t *testing.T, file string) *sql.DB {
	t.Helper()
	db := must(sql.Open("sqlite3", "file:"+(&url.URL{Path: file}).EscapedPath()+"?_busy_timeout=5000"))(t)
	t.Cleanup(func() { db.Close() })
	return db
}

// thirdWrites writes a row with the documented columns only.
func thirdWrites(t *testing.T, db *sql.DB, host string, left time.Duration) {
	t.Helper()
	must(db.ExecContext(t.Context(), "INSERT OR REPLACE INTO breaker_cooldowns (host, until_wall, reason, updated_at) VALUES (?, ?, ?, ?)",
		host, epoch(left), "third says so", epoch(0)))(t)
}

// awaitRow waits until the third program reads what is wanted of a host.
func awaitRow(t *testing.T, n *fleet.Node, db *sql.DB, host string, want func(documented) bool) {
	t.Helper()
	await(t, "the row of "+host, n, func() (bool, error) {
		var d documented
		err := db.QueryRowContext(t.Context(), "SELECT until_wall, reason FROM breaker_cooldowns WHERE host = ?", host).Scan(&d.UntilWall, &d.Reason)
		return err == nil && want(d), err
	})
}

// TestTwoClustersAndAThirdProgramShareAFile: processes of one machine.
func TestTwoClustersAndAThirdProgramShareAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "shared file?.db")
	store := []string{"--cooldown-store", "sqlite://" + file}
	a, b := startCluster(t, 1, store...)[0], startCluster(t, 2, store...)
	db := openThird(t, file)

	report(t, a, retryAfter("cooled.example.org", "300"))
	awaitAll(t, "a's Retry-After", "cooled.example.org", rejectedFor("retry-after"), b...)
	awaitRow(t, a, db, "cooled.example.org", func(d documented) bool { return runs(d) && d.Reason == "retry-after" })

	thirdWrites(t, db, "third.example.org", 5*time.Minute)
	awaitAll(t, "the third program's cooldown", "third.example.org", rejectedFor("store"), append(b, a)...)

	for _, until := range []float64{0, epoch(time.Second)} { // it has no say in ours
		must(db.ExecContext(t.Context(), "UPDATE breaker_cooldowns SET until_wall = ?, updated_at = ? WHERE host = ?", until, epoch(0), "cooled.example.org"))(t)
		awaitRow(t, a, db, "cooled.example.org", func(d documented) bool { return d.UntilWall > epoch(time.Minute) })
	}
	for _, host := range []string{"cooled.example.org", "third.example.org"} {
		must(b[0].Close(t.Context(), host))(t)
		awaitAll(t, "b's operator's close", host, closed, append(b, a)...)
		awaitRow(t, a, db, host, cleared)
	}
}

// TestAThirdProgramWritesIntoANodesOwnDatabase: the owner cannot read that
// file, and obeys.
func TestAThirdProgramWritesIntoANodesOwnDatabase(t *testing.T) {
	nodes := startCluster(t, 3)
	host := must(nodes[0].OwnHost(t.Context(), "own"))(t)
	db := openThird(t, filepath.Join(nodes[1].DataDir, "state.db"))
	tx := must(db.BeginTx(t.Context(), nil))(t)
	for i := range 3000 { // what is over does not keep anybody from what is not
		must(tx.ExecContext(t.Context(), "INSERT INTO breaker_cooldowns (host, until_wall, reason, updated_at) VALUES (?, ?, ?, ?)",
			fmt.Sprintf("over-%d.example.org", i), epoch(-time.Second), "over", epoch(-time.Minute)))(t)
	}
	succeed(t, tx.Commit())
	thirdWrites(t, db, host, 5*time.Minute)
	took := awaitAll(t, "the third program's cooldown", host, rejectedFor("store"), nodes...)
	t.Logf("all reject %v after it was written", took)

	report(t, nodes[1], retryAfter("ours.example.org", "300"))
	awaitRow(t, nodes[2], openThird(t, filepath.Join(nodes[2].DataDir, "state.db")), "ours.example.org", runs)
	must(db.ExecContext(t.Context(), "UPDATE breaker_cooldowns SET until_wall = 0 WHERE host = 'ours.example.org'"))(t)
	awaitRow(t, nodes[1], db, "ours.example.org", runs)
	must(nodes[2].Close(t.Context(), host))(t)
	awaitAll(t, "an operator's close", host, closed, nodes...)
	awaitRow(t, nodes[1], db, host, cleared)
}

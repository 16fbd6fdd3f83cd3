// Package sqlite keeps breakers in a SQLite file: a Store is the state.db of a
// node's data directory, a Shared a file in which several processes of one
// machine share cooldowns.
//
// Other programs may read and write the table breaker_cooldowns (host,
// until_wall, reason, updated_at) in both. A row of ours shows the longest
// cooldown in these columns and carries the whole truth in the column more. The
// column shown repeats the until_wall that goes with it: a row whose until_wall
// differs was changed by another program, and that is then one more cooldown of
// its own.
package sqlite

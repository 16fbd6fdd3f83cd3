// Package sqlite keeps breakers in a SQLite file: state.db of a node's data
// directory, or a file that several processes of one machine share.
//
// Other programs may read and write the table breaker_cooldowns (host,
// until_wall, reason, updated_at). A row of ours shows the longest cooldown in
// these columns and carries the whole truth in the column more, with the
// until_wall it goes with: a row whose until_wall differs was changed by
// another program, and that is then one more cooldown of its own.
package sqlite

// Package redis shares cooldowns through a Redis server, sentinels or a
// cluster.
//
// A key <prefix>breaker:cooldown:<host> (a resolver's is
// breaker:cooldown:resolver:NAME) holds a JSON object with a time to live by the
// server's clock. Of it {"until_wall": <epoch seconds>, "reason": "…"} is
// documented for other programs, which may read and write it; the rest is ours.
// Who changes a key publishes the key on <prefix>breaker:cooldown:events.
//
// What two words about one key amount to is decided in one place for all
// adapters, cooldownstore.SharedValues, so not in Lua, which has neither our
// merge nor 64-bit stamps. The one script replaces a value if it still is what
// the merge started from, writes, sets the time to live and announces, in one
// atomic step; otherwise it says what is there now, and the merge is done again.
// It touches one key and so runs on a cluster too. A key that is not there yet
// takes one round trip, one that is takes two; both are pipelined.
package redis

package simulation_test

// sharedPlants are bugs in what the fleet and a shared store tell each other.
var sharedPlants = []plant{
	{
		name: "an absent key is taken for a clear", file: "cooldownstore/sharing/rules.go",
		was: `			missing = append(missing, x)`,
		now: `			cleared := breaker.Snapshot{Clear: x.Snapshot.MaxStamp(), ClearKept: now.Add(breaker.KeepClear)}
			missing = append(missing, spread.Entry{Key: x.Key, Snapshot: cleared})`,
	},
	{
		name: "until_wall 0 is taken for a clear", file: "cooldownstore/shared_values.go",
		was: `	if found.UntilWall <= 0 ||`,
		now: `	if found.UntilWall == 0 && found.More == nil {
		w.Snapshot.Clear, w.ClearKept = breaker.StampAt(wall), wall.Add(breaker.KeepClear)
	}
	if found.UntilWall <= 0 ||`,
	},
	{
		name: "a circuit is written to the place", file: "cooldownstore/shared.go",
		was: `	s.Circuit, s.Renewed, s.Overlays = breaker.Circuit{}, 0, nil`,
		now: `	if c := s.Circuit; c.State == breaker.Open {
		s = s.Clone()
		s.Cooldowns = append(s.Cooldowns, breaker.Cooldown{Setter: "n1", Stamp: c.Stamp, Until: c.Until, Length: time.Minute, Reason: breaker.ReasonRetryAfter})
	}
	s.Circuit, s.Renewed, s.Overlays = breaker.Circuit{}, 0, nil`,
	},
	{
		name: "a clear is not written", file: "cooldownstore/sharing/rules.go",
		was: `	part = cooldownstore.SharedPart(snap)`,
		now: `	part = cooldownstore.SharedPart(snap)
	part.Clear, part.ClearKept = 0, 0`,
	},
	{
		name: "what a listing lacks is not written", file: "cooldownstore/sharing/rules.go",
		was: `_, ok := seen[x.Key]; !ok &&`,
		now: `_, ok := seen[x.Key]; ok &&`,
	},
	{
		name: "an outbox that failed is not tried again", file: "cooldownstore/queue.go",
		was: `		q.due = now.Add(q.backoff)`,
		now: `		q.due = now.Add(time.Hour)`,
	},
	{
		name: "another program's deadline replaces what was there", file: "cluster/spread/share.go",
		was: `	s = n.view.Hear(now, x.Key, s)`,
		now: `	s = n.view.Hear(now, x.Key, s)
	for _, c := range s.Cooldowns {
		if c.Reason == breaker.ReasonStore {
			s.Clear, s.ClearKept = c.Stamp-1, now.Add(breaker.KeepClear)
		}
	}`,
	},
	{
		name: "another program's deadline that is read again looks new", file: "cooldownstore/shared_seen.go",
		was: `	if i := k.find(until); i >= 0 {
		d := &k.deadlines[i]
		if d.at.IsZero() { // known by hearsay
			d.at = now
		}
		return *d
	}
	k.last = max(breaker.StampAt(now), k.clear+1, k.last+1)
	d := sighting{until: until, at: now, stamp: k.last, covered: slices.ContainsFunc(k.about, isAbout(until))}`,
		now: `	k.last = max(breaker.StampAt(now), k.clear+1, k.last+1)
	d := sighting{until: until, at: now, stamp: k.last}`,
	},
	{
		name: "what was seen of other programs is not kept", file: "cooldownstore/shared_sightings.go",
		was: `s.UntilWall > now && matters(s.Key)`,
		now: `s.UntilWall > now && !matters(s.Key)`,
	},
	{
		name: "a store that cannot be read is not said", file: "cooldownstore/sharing/condition.go",
		was: `	if c.err = err; err != nil {`,
		now: `	if err != nil {`,
	},
	{
		name: "since when a store is away starts over", file: "cooldownstore/sharing/condition.go",
		was: `	if err != nil && c.err == nil {`,
		now: `	if err != nil {`,
	},
	{
		name: "a close of this cluster that the place brings spares circuits", file: "cluster/spread/share.go",
		was: `reached && n.doubtful(`,
		now: `reached && c.Stamp == 1 && n.doubtful(`,
	},
}

package simulation_test

// wordPlants are bugs in how operators' words are carried out.
var wordPlants = []plant{
	{
		name: "a word that nobody waits for is carried out", file: "cluster/spread/challenge.go", disputed: true,
		was: `return until, c.Life == n.opt.FirstID && made <= now && now < until`,
		now: `return until, true`,
	},
	{
		name: "who stands in for an owner does not know that it was asked", file: "cluster/words/owner.go", disputed: true,
		was: `change.Again = true`,
		now: `change.Again = false`,
	},
	{
		name: "who holds a change does not look at what it knows", file: "cluster/words/holder.go", disputed: true,
		was: `if foreseen || k.Stamp > o.Stamp && !was(o) {`,
		now: `if _, _ = foreseen, was; false {`,
	},
	{
		name: "what is written behind takes away what was just committed", file: "simulation/disk.go", // in production: package node
		was: `d.node.committed.With(key, d.node.spread.View().Of(key))`,
		now: `d.node.spread.View().Of(key)`,
	},
	{
		name: "a change is held while another one is decided", file: "simulation/commit.go", disputed: true, // in production: package node
		was: `news && busy {`,
		now: `news && busy && false {`,
	},
}

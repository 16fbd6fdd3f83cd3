// Package simulation runs whole fleets in virtual time: one goroutine, one
// seed. A World joins the pure packages of production (breaker, gate, spread,
// words, view, placement, travel, the records of cooldownstore) by a simulated
// network, simulated clocks, disks, machines, hosts and workers, and injects the faults
// the real world has. While it runs, checkers hold it to the promises of
// DESIGN.md. The same commit and seed give the same Hash.
//
//	w := simulation.New(simulation.Random(seed))
//	w.Run()
//	for _, v := range w.Violations() { … }
//
// A reader finds:
//
//   - world.go, queue.go: virtual time and its events;
//   - node.go, actor.go, serve.go, commit.go: what package node and package actors do,
//     carried out in one goroutine;
//   - clock.go, network.go, membership.go, disk.go: what can fail;
//   - host.go, worker.go: who calls whom, and what comes of it;
//   - plan.go, random.go, disputed.go: what a world consists of, and when what fails;
//   - check*.go: the promises, check_list.go lists them; sometimes.go: the
//     states that a campaign must have seen;
//   - campaign.go, shrink*.go: very many seeds, and what is left of one that
//     fails; plant_list_test.go: the bugs that must be found;
//   - scenario*.go, report*.go: worlds that people write, and what came of them.
package simulation

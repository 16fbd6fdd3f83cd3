// Package canary decides whether a change of policy that is on trial stays.
//
// Choose picks the hosts on which a change is tried first. Begin measures what
// was usual before the change, and Update takes what was seen since, one
// interval at a time, until the State says Promote or Rollback. What is compared
// is the cost per interval, in any unit: of treated hosts less that of control
// hosts (Others), or of one host alone (Own), now and before. Under Others the
// control may also be a replay of the old policy on the calls of the treated
// hosts; as it sees the same outages, it tells by far the most.
//
// # The test
//
// Two mixture sequential probability ratio tests run at once: one looks for
// cost that rose at all (then the change is rolled back, whenever that is), one
// for proof that it did not rise by more than Tolerance (then it is promoted,
// once Least and Opens are reached). Both may be looked at after every interval
// without spoiling their error rates. What is neither by the Limit is rolled back:
// the old policy is the one whose cost is known.
//
// A textbook mSPRT takes normal differences of known variance. Costs of outages
// are not like that, and it then raises false alarms (the table of
// TestFalseAlarmsAndPower shows how many). So the likelihood ratio against "no
// worse" is 1 + λx, where x is how far the difference is above what is usual,
// as a part of the lowest it can be. Its mean is at most 1 for every distribution
// whose mean is not worse, and a product of such ratios, mixed over some λ, exceeds
// 1/α at any time with a chance of at most α. λ is mixed over a few stakes, as
// changes are small or large.
//
//	Robbins, Statistical methods related to the law of the iterated logarithm, 1970: mixtures
//	Ville, Étude critique de la notion de collectif, 1939: the bound 1/α
//	Johari, Pekelis and Walsh, Always valid inference, 2015: mSPRT for experiments that are watched
//	Waudby-Smith and Ramdas, Estimating means of bounded random variables by betting, 2024: 1 + λx
//
// # What makes it robust
//
//   - Costs are winsorized at twice what 19 of 20 costly intervals before the change
//     stayed below, the same for both sides, and so are differences. Means are of
//     what is left; what Tolerance makes of them is measured on the past.
//   - What was usual is known from a sample only: half of Alpha is spent on how far
//     off its mean may be (Wilson's interval).
//   - Outages last, so the intervals of one say little more than one would. They are
//     judged in blocks as long as differences before the change were alike.
//   - What is not a number, idle intervals and, under Others, intervals that cost
//     neither side anything take time and say nothing.
//   - Begin refuses a past in which too little happened to tell anything by.
//
// A host that has few outages a day and is held against its own past is mostly
// undecided after a day, whatever the change did: no test can tell a doubled
// cost from six outages.
package canary

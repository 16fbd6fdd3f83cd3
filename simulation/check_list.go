package simulation

// A Class says when a promise must hold.
type Class uint8

// The classes.
const (
	Always     Class = iota
	Eventually       // after everything was put right
	Measured         // a figure, not a promise
)

func (c Class) String() string {
	return [...]string{"always", "eventually after heal", "measured"}[c]
}

// A Check is a promise that worlds are held to, or a figure they give.
type Check struct {
	Name    string // as violations have it
	Class   Class
	Promise string
}

// Checks lists the promises and the figures, for people.
func Checks() []Check {
	return []Check{
		{"nothing is called before a deadline", Always, "a Retry-After or an operator's open holds on every node that could hear of it, also after a restart"},
		{"a deadline never moves", Always, "each node's deadline is the setter's, but for what messages travelled; clocks that step move none"},
		{"what is on disk comes back", Always, "a restart brings back every clear, overlay, circuit and deadline that was written"},
		{"what is acknowledged is on its disks", Always, "a close, or a change of a policy, is on as many disks as it says, where no power loss takes it"},
		{"what is believed is on disk", Always, "a second after it changed, on each node whose disk works"},
		{"limits", Always, "cooldowns, opens, permits and refusals are as long as their policy allows"},
		{"stamps are monotone", Always, "no node goes back to an older clear, circuit or policy"},
		{"a close stays closed", Always, "nothing from before an operator's close rejects after it"},
		{"a word reaches everyone", Always, "an acknowledged word is known to every node that nothing happened to"},
		{"legal transitions", Always, "closed to open to half-open to open or closed, and nothing else"},
		{"a trip has its witnesses", Always, "a counted trip names enough nodes, whose calls failed, and was asked about"},
		{"a run is what happened", Always, "a trip rests on failures that happened since the last success and transition, each counted once"},
		{"a lost report leaves a gap", Always, "what follows a report that was not acknowledged says that something is missing"},
		{"a success refuses a trip", Always, "no run trips across a success that a member knew of when it was asked"},
		{"witnesses tell the truth", Always, "no success looks younger than it was"},
		{"a lost member stays known", Always, "a node cut off needs as many witnesses as before"},
		{"healing never opens the fleet", Always, "what a sick zone opened rejects on the others for at most 2 s after the heal"},
		{"an owner acts for its keys", Always, "each key that is not closed has an actor at its owner"},
		{"old and neutral outcomes are ignored", Always, "calls from before the last transition, and neutral ones, move nothing"},
		{"probe budget", Always, "an owner hands out at most trial_calls permits a role"},
		{"a repeat gets the same permit", Always, "a question whose answer was lost gets the permit that is out"},
		{"every permit comes back", Always, "a permit expires only while its call is under way"},
		{"a recovery has its probes", Always, "success_threshold probes of the role that tripped close a breaker"},
		{"never full traffic while not closed", Always, "a call without a permit is made only if the breaker is closed"},
		{"no herd at the end of a cooldown", Always, "until a probe succeeded no more than trial_calls a role are under way"},
		{"bounded witness rounds", Always, "at most 8 rounds a second and breaker"},
		{"nothing is rejected without a cause", Always, "a rejection has a breaker that is not closed, or a failure here since the last close"},
		{"a change does not conflict with itself", Always, "who asks for a change again is not told that it was somebody else's"},
		{"no change is lost to another", Always, "of two changes made from one version one is acknowledged, unless the network was split or loses messages"},
		{"overlays fit", Always, "what an operator laid is obeyed"},
		{"a message can travel", Always, "every message has a wire form"},
		{"circuits never reach the shared store", Always, "cooldowns and operators' opens do, that somebody believed in"},
		{"a deadline of another program is obeyed", Always, "who reads it in the shared store rejects as long, also where it is shorter than another or was written over ours"},
		{"what a clear ended is never adopted again", Always, "a deadline of another program that a close ended stays ended, however often its program repeats it"},
		{"a decision never waits for the shared store", Always, "a node that starts decides within 14 s, and after that nothing is asked of the store first"},
		{"clusters do not storm the shared store", Always, "who believes nothing new writes a key at most 20 times in 5 s, whatever others make of it"},
		{"a word can be shared", Always, "every cooldown has a form in the shared store"},
		{"accounting is closed", Always, "every call is allowed or rejected, and every failure counted once"},
		{"bounded memory", Always, "a node keeps no more entries, actors and requests than there are hosts and calls"},
		{"members agree after healing", Eventually, "every node sees all others"},
		{"views agree after healing", Eventually, "every node believes the same of every breaker"},
		{"one owner after healing", Eventually, "exactly one node owns a key, and only it has an actor"},
		{"a healthy host is called again", Eventually, "nothing healthy stays open or half-open"},
		{"no acknowledged policy is lost", Eventually, "also after crashes, unless every disk with a copy was wiped"},
		{"no acknowledged close is lost", Eventually, "also after crashes, unless every disk with a copy was wiped"},
		{"the policy in force is what was laid", Eventually, "temporary fields end, later versions replace earlier ones"},
		{"what is due is forgotten", Eventually, "entries go 10 minutes after their deadline"},
		{"a store that is away is said to be", Eventually, "degraded and since when, within 15 s; and that it works, within 15 s of its return"},
		{"a close reaches the shared store", Eventually, "15 s after an owner knows of a close the store says nothing of what it ended"},
		{"the outbox drains", Eventually, "15 s after the shared store is back nothing waits"},
		{"what is acknowledged is in the shared store", Eventually, "15 s after it is back, was emptied or lost its last writes it holds each cooldown that runs, or a later one"},
		{"overshoot", Measured, "calls of a host that went down before a breaker rejected"},
		{"witness rounds", Measured, "rounds a trip"},
		{"messages", Measured, "messages between nodes a call"},
	}
}

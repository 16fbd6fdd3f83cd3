package node

import (
	"context"
	"time"
)

// settleLimit is how long an answer waits for the disk.
const settleLimit = 100 * time.Millisecond

// settle has written what waits only for its turn: an operator's word is on disk
// when it is acknowledged, but the actor tells it again, and for some milliseconds
// that would look as if no disk had it. While the store fails nobody waits.
func (n *Node) settle(ctx context.Context) {
	if h := n.keeper.Health(); !h.OK || h.Pending == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	_ = n.keeper.Flush(ctx) // what is not written is shown as not durable
}

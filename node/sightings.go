package node

import (
	"context"
	"encoding/json"
	"log/slog"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cooldownstore"
)

// metaSightings names the store's value that holds what a node remembers of
// other programs' deadlines in the shared store.
const metaSightings = "sightings"

// recallSightings takes in what an earlier process remembered.
func (n *Node) recallSightings(ctx context.Context) error {
	text, err := n.store.Meta(ctx, metaSightings)
	if err != nil || text == "" {
		return err
	}
	var list []cooldownstore.Sighting
	if err := json.Unmarshal([]byte(text), &list); err != nil { // no harm: what it held looks new once more
		n.opt.Logger.Warn("what was remembered of other programs is ignored", slog.Any("err", err))
		return nil
	}
	n.opt.Shared.Values().Recall(list)
	n.sharing.kept = text
	return nil
}

// cover notes deadlines of other programs that a clear ended, as members told. The
// listing that follows keeps them: whose process is killed must not obey them anew.
func (s *sharing) cover(list []spread.Cooled) {
	for _, x := range list {
		s.place.Values().Cover(x.Key, s.board.clock.Wall(x.Cooldown.Until))
	}
	if len(list) > 0 {
		s.relist()
	}
}

// keepSightings writes what is remembered of the keys that an operator closed,
// if it changed.
func (s *sharing) keepSightings() {
	_, wall := s.board.clock.Both()
	list := s.place.Values().Sightings(wall, func(key breaker.Key) bool { return s.board.Of(key).Clear != 0 })
	var text []byte
	if len(list) > 0 {
		var err error
		if text, err = json.Marshal(list); err != nil { // a stamp or a time no clock shows
			s.logger.Warn("what is remembered of other programs is not kept", slog.Any("err", err))
			return
		}
	}
	if string(text) == s.kept {
		return
	}
	s.kept = string(text)
	s.board.notes.put(metaSightings, s.kept)
}

package words

import "fleetfuse/breaker"

// Committed are words that are on this node's disk, or on their way there, and not
// in its view yet: another member is asked to hold them first. What is written of
// their keys meanwhile has to keep them: who is killed when they were just
// acknowledged must not have forgotten them. The zero value is ready; it is not safe
// for concurrent use.
type Committed struct {
	words map[breaker.Key]breaker.Snapshot
}

// Begin notes a word that is about to be committed.
func (c *Committed) Begin(key breaker.Key, s breaker.Snapshot) {
	if c.words == nil {
		c.words = map[breaker.Key]breaker.Snapshot{}
	}
	all := c.words[key]
	all.Merge(s)
	c.words[key] = all
}

// Pending reports whether words on a key are on their way.
func (c *Committed) Pending(key breaker.Key) bool { _, ok := c.words[key]; return ok }

// GiveUp forgets the words on a key: they are not carried out.
func (c *Committed) GiveUp(key breaker.Key) { delete(c.words, key) }

// With is what is to be written of a key while the view holds that. A word that the
// view holds, or something later, is forgotten.
func (c *Committed) With(key breaker.Key, view breaker.Snapshot) breaker.Snapshot {
	word, ok := c.words[key]
	if !ok {
		return view
	}
	all := view.Clone()
	if !all.Merge(word) {
		delete(c.words, key)
	}
	return all
}

package redis

// ListAtMost bounds a listing.
func (s *Store) ListAtMost(keys int) { s.most = keys }

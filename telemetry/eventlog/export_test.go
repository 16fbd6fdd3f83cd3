//go:build cgo

package eventlog

import "fmt"

// Pages limits the file to so many pages: a disk that is full.
func (o Options) Pages(n int) Options {
	o.maxPages = n
	return o
}

// SetPages makes the disk larger or smaller.
func (l *Log) SetPages(n int) error {
	l.mu.Lock()
	s := l.store
	l.mu.Unlock()
	rows, err := s.write.Query(fmt.Sprintf("PRAGMA max_page_count=%d", n))
	if err != nil {
		return err
	}
	return rows.Close()
}

// Flying counts the events that are being written at this moment.
func (l *Log) Flying() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.write.flying)
}

package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

const (
	// batch bounds the commands of a pipeline: all are answered within one
	// timeout.
	batch = 1000
	// maxRounds bounds how often a change is merged again because another
	// writer was faster.
	maxRounds = 100
)

// replace writes a value if what is there is what the writer merged with, and
// says what is there otherwise. What is there is named by a token, which stands
// for a value too long to send, or of another type, as well; "" is nothing.
//
//	KEYS[1] key · ARGV token, value, time to live in ms, channel, longest value
//	returns {} if written, else {token, time to live in ms, value or ""}
var replace = redis.NewScript(`
local kind = redis.call('TYPE', KEYS[1]).ok
local value, token = '', ''
if kind == 'string' then value = redis.call('GET', KEYS[1]) end
if kind ~= 'none' then token = redis.sha1hex(kind .. value) end
if token ~= ARGV[1] then
  if #value > tonumber(ARGV[5]) then value = '' end
  return {token, redis.call('PTTL', KEYS[1]), value}
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.pcall('PUBLISH', ARGV[4], KEYS[1])
return {}
`)

// unread is a token of nothing: who has nothing to write unless there is something
// to take away asks what is there.
const unread = "unread"

// A change is a word on its way into its key.
type change struct {
	word  cooldownstore.SharedWord
	key   string
	token string // of what is there, as far as known
	found cooldownstore.SharedPlace
	read  bool // what is there was found
	cmd   *redis.Cmd
}

// Put implements cooldownstore.Shared.
func (s *Store) Put(ctx context.Context, words []cooldownstore.SharedWord) error {
	turns, err := s.changes(words)
	for i := 0; err == nil && i < len(turns); i++ {
		err = s.put(ctx, turns[i])
	}
	if err != nil {
		return s.fail(ctx, "put "+cooldownstore.SharedKeys(words), err)
	}
	return nil
}

// put writes changes of different keys.
func (s *Store) put(ctx context.Context, changes []*change) error {
	for round := 0; len(changes) > 0; round++ {
		if round == maxRounds {
			return fmt.Errorf("%s was changed by others %d times meanwhile", changes[0].word.Key, maxRounds)
		}
		var again []*change
		for some := range slices.Chunk(changes, batch) {
			more, err := s.replace(ctx, some)
			if err != nil {
				return err
			}
			again = append(again, more...)
		}
		changes = again
	}
	return nil
}

// changes are the words as changes, in turns: of one key a later word comes a
// turn later, because each is joined into what is there, see SharedWord.Merge.
func (s *Store) changes(words []cooldownstore.SharedWord) (turns [][]*change, err error) {
	before := make(map[breaker.Key]int, len(words)) // words of the key
	for _, w := range words {
		name := cooldownstore.SharedName(w.Key)
		if !cooldownstore.Sharable(w.Key) {
			return nil, fmt.Errorf("%q: %w", w.Key, breaker.ErrBadKey)
		}
		turn := before[w.Key]
		before[w.Key]++
		if turn == len(turns) {
			turns = append(turns, nil)
		}
		turns[turn] = append(turns[turn], &change{word: w, key: s.keys + name})
	}
	return turns, nil
}

// replace tries to write changes and returns those that others came before.
func (s *Store) replace(ctx context.Context, changes []*change) (again []*change, err error) {
	sent, err := s.send(ctx, changes, replace.EvalSha)
	if err != nil {
		return nil, err
	}
	var unknown []*change
	for _, c := range sent {
		if redis.HasErrorPrefix(c.cmd.Err(), "NOSCRIPT") {
			unknown = append(unknown, c)
		}
	}
	if len(unknown) > 0 { // the server was restarted, or is new
		if _, err := s.send(ctx, unknown, replace.Eval); err != nil {
			return nil, err
		}
	}
	for _, c := range sent {
		done, err := c.answer()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.word.Key, err)
		}
		if !done {
			again = append(again, c)
		}
	}
	return again, nil
}

type call func(ctx context.Context, c redis.Scripter, keys []string, args ...any) *redis.Cmd

// send sends what is to be written, in one pipeline, and returns what it sent:
// some changes change nothing. Errors of single commands are with them.
func (s *Store) send(ctx context.Context, changes []*change, eval call) (sent []*change, err error) {
	pipe := s.client.Pipeline()
	now := time.Now()
	for _, c := range changes {
		value, ttl, err := s.values.Write(c.word, c.found, now)
		if err != nil {
			return nil, err
		}
		token := c.token
		if value == "" {
			if c.read || !c.word.Over(now) {
				continue
			}
			token = unread
		}
		c.cmd = eval(ctx, pipe, []string{c.key}, token, value, max(ttl.Milliseconds(), 1), s.events, cooldownstore.MaxSharedBytes)
		sent = append(sent, c)
	}
	if len(sent) == 0 {
		return nil, s.usable(ctx)
	}
	if _, err := exec(ctx, pipe); err != nil {
		return nil, err
	}
	return sent, nil
}

// answer reads what the script returned: true if it wrote.
func (c *change) answer() (done bool, err error) {
	found, err := c.cmd.Slice()
	if err != nil || len(found) == 0 {
		return err == nil, err
	}
	if len(found) != 3 {
		return false, errors.New("the script's answer is not one of ours")
	}
	token, _ := found[0].(string)
	left, _ := found[1].(int64)
	value, _ := found[2].(string)
	c.token, c.read = token, true
	c.found = cooldownstore.SharedPlace{Value: value, Left: time.Duration(left) * time.Millisecond}
	if token == "" {
		c.found = cooldownstore.SharedPlace{} // it expired meanwhile
	}
	return false, nil
}

// exec sends a pipeline. Errors of single commands are with them; an error
// that is with none, such as a wrong password, is of the connection and means
// that nothing was sent.
func exec(ctx context.Context, pipe redis.Pipeliner) ([]redis.Cmder, error) {
	cmds, err := pipe.Exec(ctx)
	if err != nil && slices.ContainsFunc(cmds, func(c redis.Cmder) bool { return c.Err() != nil }) {
		err = nil
	}
	return cmds, err
}

// isAnswer reports whether an error is the server's answer to a command.
func isAnswer(err error) bool {
	var answer redis.Error
	return errors.As(err, &answer) && !strings.HasPrefix(err.Error(), "redis: ")
}

package fleet

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// A RedisError is an error that a redis-server answered.
type RedisError string

func (e RedisError) Error() string { return string(e) }

// Exchange sends commands to a redis-server in one go, on a connection of their
// own, and reads an answer to each: string, int64, nil, []any or RedisError. It
// shares no code with a node's client: it stands for programs of other people.
func Exchange(ctx context.Context, address string, commands ...[]string) ([]any, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	sent := make(chan error, 1)
	go func() { sent <- writeCommands(conn, commands) }() // meanwhile answers are read: they may fill every buffer
	in := bufio.NewReader(conn)
	answers := make([]any, len(commands))
	for i := range answers {
		if answers[i], err = answer(in); err != nil {
			conn.Close() // ends what is still being sent
			return nil, errors.Join(fmt.Errorf("redis-server at %s: %w", address, err), <-sent, ctx.Err())
		}
	}
	return answers, <-sent
}

// writeCommands writes each as an array of strings.
func writeCommands(w io.Writer, commands [][]string) error {
	out := bufio.NewWriter(w)
	for _, words := range commands {
		fmt.Fprintf(out, "*%d\r\n", len(words))
		for _, word := range words {
			fmt.Fprintf(out, "$%d\r\n%s\r\n", len(word), word)
		}
	}
	return out.Flush()
}

// answer reads one answer. The sender is a server that this process started:
// lengths are believed.
func answer(in *bufio.Reader) (any, error) {
	line, err := in.ReadString('\n')
	if err != nil || len(line) < len("+\r\n") {
		return nil, errors.Join(err, fmt.Errorf("its answer begins with %q", line))
	}
	kind, text := line[0], line[1:len(line)-2]
	switch kind {
	case '+':
		return text, nil
	case '-':
		return RedisError(text), nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil || kind == ':':
		return n, err
	case n < 0:
		return nil, nil
	case kind == '$':
		bytes := make([]byte, n+2)
		_, err := io.ReadFull(in, bytes)
		return string(bytes[:n]), err
	case kind != '*':
		return nil, fmt.Errorf("its answer begins with %q", line)
	}
	list := make([]any, n)
	for i := range list {
		if list[i], err = answer(in); err != nil {
			return nil, err
		}
	}
	return list, nil
}

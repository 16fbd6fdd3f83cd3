package cluster

import (
	"bytes"
	"encoding/base64"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/memberlist"
	"google.golang.org/protobuf/proto"

	"fleetfuse/wire"
)

// A foreigner is a bare memberlist node that tells what it is told to.
type foreigner struct {
	memberlist.Delegate
	meta *wire.Meta
}

func (f foreigner) NodeMeta(int) []byte {
	b, _ := proto.Marshal(f.meta)
	return b
}
func (foreigner) NotifyMsg([]byte)                {}
func (foreigner) GetBroadcasts(int, int) [][]byte { return nil }
func (foreigner) LocalState(bool) []byte          { return nil }
func (foreigner) MergeRemoteState([]byte, bool)   {}

func startForeigner(t *testing.T, transport memberlist.Transport, process string, meta *wire.Meta) *memberlist.Memberlist {
	t.Helper()
	c := memberlist.DefaultLocalConfig()
	c.Name, c.Transport, c.Delegate, c.Logger = process, transport, foreigner{meta: meta}, log.New(io.Discard, "", 0)
	list, err := memberlist.Create(c)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// hung is a member whose actor port accepts connections and never replies.
func hung(t *testing.T, at *realNode) (id string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	transport, err := memberlist.NewNetTransport(&memberlist.NetTransportConfig{BindAddrs: []string{"127.0.0.1"}, Logger: log.New(io.Discard, "", 0)})
	if err != nil {
		t.Fatal(err)
	}
	list := startForeigner(t, transport, "hung#1", &wire.Meta{Protocol: 1, Id: "hung", Epoch: 1, ActorAddress: l.Addr().String()})
	t.Cleanup(func() { _ = list.Shutdown() })
	if _, err := list.Join([]string{at.GossipAddress()}); err != nil {
		t.Fatal(err)
	}
	return "hung"
}

func TestOtherProtocolIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric()
		var out lockedBuffer
		all := fleet(t, f, 2, func(o *Options) { o.Logger = textLogger(&out) })
		later := startForeigner(t, f.port(), "z#1", &wire.Meta{Protocol: 2, Id: "z", Epoch: 1, Name: "late", ActorAddress: "127.0.0.1:1"})
		if _, err := later.Join([]string{all[0].port.addr}); err != nil {
			t.Log(err)
		}
		until(t, 5*time.Second, "it is counted", func() bool { return all[0].counts.read().RefusedProtocol > 0 })
		time.Sleep(10 * time.Second)
		if !agree(all) {
			t.Errorf("live = %v, want the two of protocol 1", all[0].told().live)
		}
		if want := "node z (late) speaks protocol 2, this node 1; upgrade this node"; !strings.Contains(out.String(), want) {
			t.Errorf("the log is\n%s\nwant %q in it", out.String(), want)
		}
		_ = later.Shutdown()
		end(all...)
	})
}

func TestPretendersAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric()
		all := fleet(t, f, 1, nil)
		for process, meta := range map[string]*wire.Meta{
			"a#1": {Protocol: 1, Id: "b", Epoch: 1, ActorAddress: "127.0.0.1:1"},
			"c#5": {Protocol: 1, Id: "c", Epoch: 4, ActorAddress: "127.0.0.1:1"},
			"d#1": {Protocol: 1, Id: "d", Epoch: 1, ActorAddress: "nowhere"},
			"e":   {Protocol: 1, Id: "e", Epoch: 1, ActorAddress: "127.0.0.1:1"},
			"f#1": {Protocol: 1, Id: "f", Epoch: 1 << 63, ActorAddress: "127.0.0.1:1"},
		} {
			before := all[0].counts.read().RefusedMalformed
			list := startForeigner(t, f.port(), process, meta)
			_, _ = list.Join([]string{all[0].port.addr})
			until(t, time.Second, process+" is counted", func() bool { return all[0].counts.read().RefusedMalformed > before })
			_ = list.Shutdown()
		}
		if !all[0].sees("n1#1") {
			t.Errorf("live = %v, want n1 alone", all[0].told().live)
		}
		end(all...)
	})
}

func TestOtherLabelIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric()
		east := f.fellow(t, "n1", 1, func(o *Options) { o.Gossip.Label = "east" })
		west := f.fellow(t, "n2", 1, func(o *Options) { o.Gossip.Label = "west" })
		none := f.fellow(t, "n3", 1, nil)
		time.Sleep(10 * time.Second)
		if !east.sees("n1#1") || !west.sees("n2#1") || !none.sees("n3#1") {
			t.Errorf("clusters of other labels met: %v %v %v", east.told().live, west.told().live, none.told().live)
		}
		if east.counts.read().RefusedLabel == 0 {
			t.Error("RefusedLabel = 0, want the attempts counted")
		}
		end(east, west, none)
	})
}

// writeKeys writes a keyring file of keys that are one byte repeated.
func writeKeys(t *testing.T, path string, keys ...byte) {
	t.Helper()
	text := "# keys of a test\n"
	for _, k := range keys {
		text += base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{k}, 32)) + " # comment\n"
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestKeysRotate(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	writeKeys(t, one, 1)
	writeKeys(t, two, 1)
	synctest.Test(t, func(t *testing.T) {
		f := newFabric()
		a := f.fellow(t, "n1", 1, func(o *Options) { o.Gossip.KeyringFile = one })
		b := f.fellow(t, "n2", 1, func(o *Options) { o.Gossip.KeyringFile = two })
		all := []*fellow{a, b}
		until(t, 5*time.Second, "they meet", func() bool { return whole(all) })
		for _, keys := range [][]byte{{1, 2}, {2, 1}, {2}, {2, 4, 3}, {3, 2, 4}, {3}} {
			for _, path := range []string{one, two} {
				writeKeys(t, path, keys...)
				time.Sleep(20 * time.Second) // the files are never changed at once
			}
		}
		if err := os.WriteFile(one, []byte("no key\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Second) // the keys from before stay
		if !whole(all) || a.told().lost+b.told().lost > 0 {
			t.Errorf("live = %v and %v, lost %d, want both all the time", a.told().live, b.told().live, a.told().lost+b.told().lost)
		}
		other := f.fellow(t, "n3", 1, nil) // without any key
		time.Sleep(5 * time.Second)
		if !other.sees("n3#1") || a.counts.read().RefusedKey == 0 {
			t.Errorf("without a key it sees %v, and %+v was counted", other.told().live, a.counts.read())
		}
		end(a, b, other)
	})
}

func TestKeyringFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	for text, want := range map[string]string{
		"":                 "holds no key",
		"# nothing\n":      "holds no key",
		"\n\n!!!\n":        "line 3 is not base64",
		"AAAA\n":           "line 1 holds 3 bytes",
		"\xff\xfe\x00\x01": "line 1 is not base64",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := openKeyring(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--cluster.keyring-file") {
			t.Errorf("keyring %q: %v, want an error with %q", text, err, want)
		}
	}
	if _, err := openKeyring(path + "-absent"); err == nil {
		t.Error("an absent keyring file: no error")
	}
}

// Whatever arrives on the gossip port is counted and does no harm.
func TestGossipGarbage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric()
		all := fleet(t, f, 2, nil)
		stranger := f.port()
		for size := range 300 {
			for kind := range 16 {
				junk := append([]byte{byte(kind)}, bytes.Repeat([]byte{byte(size * 7)}, size*size/4)...)
				_, _ = stranger.WriteTo(junk, all[0].port.addr)
			}
			time.Sleep(10 * time.Millisecond)
		}
		for _, head := range [][]byte{{6}, {9, 1}, {244, 0}, {10, 255, 255, 255, 255}, bytes.Repeat([]byte{0xdf}, 1<<16)} {
			if c, err := stranger.DialTimeout(all[0].port.addr, time.Second); err == nil {
				_ = c.SetDeadline(time.Now().Add(time.Second))
				_, _ = c.Write(head)
				_ = c.Close()
			}
		}
		for _, word := range []string{"", "EVICTED", "EVICTED n1", "EVICTED n1#x", "EVICTED n2#9", "LEFT ", "LEFT n9#1", "EVICTED n1#18446744073709551615"} {
			delegate{all[0].membership}.NotifyMsg([]byte(word))
		}
		delegate{all[0].membership}.MergeRemoteState([]byte{0xff, 0xff}, true)
		time.Sleep(10 * time.Second)
		if !agree(all) || all[0].epoch.Load() != 1 {
			t.Errorf("live = %v with epoch %d, want both as before", all[0].told().live, all[0].epoch.Load())
		}
		if got := all[0].counts.read(); got.RefusedMalformed == 0 {
			t.Errorf("%+v, want the garbage counted", got)
		}
		end(all...)
	})
}

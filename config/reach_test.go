package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/config"
)

const (
	keyring  = "--cluster.keyring-file=k"
	allTLS   = "--tls.cert-file=c --tls.key-file=k --tls.ca-file=a"
	unguards = "which is not loopback: other machines could reach it; give "
)

func TestPortsBeyondLoopback(t *testing.T) {
	for _, tt := range []struct{ args, want string }{ // want is empty where nothing is wrong
		{"--cluster.listen-address=10.0.0.1:7141", `flag --cluster.listen-address: cluster.listen_address is "10.0.0.1:7141", ` + unguards + "--cluster.keyring-file;"},
		{"--cluster.listen-address=10.0.0.1:7141 " + allTLS, "give --cluster.keyring-file;"},
		{"--cluster.listen-address=10.0.0.1:7141 " + keyring, ""},
		{"--cluster.listen-address=10.0.0.1:7141 --insecure", ""},
		{"--cluster.listen-address=10.0.0.1:7141 --insecure=false", "give --cluster.keyring-file;"},
		{"--actor.listen-address=[2001:db8::1]:0", unguards + "--tls.cert-file, --tls.key-file and --tls.ca-file;"},
		{"--actor.listen-address=[2001:db8::1]:0 " + keyring, "actor.listen_address is"},
		{"--actor.listen-address=[2001:db8::1]:0 " + allTLS, ""},
		{"--actor.listen-address=[fe80::1%eth0]:0 --insecure", ""},
		{"--http.listen-address=0.0.0.0:7140", "so that clients show a certificate; or listen on 127.0.0.1; or accept the risk with --insecure"},
		{"--http.listen-address=:7140", "http.listen_address is"},
		{"--http.listen-address=0.0.0.0:7140 " + keyring, "http.listen_address is"},
		{"--http.listen-address=0.0.0.0:7140 " + allTLS, ""},
		{"--http.listen-address=:0 --insecure", ""},
		{"--tls.cert-file=c", "flag --tls.cert-file: tls.cert_file needs --tls.key-file and --tls.ca-file too: the three TLS files come together or not at all"},
		{"--tls.key-file=k --tls.ca-file=a --insecure", "flag --tls.key-file: tls.key_file needs --tls.cert-file too"},
		{"--tls.ca-file=a --http.listen-address=10.0.0.1:1", "flag --tls.ca-file: tls.ca_file needs"},
		{allTLS, ""},
		{"--insecure", ""},
	} {
		_, err := load(t, "", nil, strings.Fields(tt.args)...)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.args, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n")):
			t.Errorf("%s: error %v, want this one alone: %q", tt.args, err, tt.want)
		}
	}
}

func TestEveryAddressNeedsOneToAdvertise(t *testing.T) {
	for _, port := range []string{"cluster", "actor"} {
		for _, listen := range []string{"0.0.0.0:1", "[::]:0", ":1", "[::ffff:0.0.0.0]:1", "[::%lo]:1"} {
			args := []string{"--insecure", "--" + port + ".listen-address=" + listen}
			_, err := load(t, "", nil, args...)
			want := fmt.Sprintf("flag --%[1]s.listen-address: %[1]s.listen_address is %[2]q, every address of this machine, "+
				"and other nodes must be told one they can reach; give --%[1]s.advertise-address HOST", port, listen)
			if err == nil || err.Error() != want {
				t.Errorf("%s: error %v, want %q", args, err, want)
			}
			if _, err := load(t, "", nil, append(args, "--"+port+".advertise-address=node-1")...); err != nil {
				t.Errorf("%s with an address to advertise: %v", args, err)
			}
		}
	}
}

func TestAdvertiseAddress(t *testing.T) {
	for _, tt := range []struct{ address, want, problem string }{
		{"", "", ""},
		{"10.0.0.1", "10.0.0.1:0", ""},
		{"10.0.0.1:0", "10.0.0.1:0", ""},
		{"10.0.0.1:7141", "10.0.0.1:7141", ""},
		{"node_1.internal", "node_1.internal:0", ""},
		{"[2001:db8::1]", "[2001:db8::1]:0", ""},
		{"[2001:db8::1]:7141", "[2001:db8::1]:7141", ""},
		{"2001:db8::1", "", "want HOST or HOST:PORT as in 10.0.0.1 or [2001:db8::1]:7141"},
		{":7141", "", "a host is missing"},
		{"0.0.0.0:7141", "", "every address of a machine"},
		{"[::]", "", "every address of a machine"},
		{"node-1:http", "", "a number from 0 to 65535"},
		{"[fe80::1%eth0]", "", "zone"},
		{"a b", "", "host"},
		{"http://node-1", "", "the port must be"},
	} {
		c, err := load(t, "", []string{"FLEETFUSE_ACTOR_ADVERTISE_ADDRESS=" + tt.address}, "--cluster.advertise-address="+tt.address)
		if tt.problem == "" {
			if err != nil || c.Cluster.AdvertiseAddress != tt.want || c.Actor.AdvertiseAddress != tt.want {
				t.Errorf("%q: got %q, %q, error %v; want %q", tt.address, c.Cluster.AdvertiseAddress, c.Actor.AdvertiseAddress, err, tt.want)
			}
			continue
		}
		for _, place := range []string{"flag --cluster.advertise-address: cluster.", "env FLEETFUSE_ACTOR_ADVERTISE_ADDRESS: actor."} {
			if err == nil || !strings.Contains(err.Error(), place+"advertise_address is ") || !strings.Contains(err.Error(), tt.problem) {
				t.Errorf("%q: error %v, want %q at %s", tt.address, err, tt.problem, place)
			}
		}
	}
}

func TestPeers(t *testing.T) {
	const file = "cluster: {peers: ['f.example:1', 'f.example:2']}"
	for _, tt := range []struct {
		what, file, variable string
		args                 []string
		want                 []string
	}{
		{"file", file, "", nil, []string{"f.example:1", "f.example:2"}},
		{"one in a file", "cluster: {peers: 'f.example:1'}", "", nil, []string{"f.example:1"}},
		{"variable over file", file, "e.example:1, e.example:2", nil, []string{"e.example:1", "e.example:2"}},
		{"flags over both", file, "e.example:1", []string{"--cluster.peer=10.0.0.2:1", "--cluster.peer=[::1]:1,c:2"}, []string{"10.0.0.2:1", "[::1]:1", "c:2"}},
		{"once each", "", "b.:1,B:1,b:2,[0::1]:1,b:1,[::1]:1", nil, []string{"b.:1", "b:2", "[0::1]:1"}},
		{"none over a file", file, "", []string{"--cluster.peer="}, nil},
	} {
		c, err := load(t, tt.file, []string{"FLEETFUSE_CLUSTER_PEER=" + tt.variable}, tt.args...)
		if err != nil {
			t.Errorf("%s: %v", tt.what, err)
			continue
		}
		if diff := cmp.Diff(strings.Join(tt.want, " "), strings.Join(c.Cluster.Peers, " ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.what, diff)
		}
	}
}

func TestPeersAreRefused(t *testing.T) {
	_, err := load(t, "", nil, "--cluster.peer=a", "--cluster.peer=good:1", "--cluster.peer=b:0", "--cluster.peer=0.0.0.0:1",
		"--cluster.peer=c:x", "--cluster.peer=d/e:1", "--cluster.peer=:1")
	const place = "flag --cluster.peer: cluster.peers has "
	want := []string{
		place + `an address that is "a"; want HOST:PORT as in 10.0.0.2:7141 or [2001:db8::2]:7141`,
		place + `"b:0": the port must be the one that node gossips on, from 1 to 65535`,
		place + `"0.0.0.0:1": that is every address of a machine, to which nobody can connect; give one of them`,
		place + `an address that is "c:x"; the port must be a number from 0 to 65535`,
		place + `"d/e:1": give the host, not the URL: d`,
		place + `":1": a host is missing before the port`,
	}
	if err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	var many strings.Builder
	for i := range 257 {
		fmt.Fprintf(&many, "n%d:1,n%d:1,", i, i)
	}
	if _, err := load(t, "", nil, "--cluster.peer="+many.String()); err == nil || !strings.Contains(err.Error(), "has 257 addresses; at most 256") {
		t.Errorf("257 peers: error %.200v", err)
	}
}

func TestInsecureIsABool(t *testing.T) {
	for _, tt := range []struct {
		file, variable string
		args           []string
		want           bool
	}{
		{"", "", nil, false},
		{"", "", []string{"--insecure"}, true},
		{"", "yes", nil, true},
		{"insecure: true", "", nil, true},
		{"insecure: true", "0", nil, false},
		{"insecure: true", "", []string{"--insecure=false"}, false},
		{"insecure: false", "false", []string{"--insecure"}, true},
	} {
		c, err := load(t, tt.file, []string{"FLEETFUSE_INSECURE=" + tt.variable}, tt.args...)
		if err != nil || c.Insecure != tt.want {
			t.Errorf("%+v: got %v, error %v", tt, c.Insecure, err)
		}
	}
}

// Everything is on loopback until somebody says otherwise.
func TestFleetDefaults(t *testing.T) {
	c, err := load(t, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	want := config.Config{
		Cluster: config.Cluster{GossipProfile: "tuned", ListenAddress: "127.0.0.1:7141"},
		Actor:   config.Actor{ListenAddress: "127.0.0.1:7142"},
	}
	got := config.Config{Cluster: c.Cluster, Actor: c.Actor, TLS: c.TLS, Insecure: c.Insecure}
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Errorf("got %s\nwant %s", g, w)
	}
}

package main

import (
	"fmt"
	"net"
	"strings"

	"github.com/spf13/pflag"

	"fleetfuse/client/admin"
	"fleetfuse/internal/nodeaddr"
)

// A tlsFile is one of the files with which a node at https is asked.
type tlsFile struct {
	flag, twin, usage string
	path              *string
}

func tlsFiles(f *admin.TLSFiles) []tlsFile {
	return []tlsFile{
		{"tls.cert-file", "FLEETFUSE_TLS_CERT_FILE", "certificate to show a node at https, a PEM `file`", &f.CertFile},
		{"tls.key-file", "FLEETFUSE_TLS_KEY_FILE", "the key of that certificate, a PEM `file`", &f.KeyFile},
		{"tls.ca-file", "FLEETFUSE_TLS_CA_FILE", "the CA that signed the certificates of the nodes, a PEM `file`", &f.CAFile},
	}
}

// reachFlags are the flags that say which node is asked, and how.
func (s *session) reachFlags(flags *pflag.FlagSet) {
	flags.StringVar(&s.addr, "addr", "", "node to ask: `host:port`, http://host:port, https://host:port or\nunix:///path (else FLEETFUSE_ADDR, else "+nodeaddr.Default+")")
	for _, f := range tlsFiles(&s.files) {
		flags.StringVar(f.path, f.flag, "", f.usage+"\n(else "+f.twin+")")
	}
}

// client returns a client of the node the operator means.
func (s *session) client() (*admin.Client, error) {
	addr, origin := s.addr, "--addr"
	if addr == "" {
		addr, origin = s.env.getenv("FLEETFUSE_ADDR"), "FLEETFUSE_ADDR"
	}
	if addr == "" {
		addr = nodeaddr.Default
	}
	dial := s.plainClient
	if admin.Secure(addr) {
		dial = s.secureClient
	}
	return dial(addr, origin)
}

// plainClient refuses files of the command line: they mean this node, and going
// on would be in the clear. Those of the environment wait for the next node.
func (s *session) plainClient(addr, origin string) (*admin.Client, error) {
	c, err := admin.New(addr)
	if err != nil {
		return nil, &usageError{what: origin + ": " + err.Error(), try: "--addr " + nodeaddr.Default}
	}
	var flags []string
	for _, f := range tlsFiles(&s.files) {
		if *f.path != "" {
			flags = append(flags, "--"+f.flag)
		}
	}
	if len(flags) == 0 {
		return c, nil
	}
	try := "without " + list(flags)
	if !strings.HasPrefix(c.Addr(), "unix:") {
		try = "--addr https://" + c.Addr() + ", or " + try
	}
	return nil, &usageError{what: fmt.Sprintf("%s %s for a node at https, which %s is not", list(flags), verb(len(flags), "is", "are"), c.Addr()), try: try}
}

// secureClient wants all three files.
func (s *session) secureClient(addr, origin string) (*admin.Client, error) {
	files := s.files
	var flags, tries, twins []string // of those that are missing
	for _, f := range tlsFiles(&files) {
		if *f.path == "" {
			*f.path = s.env.getenv(f.twin)
		}
		if *f.path == "" {
			flags, tries, twins = append(flags, "--"+f.flag), append(tries, "--"+f.flag+" FILE"), append(twins, f.twin)
		}
	}
	if len(flags) > 0 {
		return nil, &usageError{
			what: fmt.Sprintf("%s: a node at https wants a client certificate, and %s %s missing", origin, list(flags), verb(len(flags), "is", "are")),
			try:  strings.Join(tries, " ") + ", or " + list(twins) + " in the environment",
		}
	}
	secure, err := files.Config()
	if err != nil {
		return nil, &usageError{what: err.Error(), try: "--tls.cert-file, --tls.key-file and --tls.ca-file with valid PEM files that you may read"}
	}
	c, err := admin.NewTLS(addr, secure)
	if err != nil {
		return nil, &usageError{what: origin + ": " + err.Error(), try: "--addr https://HOST:PORT"}
	}
	s.secure = true
	return c, nil
}

// nodeAddr is the API address of a member as --addr takes it: the members of a
// fleet that is asked at https serve other machines over TLS only.
func (s *session) nodeAddr(api string) string {
	host, _, err := net.SplitHostPort(api)
	ip := net.ParseIP(host)
	if !s.secure || err != nil || host == "localhost" || ip != nil && ip.IsLoopback() {
		return api
	}
	return "https://" + api
}

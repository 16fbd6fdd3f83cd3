//go:build cgo && linux

package sqlite

import (
	"fmt"
	"syscall"
)

// remoteKinds are the file systems, by the number that statfs(2) gives, that
// other machines may use at the same time: SQLite's locks and its memory-mapped
// log index are not safe there. FUSE is sshfs and the like, but may be local.
var remoteKinds = map[uint32]string{
	0x00006969: "NFS", 0x0000517b: "SMB", 0xfe534d42: "SMB", 0xff534d42: "CIFS", 0x01021997: "9p", 0x65735546: "FUSE",
	0x5346414f: "AFS", 0x6b414653: "AFS", 0x73757245: "Coda", 0x00c36400: "Ceph", 0x0bd00bd0: "Lustre", 0x47504653: "GPFS",
	0x01161970: "GFS2", 0x7461636f: "OCFS2", 0x19830326: "BeeGFS", 0xaad7aaea: "PanFS", 0x20030528: "OrangeFS",
	0xbacbacbc: "a VMware share", 0x786f4256: "a VirtualBox share", 0x7c7c6673: "a Parallels share",
}

// remote names the kind of network file system that a path is on; "" if it is
// on none, or nobody can tell.
func remote(path string) string {
	var s syscall.Statfs_t
	if syscall.Statfs(path, &s) != nil {
		return ""
	}
	return remoteKind(uint32(s.Type)) // its type differs between architectures
}

func remoteKind(magic uint32) string {
	name, ok := remoteKinds[magic]
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s (0x%x)", name, magic)
}

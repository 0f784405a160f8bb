package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// refuseNetwork refuses a folder on a network file system: locks and shared
// memory do not hold there, and two runs could both take one event.
func refuseNetwork(folder string) error {
	var st syscall.Statfs_t
	if err := syscall.Statfs(folder, &st); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("look at the file system of %s: %w", folder, err)
	}
	if name := networkName(uint32(st.Type)); name != "" {
		return fmt.Errorf("%s is on %s: %w; put the ledger on a local disk", folder, name, ErrNetworkFS)
	}
	return nil
}

// networkName names the file systems of statfs(2) whose locks cannot be
// trusted between machines, "" for all others.
func networkName(magic uint32) string {
	switch magic {
	case 0x6969:
		return "NFS"
	case 0x517B:
		return "SMB"
	case 0xFF534D42, 0xFE534D42:
		return "CIFS"
	case 0x65735546:
		return "a FUSE file system (sshfs and others)"
	case 0x01021997:
		return "9p"
	case 0x5346414F, 0x6B414653:
		return "AFS"
	case 0x00C36400:
		return "Ceph"
	case 0x0BD00BD0:
		return "Lustre"
	case 0x7461636F:
		return "OCFS2"
	case 0x01161970:
		return "GFS2"
	}
	return ""
}

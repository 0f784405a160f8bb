package ledger

import "testing"

func TestNetworkNames(t *testing.T) {
	for magic, network := range map[uint32]bool{
		0x6969: true, 0x517B: true, 0xFF534D42: true, 0xFE534D42: true, 0x65735546: true,
		0xEF53: false, 0x58465342: false, 0x9123683E: false, 0x01021994: false, 0x794C7630: false,
	} {
		if name := networkName(magic); (name != "") != network {
			t.Errorf("%#x is %q", magic, name)
		}
	}
	if err := refuseNetwork(t.TempDir()); err != nil {
		t.Error(err)
	}
}

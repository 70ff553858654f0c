// SPDX-License-Identifier: Apache-2.0

package host

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// inetDiagMsg is struct inet_diag_msg of linux/inet_diag.h, after struct nlmsghdr.
type inetDiagMsg struct {
	Length             uint32
	Type, Flags        uint16
	Sequence, Port     uint32
	Family, State      uint8
	Timer, Retransmits uint8
	SourcePort         [2]byte // big endian
	DestinationPort    [2]byte
	Source             [16]byte
	Destination        [16]byte
	Interface          uint32
	Cookie             [2]uint32
	Expires, RQueue    uint32
	WQueue, UID, Inode uint32
}

// end is an address of the struct as text, which the code does not use.
func (m inetDiagMsg) end(address [16]byte, port [2]byte) netip.AddrPort {
	a := netip.AddrFrom16(address)
	if m.Family != unix.AF_INET6 {
		a = netip.AddrFrom4([4]byte(address[:4]))
	}
	return netip.AddrPortFrom(a.Unmap(), uint16(port[0])<<8|uint16(port[1]))
}

// attribute finds one among the attributes behind the struct, the slow way: nil
// where a length before it is not possible.
func attribute(behind []byte, kind uint16) []byte {
	for r := bytes.NewReader(behind); ; {
		var head struct{ Length, Kind uint16 }
		if binary.Read(r, binary.NativeEndian, &head) != nil || head.Length < 4 || int(head.Length)-4 > r.Len() {
			return nil
		}
		content := make([]byte, head.Length-4)
		_, _ = r.Read(content)
		if head.Kind == kind && len(content) >= 8 {
			return content
		}
		for range -int(head.Length) & 3 {
			_, _ = r.ReadByte()
		}
	}
}

// FuzzSocketAnswer compares what is read of an answer of the kernel with the C
// struct read by encoding/binary: an answer that counts is that of a connection
// between these two ends, and its owner and control group are those of the struct.
func FuzzSocketAnswer(f *testing.F) {
	server, client := netip.MustParseAddrPort("127.0.0.1:8014"), netip.MustParseAddrPort("127.0.0.1:40000")
	m := inetDiagMsg{Length: 88, Type: sockDiagByFamily, Family: unix.AF_INET, State: 1, UID: 990, SourcePort: [2]byte{8014 >> 8, 8014 & 0xff}, DestinationPort: [2]byte{40000 >> 8, 40000 & 0xff}}
	copy(m.Source[:], server.Addr().AsSlice())
	copy(m.Destination[:], client.Addr().AsSlice())
	seed := func(change func(*inetDiagMsg), behind ...byte) {
		one := m
		change(&one)
		one.Length = uint32(binary.Size(one) + len(behind))
		var b bytes.Buffer
		if err := binary.Write(&b, binary.NativeEndian, one); err != nil {
			f.Fatal(err)
		}
		f.Add(append(b.Bytes(), behind...))
	}
	group := binary.NativeEndian.AppendUint64(binary.NativeEndian.AppendUint16(binary.NativeEndian.AppendUint16(nil, 12), diagGroupID), 4242)
	other := []byte{5, 0, 3, 0, 1, 0, 0, 0}
	seed(func(*inetDiagMsg) {}, group...)
	seed(func(*inetDiagMsg) {}, slices.Concat(other, group)...)
	seed(func(m *inetDiagMsg) { m.State = tcpListen }, group...)
	seed(func(m *inetDiagMsg) { m.Family = unix.AF_INET6 })
	seed(func(m *inetDiagMsg) { m.Source[0] = 10 })
	seed(func(m *inetDiagMsg) { m.Type = unix.NLMSG_ERROR })
	seed(func(m *inetDiagMsg) { m.Flags = unix.NLM_F_DUMP_INTR })
	f.Fuzz(func(t *testing.T, datagram []byte) {
		data, err := socketAnswer(datagram, server, client)
		if err != nil {
			return
		}
		var want inetDiagMsg
		if err := binary.Read(bytes.NewReader(datagram), binary.NativeEndian, &want); err != nil {
			t.Fatalf("an answer of %d bytes counts: %v", len(datagram), err)
		}
		if want.Type != sockDiagByFamily || want.end(want.Source, want.SourcePort) != server || want.end(want.Destination, want.DestinationPort) != client {
			t.Fatalf("the answer of another socket counts: %+v", want)
		}
		if slices.Contains([]uint8{3, 6, 7, 10, 12}, want.State) {
			t.Fatalf("the answer of a socket in state %d counts", want.State)
		}
		if uid := binary.NativeEndian.Uint32(data[diagUIDAt:]); uid != want.UID {
			t.Fatalf("UID %d, want %d", uid, want.UID)
		}
		var number uint64
		if content := attribute(datagram[binary.Size(want):min(int(want.Length), len(datagram))], diagGroupID); content != nil {
			number = binary.NativeEndian.Uint64(content)
		}
		if got := groupOf(data[diagMessageLen:]); got != number {
			t.Fatalf("control group %d, want %d", got, number)
		}
	})
}
